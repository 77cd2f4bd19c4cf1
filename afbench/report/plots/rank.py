"""Mean ranks of activations over tasks, or over the seeds of one, and which are significantly worse than the best."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ...errors import UsageError
from ...files.arrays import Array
from ...records.wording import plural
from ...statistics.ranks import Nemenyi, nemenyi, ranks
from ...statistics.significance import ALPHA
from .kind import Plot
from .lettering import LEADING, POINTS, shorten
from .sheet import Sheet
from .style import BASELINE, GREY, INK, LOOKS, PALE, SMALL
from .trials import Trials, left_out_of_each

ROW = LEADING * 1.12 * SMALL / POINTS
"""Inches from one activation to the next."""
AROUND = 0.55
"""Inches above and below them, for the critical difference and the axis."""
NAMES = {False: 82.0, True: 150.0}
"""Points that a name takes at most, on a column and on the whole text's width."""

TICKS = 10
"""Of an axis of ranks at most, beside rank 1."""
FEW = 10
"""Up to so many rankings the tests are approximate (Demšar 2006, sec. 3.2.2)."""


@dataclass(frozen=True)
class Ranking:
    """Ranks [blocks, activations], a block being a task or a seed.

    Attributes:
        names: the activations, the best mean rank first.
        ranks: their ranks in each block.
        block: what a block is: ``task``, ``seed``.
        missing: those that are not ranked, since a block has no number of theirs.
        claim: what can be said of the differences.
    """

    names: tuple[str, ...]
    ranks: Array
    block: str
    missing: tuple[str, ...]
    claim: Nemenyi

    @classmethod
    def of(cls, tasks: Sequence[Trials]) -> Ranking:
        """Rank by the means over seeds of each task; of one task alone, by its seeds.

        Raises:
            UsageError: if fewer than two activations have a number in all blocks.
        """
        if len(tasks) > 1:
            block, values = "task", [{name: one.mean(name) for name in one.ok} for one in tasks]
        else:
            block, values = "seed", by_seed(tasks[0])
        known = list(dict.fromkeys(record.trial.activation for one in tasks for record in one.records))
        known = [name for name in known if not tasks[0].named or name in tasks[0].named]
        names = sorted(name for name in known if all(name in held for held in values))
        if len(names) < 2:
            where = "every task" if block == "task" else f"the same seeds of {tasks[0].label}"
            raise UsageError(f"plot 'rank' takes two activations with a number in {where}, here are {len(names)}")
        higher = (
            [one.higher_is_better for one in tasks] if block == "task" else [tasks[0].higher_is_better] * len(values)
        )
        ranked = np.array([ranks([held[n] for n in names], up) for held, up in zip(values, higher, strict=True)])
        order = np.argsort(ranked.mean(axis=0), kind="stable")
        missing = tuple(sorted(set(known) - set(names)))
        return cls(tuple(names[i] for i in order), ranked[:, order], block, missing, nemenyi(ranked))

    @property
    def means(self) -> Array:
        """Mean ranks over blocks."""
        return np.asarray(self.ranks.mean(axis=0))


def by_seed(trials: Trials) -> list[dict[str, float]]:
    """Return the scores of each seed that most activations have: one that few have would leave the others out."""
    counts: dict[int, int] = {}
    ok = {name: held for name, held in trials.ok.items() if not trials.named or name in trials.named}
    for held in ok.values():
        for seed in held:
            counts[seed] = counts.get(seed, 0) + 1
    seeds = sorted(seed for seed, count in counts.items() if 2 * count > len(ok))
    return [{name: trials.score(name, seed) for name, held in ok.items() if seed in held} for seed in seeds]


def draw(tasks: Sequence[Trials], sheet: Sheet) -> Iterator[Figure]:
    """Draw a row an activation, the best first: its rank in each task (of one task: for each seed) and their mean.

    Raises:
        UsageError: if fewer than two activations can be ranked.
    """
    ranking = Ranking.of(tasks)
    count = len(ranking.names)
    figure = sheet.figure(count * ROW + AROUND, caption(tasks, ranking))
    panel = figure.subplots()
    rows = np.arange(count)
    best = ranking.means[0]
    reach = best + ranking.claim.difference if ranking.claim.known else np.inf
    panel.set(xlim=(0.5, count + 0.5), ylim=(count - 0.4, -1.6 if ranking.claim.known else -0.6))
    panel.hlines(rows, 0.5, count + 0.5, color=PALE, linewidth=0.3, zorder=0)
    each: dict[str, Any] = {"s": 7.0, "linewidths": 0.5, "facecolors": "white", "edgecolors": GREY, "zorder": 2}
    for its in ranking.ranks:
        panel.scatter(its, rows, **each)
    baseline = tasks[0].baseline
    for row, name in enumerate(ranking.names):
        look = BASELINE if name == baseline else LOOKS[0]
        panel.plot(ranking.means[row], row, marker=look.marker, markersize=4.2, color=look.colour, zorder=3)
    if ranking.claim.known:
        bar(panel, best, ranking.claim.difference)
    width, written = NAMES[sheet.wide], tasks[0].all_called(ranking.names)
    panel.set_yticks(rows, [shorten(name, width, SMALL, written) for name in written])
    for tick, name, mean in zip(panel.get_yticklabels(), ranking.names, ranking.means, strict=True):
        tick.set_color(INK if mean < reach else GREY)
        tick.set_fontstyle("italic" if name == baseline else "normal")
    panel.tick_params(axis="y", length=0)
    panel.spines["left"].set_visible(False)
    panel.set_xticks(ticks(count))
    panel.set_xlabel(f"rank over {ranking.block}s (1 is best)")
    yield figure


def ticks(count: int) -> list[int]:
    """Choose the ticks of an axis of ranks among so many: 1, and at most ten others at equal distances."""
    step = -(-count // TICKS)
    return sorted({1, *range(step, count + 1, step)})


def bar(panel: Axes, start: float, length: float) -> None:
    """Draw the critical difference above the rows, from the best mean rank on, and where it ends through them."""
    panel.plot([start, start + length], [-1.0, -1.0], color=INK, linewidth=1.1, marker="|", markersize=4)
    panel.axvline(start + length, color=INK, linewidth=0.5, linestyle=(0, (2, 2)), zorder=1)
    style: dict[str, Any] = {"textcoords": "offset points", "va": "center", "size": SMALL, "annotation_clip": False}
    right = start + length < sum(panel.get_xlim()) / 2
    place, shift, side = (start + length, 4, "left") if right else ((2 * start + length) / 2, 0, "center")
    panel.annotate(f"critical difference {length:.3g}", (place, -1.0), (shift, 0 if right else 5), ha=side, **style)


def caption(tasks: Sequence[Trials], ranking: Ranking) -> Iterator[str]:
    """Say what is shown."""
    first, count, blocks = tasks[0], len(ranking.names), len(ranking.ranks)
    known, alone = (*ranking.names, *ranking.missing), len(tasks) == 1
    yield first.title if alone else f"{', '.join(trials.label for trials in tasks)}."
    what = f"by test {first.metric} for each of" if alone else "by the mean over seeds in each of"
    baseline = f"; italics: the baseline {first.called(str(first.baseline))}" if first.baseline in ranking.names else ""
    counted = f"{blocks} {plural(ranking.block, blocks)}"
    yield f"Ranks of {count} activations {what} {counted} (circles), and their means (filled){baseline}."
    if ranking.claim.known:
        approximate = f", approximate, as there are only {blocks} rankings" if blocks <= FEW else ""
        yield (
            f"Critical difference: Nemenyi's at {ALPHA:g}, after Friedman's test (p = {ranking.claim.p:.2g})"
            f"{approximate}; grey names: significantly worse than the best by this test."
        )
    else:
        yield f"No critical difference is drawn: {ranking.claim.refused}."
    missing = ", ".join(first.all_called(ranking.missing))
    yield f"Not ranked, without a number in every {ranking.block}: {missing}." if missing else ""
    yield from [first.left_out(known)] if alone else left_out_of_each(tasks, known)


PLOT = Plot(
    "mean rank of each activation over tasks (over the seeds of one), with Nemenyi's critical difference where "
    "Friedman's test allows one",
    draw,
    across=True,
)
