from __future__ import annotations

import time

import pytest

from afbench.errors import UsageError
from afbench.records.store import Store
from afbench.report.plots import draw, save

STARTS = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}


@pytest.mark.parametrize(
    ("kind", "ending"),
    [("curve", "png"), ("curve", "svg"), ("curve", "pdf"), ("boundary", "svg"), ("shape", "png"), ("surface", "pdf")],
)
def test_the_same_results_give_the_same_bytes(full, tmp_path, monkeypatch, kind, ending):
    figure = draw(full, kind, width="column")
    content = save(figure, tmp_path / f"one.{ending}").read_bytes()
    assert content.startswith(STARTS[ending])
    monkeypatch.setattr(time, "time", lambda: 2e9)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1234567890")
    assert save(figure, tmp_path / f"two.{ending}").read_bytes() == content
    again = draw(Store.open(full.path), kind, width="column")
    assert save(again, tmp_path / f"three.{ending}").read_bytes() == content


def test_png_has_300_dots_an_inch(full, tmp_path):
    figure = draw(full, "curve", width="column")
    content = save(figure, tmp_path / "new" / "curve.PNG").read_bytes()
    width, height = (int.from_bytes(content[at : at + 4]) for at in (16, 20))
    assert (width, height) == (1020, int(figure.get_figheight() * 300))


def test_pdf_has_outlines_not_bitmaps_of_letters(full, tmp_path):
    content = save(draw(full, "curve"), tmp_path / "curve.pdf").read_bytes()
    assert b"/Type3" not in content and b"/FontFile2" in content


@pytest.mark.parametrize("name", ["curve.jpeg", "curve", "curve.png.txt"])
def test_other_endings(full, tmp_path, name):
    with pytest.raises(UsageError, match=r"a plot is saved as \.png, \.svg, \.pdf, not"):
        save(draw(full, "curve"), tmp_path / name)
    assert not (tmp_path / name).exists()


def test_a_folder_that_cannot_be_made(full, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be written"):
        save(draw(full, "curve"), tmp_path / "file" / "curve.png")
