"""``afbench data``: lists the data sets on this machine, and downloads one."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from ..data import roots
from ..errors import Unavailable, UsageError
from . import options

HELP = "list the data sets on this machine, or download one"
EXAMPLES = (
    "afbench data list",
    "afbench data fetch fashion_mnist",
    "afbench data fetch cifar10 --from torchvision --data-root data",
    "afbench data list --data-root ~/torchvision --json",
)


def add(verb: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    verb.add_argument("action", choices=["list", "fetch"], help="list the sets, or download one")
    verb.add_argument("name", nargs="?", help="the set to download")
    verb.add_argument(
        "--from",
        dest="way",
        metavar="WAY",
        help="debian, pooch or torchvision (default: all, in this order)",
    )
    verb.add_argument("--json", action="store_true", help="print JSON")
    options.add_data_root(verb)


def call(arguments: argparse.Namespace) -> int:
    """List the sets, or download one and print its folder."""
    from ..data.fetch import check, fetch
    from ..data.layouts import SETS

    listing = arguments.action == "list"
    if listing == bool(arguments.name):
        raise UsageError("data list takes no name" if listing else f"data fetch takes a name: {', '.join(SETS)}")
    if listing and arguments.way is not None:
        raise UsageError("data list takes no --from")
    if arguments.data_root is not None:
        if not listing:
            check(arguments.name, arguments.way)
            make(roots.folder(arguments.data_root))
        roots.use(arguments.data_root)
    if listing:
        show(arguments.json)
        return 0
    folder = fetch(arguments.name, arguments.way)
    result = {"set": arguments.name, "folder": str(folder), "checked": "content"}
    print(json.dumps(result, indent=1) if arguments.json else f"{arguments.name} is in {folder}, its content checked")
    return 0


def make(folder: Path) -> None:
    """Create the folder to download into.

    Raises:
        UsageError: if the folder cannot be created.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot create the folder {folder} ({error.strerror}); give another --data-root") from error


def show(as_json: bool) -> None:
    """Print one line a set: its description, and its folder or the command that downloads it. No file is read."""
    from ..data.layouts import SETS

    rows = [about(name) for name in SETS]
    if as_json:
        print(json.dumps(rows, indent=1))
        return
    width = max(len(row["set"]) for row in rows)
    for row in rows:
        place = f"in {row['folder']}" if row["folder"] else f"missing; download it with: {row['remedy']}"
        print(f"{row['set']:{width}}  {row['title']}, {row['classes']} classes, {row['shape']}: {place}")


def about(name: str) -> dict[str, Any]:
    """Describe a set: what it is, and where."""
    from ..data import images
    from ..data.layouts import SETS

    try:
        folder = str(images.find(name).folder)
    except Unavailable:
        folder = ""
    image_set = SETS[name]
    return {
        "set": name,
        "title": image_set.title,
        "classes": image_set.classes,
        "shape": "x".join(map(str, image_set.shape)),
        "images": dict(zip(("training", "test"), image_set.counts, strict=True)),
        "folder": folder,
        "remedy": "" if folder else images.remedy(name),
    }
