"""Checks of the derivatives: first and second against finite differences, and under ``torch.func``."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.autograd.gradcheck import GradcheckError

from ..streams import forked
from .subject import Subject, agree, call, expect, tensors


def _as_function(module: nn.Module) -> tuple[Callable[..., Tensor], list[Tensor]]:
    """Turn a module into a function of the input and its trainable parameters, for ``gradcheck``."""
    trainable = {name: p for name, p in module.named_parameters() if p.requires_grad}

    def function(x: Tensor, *values: Tensor) -> Tensor:
        with forked(0, "check/noise"):
            output: Tensor = torch.func.functional_call(module, dict(zip(trainable, values, strict=True)), (x,))
        return output

    return function, [p.detach().clone().requires_grad_() for p in trainable.values()]


def _follows(y: Tensor, x: Tensor) -> bool:
    return y.requires_grad and torch.autograd.grad(y.sum(), x, allow_unused=True)[0] is not None


def _first_line(error: GradcheckError, module: nn.Module) -> str:
    """Return gradcheck's message without its matrices, with the names of its numbered inputs."""
    names = [name for name, p in module.named_parameters() if p.requires_grad]
    inputs = ", ".join(f"{number} is {name}" for number, name in enumerate(["x", *names]))
    return f"{str(error).partition(chr(10))[0].rstrip(',')} (input {inputs})"


def check_gradient(subject: Subject) -> None:
    """The gradients by input and parameters agree with finite differences in float64, in training and in eval."""
    for mode in (True, False):
        module = subject.build().double().train(mode)
        function, parameters = _as_function(module)
        x = subject.input().requires_grad_()
        expect(
            _follows(function(x, *parameters), x), "autograd sees no path from its output to its input; is it detached?"
        )
        try:
            # A full Jacobian of 200 inputs takes 18 s; beyond some tens, two random directions do.
            size = sum(tensor.numel() for tensor in (x, *parameters))
            with forked(0, "check/directions"):
                torch.autograd.gradcheck(function, (x, *parameters), fast_mode=size > 64)
        except GradcheckError as error:
            where = "in training" if mode else "in eval"
            raise AssertionError(f"gradcheck failed {where}: {_first_line(error, module)}") from error


def check_double_backward(subject: Subject) -> None:
    """The second derivatives agree with finite differences of the first: physics-informed networks need them."""
    module = subject.build().double()
    function, parameters = _as_function(module)
    x = subject.input().requires_grad_()
    try:
        with forked(0, "check/directions"):
            # Undefined gradients are tried at the first order; all their combinations would take 10 s here.
            torch.autograd.gradgradcheck(function, (x, *parameters), fast_mode=True, check_undefined_grad=False)
    except GradcheckError as error:
        raise AssertionError(f"gradgradcheck failed: {_first_line(error, module)}") from error


def check_func_grad(subject: Subject) -> None:
    """``torch.func.grad`` gives the gradients that ``backward`` gives."""
    module, x = subject.build(), subject.input().float()

    def loss(parameters: dict[str, Tensor], x: Tensor, buffers: dict[str, Tensor]) -> Tensor:
        output: Tensor = torch.func.functional_call(module, {**parameters, **buffers}, (x,))
        return output.square().sum()

    parameters = {name: p.detach() for name, p in module.named_parameters() if p.requires_grad}
    # Buffers are passed, not captured: batch norm counts its batches in one, in place.
    buffers = {name: b.clone() for name, b in module.named_buffers()}
    with forked(0, "check/noise"):
        got, got_x = torch.func.grad(loss, argnums=(0, 1))(parameters, x, buffers)
    x.requires_grad_()
    call(module, x).square().sum().backward()
    expect(x.grad is not None, "backward gave no gradient for the input")
    agree(got_x, x.grad, "torch.func.grad by the input differs from backward")  # type: ignore[arg-type]
    for name, parameter in module.named_parameters():
        if parameter.grad is not None:
            agree(got[name], parameter.grad, f"torch.func.grad by {name} differs from backward")


def check_vmap(subject: Subject) -> None:
    """``torch.func.vmap`` over a further dimension of the input gives what the module gives on each slice."""
    x = subject.input(2, 3, subject.channels).float()
    for mode in (True, False):
        module = subject.build().train(mode)
        y = torch.func.vmap(module, randomness="different")(x)
        expect(y.shape == x.shape, f"vmap over an input {tuple(x.shape)} gave output {tuple(y.shape)}")
        if not mode:  # in training there may be noise, another one in each slice
            agree(y, torch.stack([call(module, part) for part in x]), "vmap differs from a loop")


def check_vmap_parameters(subject: Subject) -> None:
    """``torch.func.vmap`` over the parameters of two instances gives what each gives: it trains seeds side by side."""
    x = subject.input().float()
    for mode in (True, False):
        modules = [subject.build(seed=seed).train(mode) for seed in (1, 2)]
        expected = [call(module, x) for module in modules]
        stacked = {
            name: torch.stack([dict(tensors(module))[name].detach() for module in modules])
            for name, _ in tensors(modules[0])
        }

        def function(values: dict[str, Tensor], base: nn.Module = modules[0]) -> Tensor:
            output: Tensor = torch.func.functional_call(base, values, (x,))
            return output

        if not stacked:
            return
        y = torch.func.vmap(function, randomness="different")(stacked)
        expect(y.shape == (2, *x.shape), f"vmap over parameters gave shape {tuple(y.shape)}")
        if not mode:
            agree(y, torch.stack(expected), "vmap over parameters differs from a loop")


CHECKS = (
    check_gradient,
    check_double_backward,
    check_func_grad,
    check_vmap,
    check_vmap_parameters,
)
