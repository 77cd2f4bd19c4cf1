"""What trainable activations cost beside GELU: ``python benchmarks/ratios.py`` prints the table.

All candidates take turns in one process, so that whatever else the machine does meets all of them; a figure is the
median of its rounds over GELU's in the same run, and the best of three runs. Forward is without gradients; forward and
backward is with the parameters' gradients. Ratios to ``torch.nn.GELU()``, in eager mode, through the public layers.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

import afbench
from afbench.kernels import library

SHAPES = {
    "s56": (32, 64, 56, 56),
    "s7": (128, 512, 7, 7),
    "vit": (8, 197, 3072),
    "small": (256, 128),
}


class Bar(NamedTuple):
    """The most that a ratio may be: forward, and forward and backward."""

    forward: float
    both: float


class Candidate(NamedTuple):
    """A layer, and what it must reach on large shapes, may hope for there, and must reach on the small one."""

    spec: str
    must: Bar | None = None
    goal: Bar | None = None
    small: Bar | None = None


RATIONAL = Bar(0.85, 0.95), Bar(0.5, 0.65), Bar(1.2, 1.2)
GATED = Bar(1.0, 1.15), Bar(0.5, 0.75), Bar(1.2, 1.2)

CANDIDATES = [
    Candidate("pau", *RATIONAL),
    Candidate("opau", *RATIONAL),
    Candidate("hp1", *RATIONAL),
    Candidate("acon_c", *GATED),
    Candidate("swish", *GATED),
    Candidate("prelu", *GATED),
    Candidate("prelu[per=channel]", *GATED),
    Candidate("pelu", *GATED),
    Candidate("meta_acon"),
]


def layer(spec: str, shape: tuple[int, ...]) -> nn.Module:
    """Build the layer for a shape whose channels are at dimension 1, or last where it has three."""
    dim = -1 if len(shape) == 3 else 1
    return afbench.create(spec, shape[dim], dim)


def steps(module: nn.Module, x: Tensor, dtype: torch.dtype) -> dict[str, Callable[[], object]]:
    """The two things that are timed."""
    x = x.to(dtype)
    leaf, g = x.clone().requires_grad_(), torch.randn_like(x)

    def forward() -> object:
        with torch.no_grad():
            return module(x)

    def both() -> None:
        leaf.grad = None
        module.zero_grad(set_to_none=True)
        module(leaf).backward(g)

    return {"forward": forward, "both": both}


def measure(modules: dict[str, nn.Module], x: Tensor, rounds: int, dtype: torch.dtype) -> dict[str, dict[str, float]]:
    """Median seconds of each module and mode, all taking turns."""
    work = {name: steps(module, x, dtype) for name, module in modules.items()}
    taken: dict[tuple[str, str], list[float]] = {}
    for _ in range(rounds + 2):  # two rounds to warm up
        for name, modes in work.items():
            for mode, step in modes.items():
                start = time.perf_counter()
                step()
                taken.setdefault((name, mode), []).append(time.perf_counter() - start)
    return {name: {mode: statistics.median(taken[name, mode][2:]) for mode in ("forward", "both")} for name in modules}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", nargs="*", help="specs instead of all")
    parser.add_argument("--shapes", nargs="*", choices=SHAPES, default=list(SHAPES))
    parser.add_argument("--threads", nargs="*", type=int, default=[1, 2])
    parser.add_argument("--runs", type=int, default=3, help="of which the best counts")
    parser.add_argument("--rounds", type=int, default=20, help="a run's; small shapes take 25 times as many")
    parser.add_argument("--dtype", choices=["float32", "bfloat16"], default="float32")
    args = parser.parse_args()
    candidates = [c for c in CANDIDATES if not args.only or c.spec in args.only]
    candidates += [Candidate(spec) for spec in args.only or () if spec not in {c.spec for c in CANDIDATES}]
    dtype = getattr(torch, args.dtype)
    print(f"{library.path()}, torch {torch.__version__}, {args.dtype}; ratios to GELU, forward / forward and backward")
    print("| layer | shape | threads | forward | forward and backward | must | goal | |")
    print("| :-- | :-- | --: | --: | --: | --: | --: | :-- |")
    for shape_name in args.shapes:
        shape = SHAPES[shape_name]
        x = torch.randn(shape, generator=torch.Generator().manual_seed(0))
        for threads in args.threads:
            torch.set_num_threads(threads)
            torch.manual_seed(0)
            modules = {c.spec: layer(c.spec, shape) for c in candidates}
            runs = []
            for _ in range(args.runs):
                rounds = args.rounds * (25 if shape_name == "small" else 1)
                times = measure({"gelu": nn.GELU(), **modules}, x, rounds, dtype)
                runs.append({n: {m: t[m] / times["gelu"][m] for m in t} for n, t in times.items()})
            for c in candidates:
                best = Bar(*(min(run[c.spec][mode] for run in runs) for mode in ("forward", "both")))
                must, goal = (c.small, None) if shape_name == "small" else (c.must, c.goal)
                print(f"| `{c.spec}` | {shape_name} | {threads} | {row(best, must, goal)} |", flush=True)


def row(best: Bar, must: Bar | None, goal: Bar | None) -> str:
    """The cells of one measurement."""

    def holds(bar: Bar | None) -> bool:
        return bar is not None and best.forward <= bar.forward and best.both <= bar.both

    verdict = "" if must is None else "goal" if holds(goal) else "holds" if holds(must) else "**misses**"
    bars = (f"{bar.forward:g} / {bar.both:g}" if bar else "" for bar in (must, goal))
    return f"{best.forward:.2f} | {best.both:.2f} | {' | '.join(bars)} | {verdict}"


if __name__ == "__main__":
    main()
