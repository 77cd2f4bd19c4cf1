"""Damaged arrays: each is named in one line and left out, and the picture of all others is drawn."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from afbench.cli import main
from afbench.errors import UsageError
from afbench.records.trial import Trial
from afbench.report.plots import draw

KINDS = {"boundary": "regions", "surface": "surface", "nodes": "nodes", "shape": "shape", "curve": "curve"}


def spoilt(values, index, value):
    values = values.astype(float)
    values.flat[index] = value
    return values


def damages(name, values):
    """List what can be wrong with an array, by a name; each must be refused."""
    found = {
        "text": np.array(["a"] * len(values)),
        "objects": np.array([None] * len(values), dtype=object),
        "complex": values.astype(complex),
        "dates": np.zeros(values.shape, "datetime64[s]"),
        "scalar": np.array(1.0),
        "empty": values[:0],
        "empty text": np.array("nonsense"),
        "NaN": np.full(values.shape, np.nan),
        "infinity": np.full(values.shape, np.inf),
        "huge": np.full(values.shape, 1e300),
        "largest": np.full(values.shape, np.finfo(float).max),
        "two": np.stack([values, values]),
        "none": None,
    }
    if "shape/" not in name and name not in ("picture/before", "picture/after"):  # those may have poles
        found |= {"a NaN": spoilt(values, 0, np.nan), "an infinity": spoilt(values, -1, -np.inf)}
    if name not in ("picture/extent", "picture/regions", "shape/0/edges"):
        found["shorter"] = values[:-1]
    if name.endswith(("/x", "epoch", "extent", "edges")):
        found |= {"constant": np.ones(values.shape), "falling": values[::-1]}
    if name.endswith(("regions", "labels")):
        found |= {
            "negative": spoilt(values, 0, -1),
            "fractions": spoilt(values, 0, 0.5),
            "many": spoilt(values, 0, 256),
        }
    if name.endswith("hist"):
        found |= {"negative": -values, "nothing": np.zeros(values.shape)}
    return found


def whole(make, kind):
    arrays = make("curve", [60.0, 70.0, 75.0]) if kind == "curve" else make(KINDS[kind])
    if kind == "shape":
        arrays |= {"shape/0/hist": np.arange(12.0), "shape/0/edges": np.linspace(-5, 5, 11)}
    return arrays


def spoil(store, key, arrays):
    held = io.BytesIO()
    np.savez_compressed(held, **arrays)
    (store.path / "arrays").mkdir(exist_ok=True)
    (store.path / "arrays" / f"{key}.npz").write_bytes(held.getvalue())


@pytest.fixture
def damaged(results, make):
    """Fill a store with a sound trial and one for each damage of each array; returns the names of the damaged."""

    def fill(kind):
        arrays = whole(make, kind)
        results.add("relu", 0, 80.0, arrays).add("sound", 0, 70.0, arrays)
        names = []
        for name, values in arrays.items():
            if name.startswith("shape/1"):
                continue
            for what, value in damages(name, values).items():
                others = {other: held for other, held in arrays.items() if other != name}
                names.append(f"a{len(names)}")
                results.add(names[-1], 0, 90.0)
                key = Trial("gmm", names[-1], 0, {}).key
                spoil(results.store, key, others if value is None else others | {name: value})
                results.what[key] = (name, what)
        return names

    results.what = {}
    return fill


@pytest.mark.parametrize("kind", KINDS)
def test_every_damage_of_every_array_is_named_and_left_out(damaged, results, kind, capsys, monkeypatch):
    names, figures = damaged(kind), []
    # Pages are drawn and laid out; test_saving saves them.
    monkeypatch.setattr("afbench.report.plots.save_pages", lambda pages, path: figures.extend(pages) or [path])
    assert main(["plot", str(results.store.path), kind]) == 0
    out, err = capsys.readouterr()
    assert Path(out.strip()).suffix == ".png" and figures
    assert len(err.splitlines()) >= len(names) >= 40
    assert all(line.startswith("afbench: warning: ") for line in err.splitlines())
    for key, (array, what) in results.what.items():
        lines = [line for line in err.splitlines() if key in line]
        where = array.rpartition("/")[0] if what == "shorter" else array
        assert any(where in line for line in lines), (array, what, lines)
    if kind not in ("shape", "curve"):
        titles = {panel.get_title(loc="left") for figure in figures for panel in figure.axes}
        assert not titles & set(names) and "sound" in titles


def test_a_place_that_is_damaged_leaves_the_others(results, make):
    arrays = whole(make, "shape")
    results.add("prelu", 0, 80.0, arrays | {"shape/0/after": np.full(41, np.nan)})
    figure = draw(results.store, "shape")
    assert [panel.texts[0].get_text() for panel in figure.axes] == ["80.0 %"]
    assert "'shape/0/after' holds no finite number; left out of plot 'shape'" in str(results.store.problems)


@pytest.mark.parametrize("kind", KINDS)
def test_where_all_is_damaged_the_call_says_so(results, make, kind, capsys):
    results.add("relu", 0, 80.0, {name: np.array("x") for name in whole(make, kind)})
    with pytest.raises(UsageError, match=rf"plot '{kind}' of gmm needs arrays, but in .* 1 file is damaged; run again"):
        draw(results.store, kind)
    assert main(["plot", str(results.store.path), kind]) == 2
    warning, error = capsys.readouterr().err.splitlines()
    assert (
        warning.startswith("afbench: warning: ")
        and "text, not real numbers" in warning
        and "1 file is damaged" in error
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_is_no_archive(results, make, kind, capsys):
    results.add("relu", 0, 80.0, whole(make, kind))
    files = []
    for seed, content in enumerate([b"", b"PK", b"no archive", bytes(1000), None]):
        results.add("prelu", seed, 90.0)
        files.append(results.store.path / "arrays" / f"{Trial('gmm', 'prelu', seed, {}).key}.npz")
        if content is None:
            files[-1].mkdir()
        else:
            files[-1].write_bytes(content)
    assert main(["plot", str(results.store.path), kind]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == len(files)
    assert all(sum(str(file) in line and line.endswith("; left out") for line in lines) == 1 for file in files)


ODD = {
    "curve": {
        "one epoch": {"curve/epoch": [1], "curve/loss": [1], "curve/validation": [1]},
        "large": {"curve/loss": np.full(9, 1e30), "curve/validation": np.linspace(-1e30, 1e30, 9)},
        "tiny": {"curve/loss": np.logspace(-300, 0, 9), "curve/validation": np.logspace(0, -300, 9)},
        "wide": {"curve/loss": np.logspace(-30, 30, 9)},
        "constant": {"curve/loss": np.zeros(9), "curve/validation": np.ones(9)},
    },
    "boundary": {
        "smallest": {"picture/regions": np.zeros((2, 2), int)},
        "slim": {"picture/regions": np.eye(2, 90, dtype=int), "picture/extent": [0, 1, 0, 0.15]},
        "points beyond": {"picture/points": np.full((200, 2), 1e20)},
    },
    "surface": {
        "constant": {"picture/target": np.zeros((21, 21)), "picture/prediction": np.zeros((21, 21))},
        "large": {"picture/prediction": np.full((21, 21), 1e30)},
    },
    "nodes": {
        "large": {"picture/fit": np.full(41, 1e30), "picture/after": np.full((41, 3), -1e30)},
        "poles": {"picture/after": np.where(np.eye(41, 3), np.nan, 1.0)},
    },
    "shape": {
        "large": {"shape/0/after": np.full(41, 1e30)},
        "poles": {"shape/0/after": np.where(np.eye(41, 3), np.inf, 1.0)},
        "constant": {"shape/0/after": np.zeros(41), "shape/0/before": np.ones((41, 2))},
    },
}


@pytest.mark.parametrize(("kind", "what"), [(kind, what) for kind in ODD for what in ODD[kind]])
def test_what_is_odd_but_sound_is_drawn(results, make, kind, what):
    odd = {name: np.asarray(values) for name, values in ODD[kind][what].items()}
    arrays = make("curve", [1.0] * 9) if kind == "curve" else whole(make, kind)
    results.add("prelu", 0, 80.0, arrays | odd).add("relu", 0, 70.0, arrays)
    figure = draw(results.store, kind)
    figure.draw_without_rendering()
    assert not results.store.problems
