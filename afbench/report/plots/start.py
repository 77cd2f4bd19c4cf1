"""Importing matplotlib, whatever surrounds it: this module is imported before all others of this package.

matplotlib refuses to be imported under a backend that it does not know, a matplotlibrc that it cannot read, or a locale
that is not installed. A figure of ours depends on none of these, so then it is imported without them.
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
    """Import matplotlib and its fonts; what it says of its folders and fonts is nothing that a user can act on."""
    logger = logging.getLogger("matplotlib")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        import matplotlib.font_manager
    except Exception:  # of whatever kind a backend, an rc file or a locale that is not there raises
        for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
            del sys.modules[name]
        with alone():
            import matplotlib.font_manager  # noqa: F401
    finally:
        logger.setLevel(level)


@contextmanager
def alone() -> Iterator[None]:
    """Hide the user's backend and matplotlibrc within the block; the one in the current folder would come first."""
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
