"""Latency against elements: which series, whose lines, what is hollow."""

from __future__ import annotations

import pytest

from afbench.errors import UsageError
from afbench.report.plots import draw

SIZES = (10**3, 10**5, 10**7)


@pytest.fixture
def series(results):
    """Three activations over three sizes, x a nanosecond an element."""
    for rank, name in enumerate(["relu", "gelu", "pau"], start=1):
        for elements in SIZES:
            results.alone(name, elements, rank * 1e-9 * elements)
    return results


def lines(panel):
    return {line.get_gid(): line for line in panel.lines if line.get_gid()}


def test_lines_are_the_medians_and_the_copy_is_drawn(series):
    figure = draw(series.store, "scaling")
    for panel in figure.axes:
        found = lines(panel)
        assert set(found) == {"relu", "gelu", "pau", "copy"}
        assert found["pau"].get_xdata().tolist() == list(SIZES)
        assert found["pau"].get_ydata().tolist() == pytest.approx([3e-6, 3e-4, 3e-2])
        assert found["copy"].get_ydata().tolist() == pytest.approx([1.1e-6, 1.1e-5, 1.001e-3])
        assert (panel.get_xscale(), panel.get_yscale()) == ("log", "log")


def test_only_those_named_and_the_baseline(series):
    for panel in draw(series.store, "scaling", activations=["pau"]).axes:
        assert set(lines(panel)) == {"relu", "pau", "copy"}
    for panel in draw(series.store, "scaling", activations="pau,-relu").axes:
        assert set(lines(panel)) == {"pau", "copy"}


def test_names_and_baseline_are_those_of_the_series(series):
    figure = draw(series.store, "scaling", names='pau="PAU, learned"', baseline="gelu")
    assert "PAU, learned" in {" ".join(text.get_text().split()) for text in figure.axes[0].texts}
    with pytest.raises(UsageError, match="--names: no activation 'pua' in the costs of .*; did you mean 'pau'"):
        draw(series.store, "scaling", names="pua=PAU")
    with pytest.raises(UsageError, match="no activation 'pua' in the costs of .*; did you mean 'pau'"):
        draw(series.store, "scaling", baseline="pua")


def test_the_series_with_the_most_sizes_unless_another_is_asked_for(series):
    for elements in SIZES[:2]:
        series.alone("relu", elements, 1.0, dtype="bfloat16")
    series.alone("relu", 10, 1e-6, threads=2).alone("relu", 100, 1e-6, threads=2)
    for elements in SIZES:
        series.alone("relu", elements, 1e-6, threads=2)
    assert "float32, eager, cpu, 2 threads" in draw(series.store, "scaling").get_label()
    assert "float32, eager, cpu, 1 thread." in draw(series.store, "scaling", threads=1).get_label()
    with pytest.raises(
        UsageError, match="no costs of at least 3 sizes in .* with dtype=bfloat16; measure them: afbench cost --shapes"
    ):
        draw(series.store, "scaling", dtype="bfloat16")


def test_machines_are_not_mixed(series):
    series.alone("relu", 10, 1e-6, environment="cd34")
    assert "3 sizes" in draw(series.store, "scaling").get_label()


def test_unstable_figures_are_hollow_and_many_activations_grey(series):
    for rank in range(9):
        for elements in SIZES:
            series.alone(f"other_{rank}", elements, (10 + rank) * 1e-9 * elements)
    figure = draw(series.store, "scaling")
    assert len(lines(figure.axes[0])) == 7  # relu, gelu, copy, and four from the cheapest to the dearest
    assert {"pau", "other_8"} <= set(lines(figure.axes[0]))
    assert "; grey: the other 6." in figure.get_label()


def test_wrong_calls(series):
    with pytest.raises(UsageError, match="no activation 'paw' in the costs of .*; did you mean 'pau'?"):
        draw(series.store, "scaling", activations=["paw"])
    with pytest.raises(UsageError, match="plot 'scaling' shows costs of activations alone, so it takes no task"):
        draw(series.store, "scaling", task="gmm")
