"""HTML tables: whole, well-formed, alone, and safe whatever is written in a record."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from afbench.report.summary import tables
from afbench.report.tables.formats import render
from afbench.report.tables.task_grid import task_grid
from afbench.report.tables.wide import wide_grid, widen

NASTY = '<script>alert("1")</script> & </style> \' <img src=x onerror=alert(1)>'
VOID = {"meta", "br", "wbr"}


class Page(HTMLParser):
    """Reads a page: its tags in balance, their attributes, the cells of each row."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.attributes, self.rows, self.words = [], [], [], [], ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append(0)
        if tag in ("td", "th"):
            self.rows[-1] += 1

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words += data


@pytest.fixture
def page(store, put, put_cost, worked):
    """Single and wide tables with a failure and signs that HTML reads as its own."""
    put("broken", 0, status="error", message=NASTY)
    put('opau[text="<b>"]', 0, 93.0)
    put("relu", 0, 80.0, task="rings<&>")
    put("pau", 0, 81.0, task="rings<&>")
    put_cost("pau")
    made = tables(store)
    return render([*map(task_grid, made), wide_grid(widen(made))], "html")


def test_is_well_formed_and_all_rows_are_as_long(page):
    read = Page(page)
    tables = page.split("<table>")[1:]
    assert len(tables) == 3
    for table in tables:
        assert len(set(Page(table.split("</table>")[0]).rows)) == 1
    assert read.tags.count("main") == read.tags.count("html") == 1


def test_stands_alone(page):
    read = Page(page)
    assert not {"script", "link", "img", "iframe", "object", "svg"} & set(read.tags)
    names = {name for name, _ in read.attributes}
    assert not names & {"src", "style", "onclick", "onerror"}
    assert all(value.startswith("#") for name, value in read.attributes if name == "href")
    assert "url(" not in page and "@import" not in page and "http" not in page.replace("http-equiv", "")


def test_words_of_users_are_words(page):
    assert "alert" in Page(page).words and 'opau[text="<b>"]' in Page(page).words.replace("\u200b", "")
    assert "<script" not in page and "<img" not in page and page.count("</style>") == 1


def test_links_lead_to_footnotes(page):
    ids = re.findall(r'id="([^"]+)"', page)
    targets = re.findall(r'href="#([^"]+)"', page)
    assert len(ids) == len(set(ids)) and targets and set(targets) <= set(ids)


def test_failures_are_words_and_the_best_is_bold(page):
    assert '<span class="failed">1 error</span>' in page
    assert "<strong>94.0</strong>" in page or "<strong>94</strong>" in page


def test_light_dark_and_phone(page):
    assert "prefers-color-scheme: dark" in page and 'name="viewport"' in page and "position: sticky" in page


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", [0, 1])
@pytest.mark.parametrize("ink", ["ink", "soft", "failed", "link"])
@pytest.mark.parametrize("ground", ["page", "stripe"])
def test_words_are_legible_on_both_grounds(page, scheme, ink, ground):
    """WCAG 2.2, 1.4.3: a contrast of 4.5 to 1, by lightness alone, which colour-blind eyes see too."""
    colours = [dict(re.findall(r"--(\w+): (#\w{6})", part)) for part in page.split("@media (prefers")[:2]]
    light, dark = sorted((luminance(colours[scheme][ink]), luminance(colours[scheme][ground])), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_minus_signs_and_ratios_are_typeset(store, put, put_cost):
    for seed in range(3):
        put("relu", seed, 90.0)
        put("pau", seed, 88.0 + seed / 10)
    put_cost("pau", 1.3)
    shown = render(map(task_grid, tables(store)), "html")
    assert "−1.90 [−2.15, −1.65]" in shown and "1.30×" in shown
