"""What all kinds of plots have in common: how they are asked for, and that they are legible."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import matplotlib
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from afbench.errors import UsageError
from afbench.records.trial import Status
from afbench.report.plots import KINDS, draw

CATALOGUE = Path(__file__).parents[3] / "docs" / "catalogue.py"

NO_ARRAYS = ("rank", "tradeoff", "scaling")
"""Drawn from the records and the costs."""
OF_TRIALS = [kind for kind in KINDS if not KINDS[kind].of_costs]
ACROSS = [kind for kind in KINDS if KINDS[kind].across]
SIZES = list(itertools.product(KINDS, ("column", "text")))


def words(figure: Figure) -> list[Text]:
    """List the texts that are printed; tick labels beyond the axes are not."""
    figure.draw_without_rendering()
    found = [*figure.texts, *(text for legend in figure.legends for text in legend.get_texts())]
    for panel in figure.findobj(Axes):
        if not panel.axison:
            continue
        found += [panel.title, panel._left_title, *panel.texts]
        for axis in (panel.xaxis, panel.yaxis):
            low, high = sorted(axis.get_view_interval())
            ticks = [tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
            found += [axis.label, axis.offsetText, *ticks]
    return [text for text in found if text.get_visible() and text.get_text().strip()]


@pytest.fixture(scope="module")
def drawn(full):
    """Figures of the whole store, each drawn once."""
    return cache(lambda kind, width="text": draw(full, kind, width=width))


def check_legible(figure: Figure) -> None:
    """See that all texts are large enough, on the figure, and not on each other."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    texts = words(figure)
    boxes = [(text.get_text(), text.get_window_extent(renderer)) for text in texts]
    assert len(boxes) > 5
    assert all(text.get_fontsize() >= 6 for text in texts)
    for text, box in boxes:
        assert box.x0 >= -1 and box.y0 >= -1, text
        assert box.x1 <= figure.bbox.width + 1 and box.y1 <= figure.bbox.height + 1, text
    for (one, a), (other, b) in itertools.combinations(boxes, 2):
        across, up = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
        assert across <= 1 or up <= 1.5, (one, other)  # pixels, of 300 an inch


@pytest.mark.parametrize(("kind", "width"), SIZES)
def test_is_legible(drawn, kind, width):
    check_legible(drawn(kind, width))


@pytest.mark.parametrize(("kind", "width"), list(itertools.product(ACROSS, ("column", "text"))))
def test_is_legible_over_tasks(full, results, kind, width):
    for score, name in enumerate(sorted({record.trial.activation for record in full.records()})):
        ratio = 1.0 if name == "relu" else 1.0 + score
        results.add(name, 0, float(score), task="moons").cost(name, ratio, task="moons")
    check_legible(draw([full, results.store], kind, width=width))


@pytest.mark.parametrize(("kind", "width"), SIZES)
def test_has_the_width_of_a_column_or_of_the_text(drawn, kind, width):
    assert drawn(kind, width).get_figwidth() == {"column": 3.4, "text": 7.0}[width]


@pytest.mark.parametrize("kind", KINDS)
def test_caption_is_the_label_and_can_be_left_to_the_paper(drawn, full, kind):
    printed, bare = drawn(kind), draw(full, kind, caption=False)
    assert printed.get_label() == bare.get_label()
    assert printed.get_label().startswith("Cold-cache latency" if KINDS[kind].of_costs else "gmm: Made up.")
    lines = sorted((t for t in printed.texts if t.get_gid() == "caption"), key=lambda text: -text.get_position()[1])
    assert " ".join(text.get_text() for text in lines) == printed.get_label()
    assert not [text for text in bare.texts if text.get_gid() == "caption"]
    assert bare.get_figheight() < printed.get_figheight()


@pytest.mark.parametrize("kind", OF_TRIALS)
def test_failed_trials_of_what_is_shown_are_named(drawn, kind):
    assert "Left out: prelu (1 of 4 seeds diverged)." in drawn(kind).get_label()


def test_an_activation_that_only_failed_is_named_unless_others_were_asked_for(results, make):
    results.add("relu", 0, 80.0, make("curve", [1.0, 2.0])).add("pau", 0, 0.0, status=Status.ERROR)
    assert "Left out: pau (1 of 1 seeds raised an error)." in draw(results.store, "curve").get_label()
    assert "pau" not in draw(results.store, "curve", activations=["relu"]).get_label()


@pytest.mark.parametrize("kind", OF_TRIALS)
def test_one_activation_with_one_seed_and_no_baseline(results, make, kind):
    arrays = make("curve", [70.0]) | make("regions", 2) | make("surface") | make("shape", 0.5, ["0"]) | make("nodes")
    results.add("pau", 7, 71.0, arrays, about={"references": {}, "headline": ""}).cost("pau", 1.5)
    if kind == "rank":
        results.add("elu", 7, 70.0, about={"references": {}, "headline": ""})  # one alone has no rank
    assert draw(results.store, kind).get_label().startswith("gmm. ")


def test_leaves_matplotlib_as_it_was(full):
    before = dict(dict.items(matplotlib.rcParams))  # rcParams["backend"] would choose one
    draw(full, "curve")
    assert dict(dict.items(matplotlib.rcParams)) == before


def test_looks_the_same_under_another_matplotlibrc(drawn, full):
    plain = drawn("curve")
    with matplotlib.rc_context({"font.size": 30.0, "axes.grid": True, "lines.linewidth": 9.0}):
        other = draw(full, "curve")
    for one, two in zip(plain.axes, other.axes, strict=True):
        assert [line.get_linewidth() for line in one.lines] == [line.get_linewidth() for line in two.lines]
        assert one.get_position().bounds == two.get_position().bounds
    assert [text.get_fontsize() for text in words(plain)] == [text.get_fontsize() for text in words(other)]


def test_touches_no_backend_and_no_entry(full):
    code = f"""
import sys
from afbench.report.plots import draw
from afbench.records.store import Store
draw(Store.open({str(full.path)!r}), "curve")
entries = {{m for m in sys.modules if m.startswith(("afbench.activations.", "afbench.tasks."))}}
print(entries - {{"afbench.tasks.base"}}, "matplotlib.pyplot" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set() False"


DRAW = """
import sys
from afbench.report.plots import draw, save
from afbench.records.store import Store
for kind in ("boundary", "surface", "nodes", "shape", "curve", "rank", "tradeoff", "scaling"):
    save(draw(Store.open(sys.argv[1]), kind, width="column"), f"{sys.argv[2]}/{kind}.svg")
import matplotlib.rcsetup
from matplotlib import _pylab_helpers
print(len(_pylab_helpers.Gcf.figs), "matplotlib.pyplot" in sys.modules)
"""
RUDE = """
backend: MacOSX
text.usetex: True
font.family: No Such Font
font.size: 40
axes.formatter.use_locale: True
axes.formatter.use_mathtext: True
figure.constrained_layout.use: True
savefig.bbox: tight
savefig.facecolor: red
savefig.dpi: 20
lines.linewidth: 12
axes.grid: True
image.origin: upper
path.simplify: False
text.parse_math: True
svg.fonttype: none
"""


@pytest.mark.slow
def test_a_users_settings_backend_locale_and_folders_neither_change_a_plot_nor_are_changed(full, tmp_path):
    """Same bytes under a notebook's backend, a rude matplotlibrc, another locale and no folder for matplotlib."""
    plain, rude = tmp_path / "plain", tmp_path / "rude"
    (tmp_path / "matplotlibrc").write_text(RUDE)
    (tmp_path / "locked").mkdir(mode=0o500)
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MPL", "MATPLOTLIB", "LC_"))}
    changed = {
        "MATPLOTLIBRC": str(tmp_path / "matplotlibrc"),
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "MPLCONFIGDIR": str(tmp_path / "locked"),
        "LC_ALL": "C",
        "PYTHONUTF8": "0",
    }
    said = []
    for folder, environment in ((plain, clean), (rude, clean | changed)):
        folder.mkdir()
        call = [sys.executable, "-c", DRAW, str(full.path), str(folder)]
        done = subprocess.run(call, capture_output=True, text=True, env=environment)
        assert done.returncode == 0, done.stderr
        said.append(done.stdout.strip())
    assert said == ["0 False", "0 False"]  # no figure is left with pyplot, which is not even imported
    files = sorted(path.name for path in plain.iterdir())
    assert len(files) == len(KINDS)
    different = [name for name in files if (plain / name).read_bytes() != (rude / name).read_bytes()]
    assert different == []


@pytest.mark.parametrize(
    ("rc", "environment"),
    [
        (b"", {"MPLBACKEND": "nonsense"}),
        (b"font.family: \xff\xfe\n", {}),
        (b"axes.formatter.use_locale: True\n", {"LC_ALL": "xx_XX.UTF-8"}),
    ],
)
def test_what_matplotlib_cannot_be_imported_with_stops_no_plot(full, tmp_path, rc, environment):
    (tmp_path / "matplotlibrc").write_bytes(rc)  # that of the current folder comes before all others
    call = [sys.executable, "-m", "afbench", "plot", str(full.path), "rank", "--output", "rank.png"]
    done = subprocess.run(call, capture_output=True, text=True, cwd=tmp_path, env=os.environ | environment)
    assert (done.returncode, done.stdout, done.stderr) == (0, "rank.png\n", "")


def test_it_does_not_stop_the_page_of_activations_either(tmp_path):
    call = [sys.executable, "-c", f"import runpy; runpy.run_path({str(CATALOGUE)!r})"]
    environment = os.environ | {"MPLBACKEND": "nonsense"}
    done = subprocess.run(call, capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("boundry", {}, f"unknown plot 'boundry'; did you mean 'boundary'? (plots: {', '.join(KINDS)})"),
        ("curve", {"width": "colum"}, "a plot's width is column or text, not 'colum'; did you mean 'column'?"),
        ("curve", {"sead": 1}, "plot 'curve' takes no option 'sead' (it takes: best)"),
        ("boundary", {"sed": 1}, "plot 'boundary' takes no option 'sed'; did you mean 'seed'? (it takes: seed, page)"),
        ("curve", {"activations": ["prelo"]}, "no activation 'prelo' in gmm; did you mean 'prelu'?"),
        ("curve", {"baseline": "rellu"}, "no activation 'rellu' in gmm; did you mean 'relu'?"),
        ("curve", {"task": "gm"}, "no task 'gm' in "),
        ("boundary", {"seed": 9}, "no seed 9 of "),
        ("surface", {"seed": 3, "activations": ["prelu"]}, "no seed 3 of prelu in gmm (in common: 0-2)"),
        ("shape", {"page": 2}, "plot 'shape' of gmm has 1 page; there is no page 2"),
        ("curve", {"best": 7}, "plot 'curve' can label 0 to 6 activations besides the baseline, not 7"),
    ],
)
def test_wrong_calls_say_what_would_be_right(full, kind, options, message):
    with pytest.raises(UsageError) as raised:
        draw(full, kind, **options)
    assert str(raised.value).startswith(message)
    assert "\n" not in str(raised.value)


def test_a_task_without_the_plot_says_which_it_has(results, make):
    results.add("relu", 0, 80.0, make("curve", [1.0, 2.0]), about={"plots": ["curve", "shape"]})
    with pytest.raises(UsageError, match=r"^gmm cannot draw 'surface'. Available: curve, shape, rank, tradeoff.$"):
        draw(results.store, "surface")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in NO_ARRAYS])
def test_missing_arrays_say_what_brings_them(results, kind):
    results.add("relu", 0, 80.0)
    with pytest.raises(UsageError, match=rf"plot '{kind}' of gmm needs arrays, .*afbench run --task gmm --out DIR"):
        draw(results.store, kind)


def test_missing_arrays_of_a_named_activation(results, make):
    results.add("relu", 0, 80.0, make("curve", [1.0, 2.0])).add("pau", 0, 80.0)
    with pytest.raises(UsageError, match="plot 'curve' of pau in gmm needs arrays"):
        draw(results.store, "curve", activations=["pau"])
    assert "pau" not in draw(results.store, "curve").get_label()


def test_a_folder_where_nothing_ended_well(results):
    results.add("relu", 0, 0.0, status=Status.ERROR)
    with pytest.raises(UsageError, match="no trial of gmm in .* ended well"):
        draw(results.store, "curve")
    results.add("pau", 0, 80.0)
    with pytest.raises(UsageError, match="no trial of 'relu' in gmm ended well"):
        draw(results.store, "curve", activations=["relu"])
