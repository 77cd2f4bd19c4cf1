"""Mean ranks of activations over tasks, or over the seeds of one task, and which are distinguishable from the best."""

from __future__ import annotations

from collections import Counter
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
"""Largest width of a name in points, on a column and on the width of the text."""

TICKS = 10
"""Most ticks of an axis of ranks, besides rank 1."""
FEW = 10
"""Up to this number of rankings the tests are approximate (Demšar 2006, sec. 3.2.2)."""


@dataclass(frozen=True)
class Ranking:
    """Ranks [blocks, activations], a block being a task or a seed.

    Attributes:
        names: the activations, the best mean rank first.
        ranks: their ranks in each block.
        block: what a block is: ``task``, ``seed``.
        missing: the activations that are not ranked, because a block has no number of them.
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
            block, values = "task", [{name: trials.mean(name) for name in trials.ok} for trials in tasks]
        else:
            block, values = "seed", by_seed(tasks[0])
        known = list(dict.fromkeys(record.trial.activation for trials in tasks for record in trials.records))
        known = [name for name in known if not tasks[0].named or name in tasks[0].named]
        names = sorted(name for name in known if all(name in by_name for by_name in values))
        if len(names) < 2:
            where = "every task" if block == "task" else f"the same seeds of {tasks[0].label}"
            raise UsageError(
                f"plot 'rank' needs at least two activations with a number in {where}; there are {len(names)}"
            )
        higher = [trials.higher_is_better for trials in tasks] * (len(values) // len(tasks))
        ranked = np.array([ranks([by_name[n] for n in names], up) for by_name, up in zip(values, higher, strict=True)])
        order = np.argsort(ranked.mean(axis=0), kind="stable")
        missing = tuple(sorted(set(known) - set(names)))
        return cls(tuple(names[i] for i in order), ranked[:, order], block, missing, nemenyi(ranked))

    @property
    def means(self) -> Array:
        """Mean ranks over blocks."""
        return np.asarray(self.ranks.mean(axis=0))


def by_seed(trials: Trials) -> list[dict[str, float]]:
    """Return the scores of each seed that most activations have; a seed that few have would exclude the others."""
    ok = {name: seeds for name, seeds in trials.ok.items() if not trials.named or name in trials.named}
    counts = Counter(seed for seeds in ok.values() for seed in seeds)
    common = sorted(seed for seed, count in counts.items() if 2 * count > len(ok))
    return [{name: trials.score(name, seed) for name, seeds in ok.items() if seed in seeds} for seed in common]


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
    circles: dict[str, Any] = {"s": 7.0, "linewidths": 0.5, "facecolors": "white", "edgecolors": GREY, "zorder": 2}
    for block_ranks in ranking.ranks:
        panel.scatter(block_ranks, rows, **circles)
    baseline = tasks[0].baseline
    for row, name in enumerate(ranking.names):
        look = BASELINE if name == baseline else LOOKS[0]
        panel.plot(ranking.means[row], row, marker=look.marker, markersize=4.2, color=look.colour, zorder=3)
    if ranking.claim.known:
        draw_difference(panel, best, ranking.claim.difference)
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
    """Choose the ticks of an axis of ranks from 1 to ``count``: 1, and at most ten others at equal distances."""
    step = -(-count // TICKS)
    return sorted({1, *range(step, count + 1, step)})


def draw_difference(panel: Axes, start: float, length: float) -> None:
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
