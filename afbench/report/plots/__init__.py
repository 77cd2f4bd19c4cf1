"""Plots of results folders, drawn from its records and arrays alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from matplotlib.figure import Figure

from ...errors import UsageError, did_you_mean
from ...store import Store
from . import boundary, curve, nodes, rank, scaling, shape, style, surface, tradeoff
from .kind import Plot
from .saving import save
from .scaling import Asked
from .sheet import Sheet, freeze
from .trials import BASELINE, Trials

__all__ = ["KINDS", "Plot", "draw", "save"]

KINDS: dict[str, Plot] = {
    plot.name: plot
    for plot in (
        boundary.PLOT,
        surface.PLOT,
        nodes.PLOT,
        shape.PLOT,
        curve.PLOT,
        rank.PLOT,
        tradeoff.PLOT,
        scaling.PLOT,
    )
}
"""The kinds of plot by name."""


def draw(
    stores: Store | Sequence[Store],
    kind: str,
    *,
    task: str | None = None,
    activations: Sequence[str] | None = None,
    baseline: str = BASELINE,
    width: str = "text",
    caption: bool = True,
    **options: Any,
) -> Figure:
    """Draw one kind of plot. What its caption says is ``figure.get_label()``.

    Args:
        stores: the results folder; ``rank``, ``tradeoff`` and ``scaling`` take several, ``tradeoff`` folders of costs
            too.
        kind: a name in ``KINDS``.
        task: which of the folder's tasks, with its settings if there are several: ``gmm``, ``gmm[epochs=3]``. If not
            given, ``rank`` and ``tradeoff`` take all.
        activations: canonical specs of those to draw; the kind chooses if not given.
        baseline: the canonical spec that the others are compared with.
        width: ``"column"`` (3.4 inches) or ``"text"`` (7 inches).
        caption: whether the caption stands below the plot.
        options: the kind's own: ``seed`` (boundary, surface, nodes), ``page`` (shape), ``best`` (curve), ``dtype``,
            ``mode``, ``threads`` (scaling).

    Raises:
        UsageError: for an unknown kind, task, activation, width or option, or if the store lacks what is drawn.

    Example::

        save(draw(Store.open("results/gmm"), "boundary", width="column"), "boundary.pdf")
    """
    if kind not in KINDS:
        raise UsageError(f"unknown plot {kind!r}{did_you_mean(kind, KINDS)} (plots: {', '.join(KINDS)})")
    plot = KINDS[kind]
    plot.check(options)
    sheet = Sheet.of(width, caption)
    stores = [stores] if isinstance(stores, Store) else stores
    trials: Trials | tuple[Trials, ...] | Asked
    if plot.of_costs:
        if task is not None:
            raise UsageError(f"plot {kind!r} is of activations alone: it takes no task")
        trials = Asked(tuple(stores), tuple(activations or ()), baseline)
    elif plot.across:
        own = (of_trials(stores) or stores[:1]) if plot.beside else stores
        each = Trials.each(own, task, activations, baseline)
        trials = tuple(replace(one, beside=tuple(s for s in stores if s is not one.store)) for one in each)
    elif len(stores) == 1:
        trials = Trials.of(stores[0], task, activations, baseline)
    else:
        across = ", ".join(name for name, other in KINDS.items() if other.across or other.of_costs)
        raise UsageError(f"plot {kind!r} takes one results folder, not {len(stores)} (of several: {across})")
    with style.context():
        figure = plot.draw(trials, sheet, **options)
        freeze(figure)
    return figure


def of_trials(stores: Sequence[Store]) -> list[Store]:
    """List the stores that hold trials."""
    return [store for store in stores if (store.path / "trials").is_dir()]
