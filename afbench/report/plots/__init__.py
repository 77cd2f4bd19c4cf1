"""Plots of results folders, drawn from its records and arrays alone."""

from __future__ import annotations

from . import start  # isort: skip  # noqa: F401  (before any other import of matplotlib)

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from matplotlib.figure import Figure

from ...errors import UsageError, did_you_mean
from ...records.store import Store
from ..selection import renamed
from . import boundary, curve, nodes, rank, scaling, shape, style, surface, tradeoff
from .kind import Plot
from .saving import save, save_pages
from .scaling import Asked
from .sheet import Sheet, freeze
from .trials import BASELINE, Names, Trials

__all__ = ["KINDS", "Plot", "draw", "draw_pages", "save", "save_pages"]

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
    activations: str | Sequence[str] | None = None,
    baseline: str = BASELINE,
    width: str = "text",
    caption: bool = True,
    names: Names | None = None,
    **options: Any,
) -> Figure:
    """Draw one kind of plot. What its caption says is ``figure.get_label()``.

    Args:
        stores: the results folder; ``rank``, ``tradeoff`` and ``scaling`` take several, ``tradeoff`` folders of costs
            too.
        kind: a name in ``KINDS``.
        task: which of the folder's tasks, with its settings if there are several: ``gmm``, ``gmm[epochs=3]``. If not
            given, ``rank`` and ``tradeoff`` take all.
        activations: which of those that the folder holds, as ``--acts`` says it: ``"trainable,-pau"``, or a list of
            specs; the kind chooses if not given.
        baseline: the spec that the others are compared with.
        width: ``"column"`` (3.4 inches) or ``"text"`` (7 inches).
        caption: whether the caption stands below the plot.
        names: what activations are called in the plot, by their specs, or as ``--names`` says it.
        options: the kind's own: ``seed`` (boundary, surface, nodes), ``page`` (boundary, shape), ``best`` (curve),
            ``dtype``, ``mode``, ``threads`` (scaling).

    Raises:
        UsageError: for an unknown kind, task, activation, width or option, or if the store lacks what is drawn.

    Example::

        save(draw(Store.open("results/gmm"), "boundary", width="column"), "boundary.pdf")
    """
    plot, drawn_from = prepare(stores, kind, task, activations, baseline, names or {}, options)
    return one_page(plot, drawn_from, Sheet.of(width, caption), options)


def draw_pages(
    stores: Store | Sequence[Store],
    kind: str,
    *,
    task: str | None = None,
    activations: str | Sequence[str] | None = None,
    baseline: str = BASELINE,
    width: str = "text",
    caption: bool = True,
    names: Names | None = None,
    **options: Any,
) -> Iterator[Figure]:
    """Draw all pages of a kind of plot, one after the other; most kinds have one. Arguments and errors as ``draw``."""
    plot, drawn_from = prepare(stores, kind, task, activations, baseline, names or {}, options)
    sheet = Sheet.of(width, caption)
    if plot.pages is None or "page" in options:
        yield one_page(plot, drawn_from, sheet, options)
        return
    for page in range(1, 1 + plot.pages(drawn_from, sheet)):
        yield one_page(plot, drawn_from, sheet, {**options, "page": page})


def one_page(plot: Plot, drawn_from: Any, sheet: Sheet, options: Mapping[str, Any]) -> Figure:
    """Draw in this package's style."""
    with style.context():
        figure = plot.draw(drawn_from, sheet, **options)
        freeze(figure)
    return figure


def prepare(
    stores: Store | Sequence[Store],
    kind: str,
    task: str | None,
    activations: str | Sequence[str] | None,
    baseline: str,
    names: Names,
    options: Mapping[str, Any],
) -> tuple[Plot, Trials | tuple[Trials, ...] | Asked]:
    """Find the plot, and choose what it is drawn from."""
    if kind not in KINDS:
        raise UsageError(f"unknown plot {kind!r}{did_you_mean(kind, KINDS)} (plots: {', '.join(KINDS)})")
    plot = KINDS[kind]
    plot.check(options)
    stores = [stores] if isinstance(stores, Store) else stores
    if plot.of_costs:
        if task is not None:
            raise UsageError(f"plot {kind!r} is of activations alone: it takes no task")
        return plot, Asked(tuple(stores), activations, baseline, names)
    if plot.across:
        own = (of_trials(stores) or stores[:1]) if plot.beside else stores
        each = called(Trials.each(own, task, activations, baseline), names)
        return plot, tuple(replace(one, beside=tuple(s for s in stores if s is not one.store)) for one in each)
    if len(stores) == 1:
        return plot, called([Trials.of(stores[0], task, activations, baseline)], names)[0]
    across = ", ".join(name for name, other in KINDS.items() if other.across or other.of_costs)
    raise UsageError(f"plot {kind!r} takes one results folder, not {len(stores)} (of several: {across})")


def called(each: Sequence[Trials], names: Names) -> list[Trials]:
    """Give all tasks the names; ``UsageError`` if one is of an activation that none of them holds."""
    held = [activation for trials in each for activation in trials.held]
    read = renamed(names, held, " and ".join(trials.label for trials in each))
    return [replace(trials, names=read) for trials in each]


def of_trials(stores: Sequence[Store]) -> list[Store]:
    """List the stores that hold trials."""
    return [store for store in stores if (store.path / "trials").is_dir()]
