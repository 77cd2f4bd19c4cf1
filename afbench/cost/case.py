"""Cases: the shape, dtype, mode, device and threads that activations are measured alone under, read from text."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import UsageError, did_you_mean

DTYPES = ("float32", "bfloat16", "float16", "float64")
ROUNDS = 15
MODES = ("eager", "compile", "graph")
SHAPES = "32x64x56x56,8x197x3072"
"""The default: an early layer of a ResNet, and the hidden layer of a ViT-B block."""
SCALING = "scaling"
WIDTH = 64
"""Channels of a scaling series: per-channel activations keep as many parameters from end to end."""
DECADES = (3.0, 8.0)
LONGEST = 100
"""Characters of a shape."""
MOST = 2**34
"""Elements of a shape at most; a larger number is a typing mistake."""


@dataclass(frozen=True, order=True)
class Case:
    """What all activations of a comparison share.

    4-D shapes are NCHW: channels are dimension 1. In all others they are the last one.
    """

    shape: tuple[int, ...]
    dtype: str = "float32"
    mode: str = "eager"
    device: str = "cpu"
    threads: int = 1

    @property
    def channel_dim(self) -> int:
        """The dimension of the channels."""
        return 1 if len(self.shape) == 4 else len(self.shape) - 1

    @property
    def channels(self) -> int:
        """How many channels the shape has."""
        return self.shape[self.channel_dim]

    @property
    def elements(self) -> int:
        """How many numbers the shape has."""
        return math.prod(self.shape)

    def __str__(self) -> str:
        """Describe the case in a line."""
        threads = f", {self.threads} thread{'s' if self.threads > 1 else ''}" if self.device == "cpu" else ""
        return f"{'x'.join(map(str, self.shape))} {self.dtype}, {self.mode}, {self.device}{threads}"


def cases(shapes: str, dtypes: str, modes: str, device: str, threads: str) -> list[Case]:
    """Read comma-separated lists into all their combinations.

    Raises:
        UsageError: for a wrong shape, dtype, mode or number of threads, or a mode that the device lacks.

    >>> [str(case) for case in cases("4x8", "float32", "eager", "cpu", "1,2")]
    ['4x8 float32, eager, cpu, 1 thread', '4x8 float32, eager, cpu, 2 threads']
    """
    named = among("--mode", modes, MODES)
    cuda = device.startswith("cuda")
    if "graph" in named and not cuda:
        raise UsageError("--mode graph needs CUDA; a CPU has eager and compile")
    counts = [1] if cuda else thread_counts(threads)
    combined = itertools.product(parse_shapes(shapes), among("--dtype", dtypes, DTYPES), named, counts)
    return [Case(shape, dtype, mode, device, count) for shape, dtype, mode, count in combined]


def parse_shapes(text: str) -> list[tuple[int, ...]]:
    """Read shapes: ``32x64x56x56,8x197x3072``, or ``scaling`` for 1e3 to 1e8 elements in rows of 64.

    Raises:
        UsageError: for a wrong shape.

    >>> parse_shapes("2x3,5")
    [(2, 3), (5,)]
    """
    shapes: list[tuple[int, ...]] = []
    for piece in pieces("--shapes", text):
        if piece == SCALING:
            shapes += scaling()
            continue
        if not re.fullmatch(r"[1-9][0-9]*(x[1-9][0-9]*)*", piece):
            near = did_you_mean(piece, [SCALING])
            raise UsageError(f"--shapes takes sizes such as 32x64x56x56, or scaling, not {piece!r}{near}")
        sizes = piece.split("x")
        if len(piece) > LONGEST:
            raise UsageError(f"--shapes {piece[:LONGEST]}... is too long; at most {MOST:.0e} elements are measured")
        shape = tuple(map(int, sizes))
        if math.prod(shape) > MOST:
            raise UsageError(f"--shapes {piece} has {math.prod(shape):.0e} elements; at most {MOST:.0e} are measured")
        shapes.append(shape)
    return list(dict.fromkeys(shapes))


def scaling() -> list[tuple[int, ...]]:
    """List the shapes of a scaling series: two a decade, from 1e3 to 1e8 elements."""
    first, last = DECADES
    steps = round(2 * (last - first))
    return [(round(10 ** (first + step / 2) / WIDTH), WIDTH) for step in range(steps + 1)]


def among(option: str, text: str, known: Sequence[str]) -> list[str]:
    """Read a list of known words."""
    words = pieces(option, text)
    for word in words:
        if word not in known:
            raise UsageError(f"{option} takes {', '.join(known)}, not {word!r}{did_you_mean(word, known)}")
    return words


def thread_counts(text: str) -> list[int]:
    """Read numbers of threads."""
    words = pieces("--threads", text)
    if not all(re.fullmatch("[1-9][0-9]{0,3}", word) for word in words):
        raise UsageError(f"--threads takes positive integers separated by commas, not {text!r}")
    return [int(word) for word in words]


def pieces(option: str, text: str) -> list[str]:
    """Split at commas, each piece once."""
    words = list(dict.fromkeys(piece.strip() for piece in text.split(",") if piece.strip()))
    if not words:
        raise UsageError(f"{option} is empty")
    return words
