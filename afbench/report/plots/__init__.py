"""Plots of results folders, drawn only from their records, costs and arrays.

A module of this package that defines ``PLOT`` is a kind of plot, under the module's name.
"""

from __future__ import annotations

from . import start  # isort: skip  # noqa: F401  (before any other import of matplotlib)

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import wraps
from importlib import import_module
from typing import Any, ParamSpec

from matplotlib.figure import Figure

from ...errors import UsageError, did_you_mean
from ...lazy import defining
from ...records.store import Store
from ..selection import renamed
from . import style
from .kind import KINDS, Plot
from .saving import save, save_pages
from .scaling import Asked
from .sheet import Sheet, freeze
from .trials import BASELINE, Names, Trials

__all__ = ["KINDS", "Plot", "draw", "draw_pages", "save", "save_pages"]

KINDS |= {name: import_module(f"{__name__}.{name}").PLOT for name in defining("report.plots", "PLOT")}

P = ParamSpec("P")


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
    """Draw a kind of plot, page by page; most kinds have one. The caption is ``figure.get_label()``.

    ``draw`` takes the same arguments and returns the first page, or the one that ``page`` names.

    Args:
        stores: the results folder; ``rank``, ``tradeoff`` and ``scaling`` take several, ``tradeoff`` also folders of
            costs.
        kind: a name in ``KINDS``.
        task: one of the folder's tasks, with its settings if there are several: ``gmm``, ``gmm[epochs=3]``. If not
            given, ``rank`` and ``tradeoff`` take all.
        activations: those to draw, like ``--acts``: ``"trainable,-pau"``, or a list of specs; the kind chooses if not
            given.
        baseline: the spec that the others are compared with.
        width: ``"column"`` (3.4 inches) or ``"text"`` (7 inches).
        caption: whether the caption stands below the plot.
        names: display names by spec, or a text like ``--names``.
        options: options of the kind: ``seed`` (boundary, surface, nodes), ``page`` (these and shape), ``best`` (curve),
            ``dtype``, ``mode``, ``threads`` (scaling).

    Raises:
        UsageError: for an unknown kind, task, activation, width or option, or if the store lacks the data.

    Example::

        save(draw(Store.open("results/gmm"), "boundary", width="column"), "boundary.pdf")
    """
    if kind not in KINDS:
        raise UsageError(f"unknown plot {kind!r}{did_you_mean(kind, KINDS)} (plots: {', '.join(KINDS)})")
    plot = KINDS[kind]
    plot.check_options(options)
    sheet = Sheet.of(width, caption)
    folders = (stores,) if isinstance(stores, Store) else tuple(stores)
    if plot.of_costs:
        if task is not None:
            raise UsageError(f"plot {kind!r} shows costs of activations alone, so it takes no task")
        figures = plot.draw(Asked(folders, activations, baseline, names or {}), sheet, **options)
    elif plot.across:
        with_trials = tuple(store for store in folders if (store.path / "trials").is_dir()) or folders[:1]
        tasks = Trials.each(with_trials if plot.beside else folders, task, activations, baseline)
        beside = [tuple(store for store in folders if store is not trials.store) for trials in tasks]
        tasks = tuple(replace(trials, beside=others) for trials, others in zip(tasks, beside, strict=True))
        figures = plot.draw(called(tasks, names or {}), sheet, **options)
    elif len(folders) == 1:
        (trials,) = called([Trials.of(folders[0], task, activations, baseline)], names or {})
        figures = plot.draw(trials, sheet, **options)
    else:
        several = ", ".join(name for name, other in KINDS.items() if other.across or other.of_costs)
        raise UsageError(f"plot {kind!r} takes one results folder, not {len(folders)} (of several: {several})")
    while True:
        with style.context():
            figure = next(figures, None)
            if figure is None:
                return
            freeze(figure)
        yield figure


def first(pages: Callable[P, Iterator[Figure]]) -> Callable[P, Figure]:
    """Make a function that returns the first of the pages."""

    @wraps(pages)
    def draw(*given: P.args, **named: P.kwargs) -> Figure:
        return next(pages(*given, **named))

    return draw


draw = first(draw_pages)


def called(tasks: Sequence[Trials], names: Names) -> list[Trials]:
    """Give all tasks the display names; raises ``UsageError`` for an activation that no task has."""
    available = [activation for trials in tasks for activation in trials.available]
    names_by_spec = renamed(names, available, " and ".join(trials.label for trials in tasks))
    return [replace(trials, names=names_by_spec) for trials in tasks]
