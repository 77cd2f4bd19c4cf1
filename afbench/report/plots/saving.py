"""Saving a figure: the same figure gives the same bytes, whenever it is saved."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path

from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure

from ...errors import UsageError
from ...files.write import write_whole
from . import style

DPI = 300


def save(figure: Figure, path: str | Path) -> Path:
    """Save a figure as PNG (300 dpi), SVG or PDF, by the path's ending; its caption goes into the metadata.

    Folders on the way are made; the file is written whole or not at all.

    Raises:
        UsageError: if the path has another ending, or cannot be written.
    """
    return save_pages([figure], path)[0]


def save_pages(figures: Iterable[Figure], path: str | Path) -> list[Path]:
    """Save the pages of a plot: a PDF holds all of them, of PNG or SVG each is a file, ``shape-1.png``, ``-2``.

    Figures are taken one by one, so that many pages need no more memory than one. Returns the files written.

    Raises:
        UsageError: as ``save`` does.
    """
    path = Path(path)
    kind = path.suffix.lower().removeprefix(".")
    if kind not in ("png", "svg", "pdf"):
        raise UsageError(f"a plot is saved as .png, .svg, .pdf, not {path.suffix or 'without an ending'!r} ({path})")
    with style.context():
        contents = [all_pages(figures)] if kind == "pdf" else [one_page(figure, kind) for figure in figures]
    several = len(contents) > 1
    files = [path.with_stem(f"{path.stem}-{page}") if several else path for page in range(1, 1 + len(contents))]
    for file, content in zip(files, contents, strict=True):
        try:
            write_whole(file, content)
        except OSError as error:
            raise UsageError(f"{file} cannot be written ({error.strerror})") from None
    return files


def one_page(figure: Figure, kind: str) -> bytes:
    """Print a figure."""
    words = str(figure.get_label())
    # A None takes out what matplotlib writes by itself: the date, and its own version.
    metadata: dict[str, dict[str, str | None]] = {
        "png": {"Software": None, "Description": words},
        "svg": {"Date": None, "Creator": None, "Description": words},
    }
    content = io.BytesIO()
    figure.savefig(content, format=kind, dpi=DPI, metadata=metadata[kind])
    return content.getvalue()


def all_pages(figures: Iterable[Figure]) -> bytes:
    """Print figures into one PDF; its subject is the first one's caption."""
    content = io.BytesIO()
    pages: PdfPages | None = None
    for figure in figures:
        if pages is None:
            metadata = {"CreationDate": None, "Creator": None, "Producer": None, "Subject": str(figure.get_label())}
            pages = PdfPages(content, metadata=metadata)
        pages.savefig(figure, dpi=DPI)  # type: ignore[no-untyped-call]
    if pages is not None:
        pages.close()  # type: ignore[no-untyped-call]
    return content.getvalue()
