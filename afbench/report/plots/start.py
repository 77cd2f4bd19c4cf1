"""Imports matplotlib in any environment: this module is imported before all others of this package.

matplotlib refuses to be imported under a backend that it does not know, a matplotlibrc that it cannot read, or a locale
that is not installed. Figures do not depend on these, so matplotlib is then imported without them.
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

OURS = ("MPLBACKEND", "MATPLOTLIBRC")


def import_matplotlib() -> None:
    """Import matplotlib and its fonts, without its messages about folders and fonts, which no user can act on."""
    logger = logging.getLogger("matplotlib")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        import matplotlib.font_manager
    except Exception:  # a backend, an rc file or a missing locale may raise anything
        for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
            del sys.modules[name]
        with alone():
            import matplotlib.font_manager  # noqa: F401
    finally:
        logger.setLevel(level)


@contextmanager
def alone() -> Iterator[None]:
    """Hide the user's backend and matplotlibrc within the block, also a matplotlibrc of the current folder."""
    before, here = {name: os.environ.pop(name, None) for name in OURS}, Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "matplotlibrc").touch()
        try:
            os.chdir(folder)
            yield
        finally:
            os.chdir(here)
            os.environ.update({name: value for name, value in before.items() if value is not None})


import_matplotlib()
