"""Labels at the ends of lines instead of a legend: they move apart where lines end close to each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Annotation

from .lettering import LEADING, POINTS, shorten, spread
from .sheet import freeze
from .style import SMALL, Look

WIDEST = 82.0
"""Points that a name takes at most: a third of a column."""
LEADER, SPACE = 8.0, 4.0
"""Points from a panel's right edge to the marker before a name, and on to the name."""


def label_ends(
    figure: Figure, ends: Mapping[Axes, Mapping[str, float]], looks: Mapping[str, Look], names: Mapping[str, str]
) -> None:
    """Write each line's name at its end, after a leader with its colour, dashes and marker; lays the figure out.

    Args:
        figure: what to label.
        ends: by panel and name, the last value of a line.
        looks: the lines' looks, by name.
        names: what is written for a name, if not itself.
    """
    written = {name: names.get(name, name) for name in looks}
    texts = {
        (panel, name): write(panel, written[name], written.values()) for panel, lines in ends.items() for name in lines
    }
    freeze(figure)  # it leaves room for the names; how far apart they must be is known only after it
    for panel, lines in ends.items():
        box, (across, up) = panel.get_position(), figure.get_size_inches() * POINTS
        to_share = panel.transData + panel.transAxes.inverted()
        shares = [min(max(float(to_share.transform((1.0, y))[1]), 0.0), 1.0) for y in lines.values()]
        gap = SMALL * LEADING / (box.height * up)
        for name, share, place in zip(lines, shares, spread(shares, gap, gap / 2, 1.0 - gap / 2), strict=True):
            texts[panel, name].xy = (1.0, place)
            leader = ([1.0, 1.0 + LEADER / (box.width * across)], [share, place])
            style = {"linewidth": 0.8, "marker": looks[name].marker, "markevery": [1], **looks[name].line}
            panel.add_artist(Line2D(*leader, transform=panel.transAxes, clip_on=False, **style))


def write(panel: Axes, name: str, among: Iterable[str]) -> Annotation:
    """Write a name beside a panel's right edge, at its middle for now."""
    return panel.annotate(
        shorten(name, WIDEST, SMALL, among),
        (1.0, 0.5),
        (LEADER + SPACE, 0.0),
        xycoords="axes fraction",
        textcoords="offset points",
        size=SMALL,
        va="center",
        annotation_clip=False,
        gid="end label",
    )
