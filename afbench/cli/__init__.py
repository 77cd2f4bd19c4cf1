"""The command line: one small module per command; each calls the library and prints.

Exit codes: 0 no error, 1 some trials failed, 2 the call was wrong, 130 interrupted.
"""

from __future__ import annotations

import argparse
import builtins
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from ..errors import AfbenchError, did_you_mean
from ..version import __version__
from . import compare, cost, data, doctor, list, output, plot, run, show, table

VERBS = {
    "run": run,
    "list": list,
    "show": show,
    "table": table,
    "plot": plot,
    "cost": cost,
    "compare": compare,
    "doctor": doctor,
    "data": data,
}


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """Print one line with the error and the way to the help, and exit with 2."""
        self.exit(2, f"{self.prog}: {' '.join(message.splitlines())} (see {self.prog} --help)\n")


def parser() -> Parser:
    """Build the parser of all commands."""
    top = Parser(
        prog="afbench",
        description="Benchmark trainable activation functions: same networks, same tasks, honest tables and plots.",
        epilog="example: python -m afbench run --task gmm --acts all",
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"afbench {__version__}")
    verbs = top.add_subparsers(dest="verb", metavar="COMMAND", title="commands", parser_class=Parser)
    for name, module in VERBS.items():
        verb = verbs.add_parser(
            name,
            help=module.HELP,
            description=module.HELP,
            epilog="examples:\n" + "\n".join(f"  {line}" for line in module.EXAMPLES),
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        module.add(verb)
        verb.set_defaults(call=module.call)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code. Failed printing stops no command; the exit code is then 1."""
    streams = output.steady()
    words = sys.argv[1:] if argv is None else [*argv]
    code = answer(words)
    lost = output.flushed(streams, whole=words[:1] == ["run"])
    if lost is not None and code == 0:
        complain(f"standard output: {lost.strerror}")
        return 1
    return code


def answer(argv: Sequence[str]) -> int:
    """Run a command; if an error stops it, print one line."""
    if argv and not argv[0].startswith("-") and argv[0] not in VERBS:
        near = did_you_mean(argv[0], VERBS) or f" (commands: {', '.join(VERBS)})"
        return complain(f"unknown command {argv[0]!r}{near}")
    top = parser()
    arguments = top.parse_args(joined(argv))
    if arguments.verb is None:
        top.print_help()
        return 0
    try:
        return int(arguments.call(arguments))
    except AfbenchError as error:
        return complain(str(error))
    except KeyboardInterrupt:
        return 130
    except OSError as error:  # a full disk, a removed folder: the files in the store are whole
        path = error.filename if isinstance(error.filename, (str, bytes, os.PathLike)) else "the system refused a file"
        complain(f"{os.fsdecode(path)}: {error.strerror or error}")
        return 1


def joined(argv: Sequence[str]) -> Sequence[str]:
    """Write ``--acts -pau`` as ``--acts=-pau``: argparse would take ``-pau`` for an option.

    >>> joined(["run", "--acts", "-pau"])
    ['run', '--acts=-pau']
    """
    words: builtins.list[str] = []
    for word in argv:
        if words and words[-1] == "--acts" and word.startswith("-") and not word.startswith("--") and word != "-h":
            words[-1] = f"--acts={word}"
        else:
            words.append(word)
    return words


def complain(message: str) -> int:
    """Print one line on standard error; returns 2."""
    print(f"afbench: {' '.join(message.splitlines())}", file=sys.stderr)
    return 2
