"""Slow checks: compiling, exporting and tracing."""

from __future__ import annotations

import torch
import torch.fx
from torch import nn

from .subject import Subject, agree, call


def check_compile(subject: Subject) -> None:
    """``torch.compile(fullgraph=True)`` gives the values and gradients of eager execution.

    The graph runs on the ``aot_eager`` backend, which needs no C++ compiler: the check is of the tracing.
    """
    for mode in (True, False):
        module = subject.build().train(mode)
        torch.compiler.reset()
        compiled = torch.compile(subject.build().train(mode), fullgraph=True, backend="aot_eager")
        x = subject.input().float().requires_grad_()
        expected = call(module, x)
        with torch.random.fork_rng(devices=[]):
            got = compiled(x)
        (gradient,) = torch.autograd.grad(got.sum(), x)
        if not mode:  # a compiled graph draws its own noise
            agree(got, expected, "compiled and eager values differ")
            agree(gradient, torch.autograd.grad(expected.sum(), x)[0], "compiled and eager gradients differ")


def check_export(subject: Subject) -> None:
    """The program that ``torch.export`` makes gives the module's values, for any batch size."""
    module = subject.build().eval()
    x = subject.input().float()
    batch = torch.export.Dim("batch", min=2)
    program = torch.export.export(module, (x,), dynamic_shapes=({0: batch},))
    more = subject.input(5, subject.channels, seed=1).float()
    agree(program.module()(more), call(module, more), "the exported program differs")


def check_fx(subject: Subject) -> None:
    """``torch.fx.symbolic_trace`` can trace a network that holds it.

    Where ``forward`` looks at shapes or dtypes, put the formula into a function at the module's top level and mark it
    with ``afbench.activations.tracing.leaf``.
    """
    module, x = subject.build().eval(), subject.input().float()
    traced = torch.fx.symbolic_trace(nn.Sequential(module))
    agree(call(traced, x), call(module, x), "the traced network differs", rtol=0, atol=0)


CHECKS = (check_compile, check_export, check_fx)
