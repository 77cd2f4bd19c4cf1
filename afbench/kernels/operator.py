"""How an operator of afbench is made from its parts: a formula, a compiled kernel of it, and the kernel's gradients.

An operator is elementwise: y = f(x; parameters), of the shape and dtype of x. A call takes one of three ways:

- The plain formula, in operators of torch, where the compiled path does not serve the arguments (float64, other
  devices, no compiler), in forward mode, and in an export: it can be differentiated, traced and exported in every way
  that torch knows.
- The kernel itself under an ``autograd.Function``, where only plain eager PyTorch sees the call.
- Else ``afbench::name`` and ``afbench::name_backward``, operators that torch.compile and dispatch modes see as one
  node, under an ``autograd.Function`` that torch.func can transform. Nothing is kept for backward but the arguments.

All three use public names of torch alone; modes.py tells them apart. The second is for speed: the third costs 20 to
60 us a call more.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, Signature
from typing import Any

import torch
from torch import Tensor

from . import modes, pointwise, sharded

LIBRARY = torch.library.Library("afbench", "DEF")

GRADIENTS: dict[str, type[torch.autograd.Function]] = {}
"""Each operator's ``SeenBackward``: torch.compile finds a Function within another's backward by a global name alone."""


def register(
    schema: str,
    *,
    inputs: int,
    values: int,
    plain: Callable[..., Tensor],
    forward: Callable[..., Tensor],
    backward: Callable[..., tuple[Tensor, ...]],
    serves: Callable[..., bool],
    batch: Callable[..., tuple[Any, ...]],
    widens: bool = True,
    traces: bool = True,
) -> Callable[..., Tensor]:
    """Define ``afbench::name`` and ``afbench::name_backward``, and return the function that users call.

    Args:
        schema: such as ``"swish(Tensor x, Tensor beta, int channel_dim) -> Tensor"``. The ``inputs`` tensors, x first,
            stand before everything else, which is no tensor.
        inputs: how many those are.
        values: how many last dimensions of a parameter hold one unit's values, 0 or 1; those before lie along x.
        plain: the formula in torch operators, of the same arguments; differentiable. Only for floating-point x.
        forward: the compiled formula, for arguments that ``serves`` accepts.
        backward: its gradients: takes that of y, then the arguments; returns those of the inputs, each like its input.
        serves: whether the compiled path takes these arguments; it must look at dtypes, devices and shapes alone.
        batch: the vmap rule: takes the size of the mapped dimension and, for every argument, the pair of its value
            and its mapped dimension or None; returns arguments of the same operator whose x, and so y, is mapped at
            dimension 0, and in which every mapped parameter is, too.
        widens: whether float16 may be cast to float32 first; not where the formula asks for the dtype of x.
        traces: whether torch.compile can trace the plain formula through the transforms of ``torch.func``.

    Of autocast there is nothing to say: x keeps the dtype that it comes in and the parameters theirs.
    """
    name, _, rest = schema.partition("(")
    LIBRARY.define(schema, tags=(torch.Tag.pt2_compliant_tag,))
    arguments = rest.rpartition(")")[0]
    results = ", ".join(["Tensor"] * inputs)
    LIBRARY.define(f"{name}_backward(Tensor gradient, {arguments}) -> ({results})", tags=(torch.Tag.pt2_compliant_tag,))
    operator = getattr(torch.ops.afbench, name).default
    operator_backward = getattr(torch.ops.afbench, f"{name}_backward").default

    def by_formula(*args: Any) -> Tensor:
        if not args[0].is_floating_point():
            raise TypeError(f"{name} takes floating-point inputs, not {args[0].dtype}")
        return plain(*args)

    def plain_backward(gradient: Tensor, *args: Any) -> tuple[Tensor, ...]:
        """The gradients by the plain formula, themselves differentiable."""
        pull = torch.func.vjp(lambda *tensors: plain(*tensors, *args[inputs:]), *args[:inputs])[1]
        return tuple(pull(gradient))

    class Direct(torch.autograd.Function):
        """The kernel. Without a ``setup_context``, which would cost 10 us; so it is not for torch.func."""

        @staticmethod
        def forward(ctx: Any, *args: Any) -> Any:
            ctx.save_for_backward(*args[:inputs])
            ctx.settings = args[inputs:]
            return forward(*args)

        @staticmethod
        def backward(ctx: Any, gradient: Tensor) -> Any:
            return *pulled(gradient, *ctx.saved_tensors, *ctx.settings), *(None for _ in ctx.settings)

    class DirectBackward(torch.autograd.Function):
        """The kernel of the gradients, whose own gradients come from the plain formula."""

        @staticmethod
        def forward(ctx: Any, *args: Any) -> Any:
            ctx.save_for_backward(*args[: inputs + 1])
            ctx.settings = args[inputs + 1 :]
            return backward(*args)

        @staticmethod
        def backward(ctx: Any, *gradients: Tensor) -> Any:
            return *pulled_twice(gradients, ctx.saved_tensors, ctx.settings), *(None for _ in ctx.settings)

    class Seen(torch.autograd.Function):
        """The operator, as torch.func and torch.compile take it."""

        @staticmethod
        def forward(*args: Any) -> Any:
            return operator(*args)

        @staticmethod
        def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
            ctx.save_for_backward(*inputs[:count])
            ctx.settings = inputs[count:]

        @staticmethod
        def backward(ctx: Any, gradient: Tensor) -> Any:
            return *pulled(gradient, *ctx.saved_tensors, *ctx.settings), *(None for _ in ctx.settings)

        @staticmethod
        def vmap(info: Any, in_dims: tuple[int | None, ...], *args: Any) -> tuple[Tensor, int]:
            return Seen.apply(*batch(info.batch_size, *zip(args, in_dims, strict=True))), 0  # type: ignore[no-untyped-call]

    class SeenBackward(torch.autograd.Function):
        """The operator of the gradients, likewise."""

        @staticmethod
        def forward(*args: Any) -> Any:
            return operator_backward(*args)

        @staticmethod
        def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
            ctx.save_for_backward(*inputs[: count + 1])
            ctx.settings = inputs[count + 1 :]

        @staticmethod
        def backward(ctx: Any, *gradients: Tensor) -> Any:
            return *pulled_twice(gradients, ctx.saved_tensors, ctx.settings), *(None for _ in ctx.settings)

        @staticmethod
        def vmap(info: Any, in_dims: tuple[int | None, ...], *args: Any) -> Any:
            return mapped_backward(SeenBackward.apply, info.batch_size, in_dims, *args)

    def pulled(gradient: Tensor, *args: Any) -> tuple[Tensor, ...]:
        tensors = gradient, *args[:inputs]
        if modes.quiet() and modes.holds_numbers(tensors) and serves(*args):
            if torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors):
                return tuple(DirectBackward.apply(gradient, *args))  # type: ignore[no-untyped-call]
            return backward(gradient, *args)
        if by_kernel(tensors, args):
            return tuple(GRADIENTS[name].apply(gradient, *args))
        return plain_backward(gradient, *args)

    def pulled_twice(gradients: tuple[Tensor, ...], saved: tuple[Tensor, ...], settings: tuple[Any, ...]) -> Any:
        return torch.func.vjp(lambda *tensors: plain_backward(*tensors, *settings), *saved)[1](gradients)

    def by_kernel(tensors: tuple[Any, ...], args: tuple[Any, ...]) -> bool:
        """Whether the operator is right: an export and a trace hold formulas, and forward mode is of formulas alone.

        So is what torch.compile makes of ``torch.func.grad``: it sees the operator without its Function there.
        """
        if torch.compiler.is_exporting() or modes.forward_mode() or modes.tracing():
            return False
        if traces and modes.compiled_transform():
            return False
        return modes.plain_types(tensors) and serves(*args)

    def call(*args: Any) -> Tensor:
        tensors = args[:inputs]
        if modes.quiet() and modes.holds_numbers(tensors) and serves(*args):
            if modes.forward_mode():
                return plain(*args)
            if torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors):
                result: Tensor = Direct.apply(*args)  # type: ignore[no-untyped-call]
                return result
            return forward(*args)
        if by_kernel(tensors, args):
            result = Seen.apply(*args)  # type: ignore[no-untyped-call]
            return result
        if any(sharded.is_sharded(tensor) for tensor in tensors):
            alike = all(p.numel() == p.shape[p.dim() - values :].numel() for p in tensors[1:])
            return sharded.by_parts(lambda *parts: call(*parts, *args[inputs:]), args[0], tensors[1:], alike)
        half = widens and args[0].is_floating_point() and args[0].is_cpu
        if half and torch.float16 in [tensor.dtype for tensor in tensors]:
            # The kernels do not read it: computed in float32, and rounded once.
            return call(*pointwise.widened(*tensors), *args[inputs:]).to(args[0].dtype)
        return by_formula(*args)

    def run(*args: Any) -> Tensor:
        return forward(*args) if serves(*args) else by_formula(*args)

    def run_backward(gradient: Tensor, *args: Any) -> tuple[Tensor, ...]:
        return backward(gradient, *args) if serves(*args) else plain_backward(gradient, *args)

    def mapped(info: Any, in_dims: tuple[int | None, ...], *args: Any) -> tuple[Tensor, int]:
        return operator(*batch(info.batch_size, *zip(args, in_dims, strict=True))), 0

    def mapped_backward(function: Callable[..., Any], size: int, in_dims: tuple[int | None, ...], *args: Any) -> Any:
        gradient = at_front(size, args[0], in_dims[0])
        # Every parameter is given the dimension, since every parameter's gradient has it.
        dims = [0] * inputs + [None] * (len(args) - 1 - inputs)
        tensors = [at_front(size, *pair) for pair in zip(args[1 : inputs + 1], in_dims[1:], strict=False)]
        spread = batch(size, *zip((*tensors, *args[inputs + 1 :]), dims, strict=True))
        gradients = function(gradient, *spread)
        # The rule may have put in dimensions of size 1.
        same = [g.reshape(t.shape) for g, t in zip(gradients, tensors, strict=True)]
        return tuple(same), (0,) * inputs

    count = inputs
    GRADIENTS[name] = SeenBackward
    # torch.compile counts the parameters to know whether there is a ctx among them.
    _name_parameters(Seen.forward, arguments.split(", "))
    _name_parameters(SeenBackward.forward, ["gradient", *arguments.split(", ")])
    LIBRARY.impl(name, run, "CompositeExplicitAutograd")
    LIBRARY.impl(f"{name}_backward", run_backward, "CompositeExplicitAutograd")
    torch.library.register_fake(f"afbench::{name}", lambda x, *_: torch.empty_like(x), lib=LIBRARY)
    torch.library.register_fake(
        f"afbench::{name}_backward",
        lambda _, *args: tuple(torch.empty_like(tensor) for tensor in args[:inputs]),
        lib=LIBRARY,
    )
    torch.library.register_autograd(
        f"afbench::{name}",
        lambda ctx, gradient: Seen.backward(ctx, gradient),
        setup_context=lambda ctx, inputs, output: Seen.setup_context(ctx, inputs, output),
        lib=LIBRARY,
    )
    torch.library.register_autograd(
        f"afbench::{name}_backward",
        lambda ctx, *gradients: SeenBackward.backward(ctx, *gradients),
        setup_context=lambda ctx, inputs, output: SeenBackward.setup_context(ctx, inputs, output),
        lib=LIBRARY,
    )
    torch.library.register_vmap(f"afbench::{name}", mapped, lib=LIBRARY)
    torch.library.register_vmap(
        f"afbench::{name}_backward",
        lambda info, in_dims, *args: mapped_backward(operator_backward, info.batch_size, in_dims, *args),
        lib=LIBRARY,
    )
    call.__name__ = call.__qualname__ = name
    return call


def _name_parameters(function: Any, arguments: list[str]) -> None:
    names = [argument.rpartition(" ")[2] for argument in arguments]
    function.__signature__ = Signature([Parameter(name, Parameter.POSITIONAL_ONLY) for name in names])


def at_front(size: int, tensor: Tensor, dim: int | None) -> Tensor:
    """Move a mapped dimension to the front, or give the tensor one of so many equal entries."""
    return tensor.expand(size, *tensor.shape) if dim is None else tensor.movedim(dim, 0)
