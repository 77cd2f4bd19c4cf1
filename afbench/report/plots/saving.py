"""Saving a figure: the same figure gives the same bytes, whenever it is saved."""

from __future__ import annotations

import io
from pathlib import Path

from matplotlib.figure import Figure

from ...errors import UsageError
from ...store import write_whole
from . import style

DPI = 300


def save(figure: Figure, path: str | Path) -> Path:
    """Save a figure as PNG (300 dpi), SVG or PDF, by the path's ending; its caption goes into the metadata.

    Folders on the way are made; the file is written whole or not at all.

    Raises:
        UsageError: if the path has another ending, or cannot be written.
    """
    path = Path(path)
    kind = path.suffix.lower().removeprefix(".")
    words = str(figure.get_label())
    # A None takes out what matplotlib writes by itself: the date, and its own version.
    metadata: dict[str, dict[str, str | None]] = {
        "png": {"Software": None, "Description": words},
        "svg": {"Date": None, "Creator": None, "Description": words},
        "pdf": {"CreationDate": None, "Creator": None, "Producer": None, "Subject": words},
    }
    if kind not in metadata:
        known = ", ".join(f".{ending}" for ending in metadata)
        raise UsageError(f"a plot is saved as {known}, not {path.suffix or 'without an ending'!r} ({path})")
    content = io.BytesIO()
    with style.context():
        figure.savefig(content, format=kind, dpi=DPI, metadata=metadata[kind])
    try:
        write_whole(path, content.getvalue())
    except OSError as error:
        raise UsageError(f"{path} cannot be written ({error.strerror})") from None
    return path
