"""What trainable activations cost beside GELU: ``python -m benchmarks.ratios`` prints the table.

All candidates take turns in one process, so that whatever else the machine does meets all of them; a figure is the
median of its rounds over GELU's in the same run, and the best of three runs. Forward is without gradients; forward and
backward is with the parameters' gradients. Ratios to ``torch.nn.GELU()``, in eager mode, through the public layers. A
run in which the middle half of GELU's own times is wider than 1.5 times does not count if another does. The process
keeps the memory that tensors give back (afbench/cost/heap.py).
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import time
from collections.abc import Callable
from itertools import product
from typing import NamedTuple

import torch
from torch import Tensor, nn

import afbench
from afbench.cost.rounds import keep_freed_memory
from afbench.kernels import library
from benchmarks.published import PublishedDitac, StackedPau, importable

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
TABLE = Bar(1.3, 1.75), Bar(0.8, 1.2), Bar(2.4, 2.5)
FAST = Bar(1.0, 1.4), Bar(0.6, 1.0), Bar(1.9, 2.0)

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
    Candidate("ditac[a=-3,b=3]", *TABLE),
    Candidate("ditac[a=-3,b=3,cells=20]"),
    Candidate("ditac[a=-3,b=3,method=fast]", *FAST),
    Candidate("ge_ditac[b=3]", *TABLE),
    Candidate("leaky_ditac[a=-3,b=3]", *TABLE),
    Candidate("inf_ditac[a=-3,b=3]", *TABLE),
]
"""DiTAC's theta is drawn from the published prior."""


class Factor(NamedTuple):
    """The time of one case over another's: at most, or at least, so much, forward / forward and backward."""

    case: str
    over: str
    bar: Bar | None
    least: bool = False


PUBLISHED = {"published DiTAC": PublishedDitac, "PAU from stacked powers": StackedPau, **importable()}
FACTORS = [
    Factor("ditac[a=-3,b=3,cells=20]", "ditac[a=-3,b=3]", Bar(1.3, 1.3)),
    Factor("published DiTAC", "ditac[a=-3,b=3]", Bar(10, 9), least=True),
    Factor("PAU from stacked powers", "pau", Bar(40, 30), least=True),
    *(Factor(name, "pau" if "PAU" in name else "acon_c", None, least=True) for name in importable()),
]
SIXTEEN = Bar(1.1, 1.1)
"""How much longer than in float32 any may take in bfloat16."""


def layer(spec: str, shape: tuple[int, ...]) -> nn.Module:
    """Build the layer for a shape whose channels are at dimension 1, or last where it has three."""
    if spec in PUBLISHED:
        return PUBLISHED[spec]()
    dim = -1 if len(shape) == 3 else 1
    return afbench.create(spec, shape[dim], dim)


def steps(module: nn.Module, x: Tensor, dtype: torch.dtype = torch.float32) -> dict[str, Callable[[], object]]:
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


Times = dict[str, dict[str, list[float]]]


def measure(work: dict[str, dict[str, Callable[[], object]]], rounds: int) -> Times:
    """Seconds of each case and mode, all taking turns; the slow published ones in every fifth round alone."""
    taken: Times = {name: {mode: [] for mode in modes} for name, modes in work.items()}
    for number in range(-2, rounds):  # two rounds to warm up
        for name, modes in work.items():
            if name in PUBLISHED and number % 5:
                continue
            for mode, step in modes.items():
                start = time.perf_counter()
                step()
                if number >= 0:
                    taken[name][mode].append(time.perf_counter() - start)
    return taken


def unsteady(times: list[float]) -> bool:
    """Whether the middle half is too wide for a median to mean much."""
    low, _, high = statistics.quantiles(times, n=4)
    return high > 1.5 * low


class Runs:
    """What the runs on one shape with so many threads gave."""

    def __init__(self, runs: list[Times]) -> None:
        steady = [run for run in runs if not any(unsteady(times) for times in run["gelu"].values())]
        self.void = not steady
        self.medians = [
            {name: {mode: statistics.median(times) for mode, times in modes.items()} for name, modes in run.items()}
            for run in steady or runs
        ]

    def ratio(self, case: str, over: str = "gelu", best: Callable[..., float] = min) -> Bar:
        """The time of a case over another's, the best of all runs that count."""
        return Bar(*(best(run[case][mode] / run[over][mode] for run in self.medians) for mode in ("forward", "both")))


def run(shape_name: str, threads: int, specs: list[str], count: int, rounds: int, extras: bool) -> Runs:
    """Measure all cases: each spec in float32, and with extras in bfloat16 and the published schemes."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    x = torch.randn(SHAPES[shape_name])
    modules = {spec: layer(spec, SHAPES[shape_name]) for spec in specs}
    work = {"gelu": steps(nn.GELU(), x)} | {spec: steps(module, x) for spec, module in modules.items()}
    if extras:
        work |= {f"{spec} in bfloat16": steps(module, x, torch.bfloat16) for spec, module in modules.items()}
        if shape_name != "small":
            work |= {name: steps(layer(name, x.shape), x) for name in PUBLISHED}
    return Runs([measure(work, rounds * (25 if shape_name == "small" else 1)) for _ in range(count)])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", nargs="*", help="specs instead of all")
    parser.add_argument("--shapes", nargs="*", choices=SHAPES, default=list(SHAPES))
    parser.add_argument("--threads", nargs="*", type=int, default=[1, 2])
    parser.add_argument("--runs", type=int, default=3, help="of which the best counts")
    parser.add_argument("--rounds", type=int, default=10, help="a run's; small shapes take 25 times as many")
    parser.add_argument("--quick", action="store_true", help="s7 and small, one run of 5 rounds")
    args = parser.parse_args()
    keep_freed_memory()
    if args.quick:
        args.shapes, args.runs, args.rounds = ["s7", "small"], 1, 5
    candidates = [c for c in CANDIDATES if not args.only or c.spec in args.only]
    candidates += [Candidate(spec) for spec in args.only or () if spec not in {c.spec for c in CANDIDATES}]
    specs = [c.spec for c in candidates]
    print(f"{library.path()}, torch {torch.__version__}, {platform.processor() or platform.machine()}, "
          f"{os.cpu_count()} processors; load {os.getloadavg()[0]:.1f} at the start")  # fmt: skip
    print(f"Best of {args.runs} runs of {args.rounds} rounds. Ratios to GELU, forward / forward and backward.\n")
    print("| layer | shape | threads | forward | forward and backward | must | goal | |")
    print("| :-- | :-- | --: | --: | --: | --: | --: | :-- |")
    factors = []
    for shape_name, threads in product(args.shapes, args.threads):
        found = run(shape_name, threads, specs, args.runs, args.rounds, not args.only)
        where = f"{shape_name} | {threads}"
        for c in candidates:
            must, goal = (c.small, None) if shape_name == "small" else (c.must, c.goal)
            print(f"| `{c.spec}` | {where} | {row(found.ratio(c.spec), must, goal, found.void)} |", flush=True)
        gelu = " / ".join(
            f"{1e6 * min(run['gelu'][mode] for run in found.medians):.0f}" for mode in ("forward", "both")
        )
        void = ", unsteady: void" if found.void else ""
        print(f"| GELU itself: {gelu} us{void}; load {os.getloadavg()[0]:.1f} | {where} | | | | | |", flush=True)
        if args.only or shape_name == "small":
            continue
        for f in [*(Factor(f"{spec} in bfloat16", spec, SIXTEEN) for spec in specs), *FACTORS]:
            got = found.ratio(f.case, f.over, max if f.least else min)
            factors.append(f"| {f.case} over {f.over} | {where} | {judged(f, got, found.void)} |")
    if factors:
        print("\nOne over another:\n")
        print("| | shape | threads | forward | forward and backward | must | |")
        print("| :-- | :-- | --: | --: | --: | --: | :-- |")
        print("\n".join(factors))


def judged(f: Factor, got: Bar, void: bool) -> str:
    """The cells of one factor."""
    if f.bar is None:
        return f"{got.forward:.2f} | {got.both:.2f} | | "
    holds = all(g >= b if f.least else g <= b for g, b in zip(got, f.bar, strict=True))
    verdict = "void" if void else "holds" if holds else "**misses**"
    bar = f"{'at least' if f.least else 'at most'} {f.bar.forward:g} / {f.bar.both:g}"
    return f"{got.forward:.2f} | {got.both:.2f} | {bar} | {verdict}"


def row(best: Bar, must: Bar | None, goal: Bar | None, void: bool) -> str:
    """The cells of one measurement."""

    def holds(bar: Bar | None) -> bool:
        return bar is not None and best.forward <= bar.forward and best.both <= bar.both

    verdict = (
        "" if must is None else "void" if void else "goal" if holds(goal) else "holds" if holds(must) else "**misses**"
    )
    bars = (f"{bar.forward:g} / {bar.both:g}" if bar else "" for bar in (must, goal))
    return f"{best.forward:.2f} | {best.both:.2f} | {' | '.join(bars)} | {verdict}"


if __name__ == "__main__":
    main()
