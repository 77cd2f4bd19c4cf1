"""Checks of the values: shapes, dtypes, strides, and large, empty and zero-dimensional inputs."""

from __future__ import annotations

import torch
from torch import nn

from .subject import Subject, agree, call, expect, tensors

EXTREMES = (0.0, 1e-30, 1e-8, 0.5, 1.0, 2.0, 10.0, 88.0, 90.0, 1e3, 1e4)


def check_shape(subject: Subject) -> None:
    """NC, NCL, NCHW and NCDHW inputs give outputs of their shape; with the channels last, the same values."""
    first = subject.build(1).eval()
    last = subject.build(-1).eval()
    for extra in ((), (5,), (5, 6), (2, 5, 3)):
        x = subject.input(3, subject.channels, *extra).float()
        y = call(first, x)
        expect(y.shape == x.shape, f"input {tuple(x.shape)} with channel_dim=1 gave output {tuple(y.shape)}")
        moved = x.movedim(1, -1).contiguous()
        z = call(last, moved)
        expect(
            z.shape == moved.shape,
            f"input {tuple(moved.shape)} with channel_dim=-1 gave output {tuple(z.shape)}",
        )
        agree(z.movedim(-1, 1), y, f"channel_dim=-1 differs from channel_dim=1 on an input {tuple(x.shape)}")


def check_dtype(subject: Subject) -> None:
    """The input's dtype comes back although the parameters are float32, and 16 bits give values near float32's."""
    few_roundings = {torch.bfloat16: 2.0**-4, torch.float16: 2.0**-7}  # how near float64 is, ``accuracy`` checks
    for dtype in (torch.float32, torch.float64, *few_roundings):
        module = subject.build().eval()
        x = subject.input().to(dtype).requires_grad_()
        y = call(module, x)
        expect(y.dtype == dtype, f"input {dtype} gave output {y.dtype}")
        if tolerance := few_roundings.get(dtype):
            expected = call(subject.build().eval(), x.detach().float())
            agree(y.float(), expected, f"values in {dtype} against float32", rtol=tolerance, atol=tolerance)
        y.sum().backward()
        expect(x.grad is not None and x.grad.dtype == dtype, f"input {dtype} has no gradient of its dtype")
        for name, parameter in module.named_parameters():
            if parameter.grad is not None:
                same = parameter.grad.dtype == parameter.dtype
                expect(same, f"the gradient of {name} is {parameter.grad.dtype} for input {dtype}")


def check_cast(subject: Subject) -> None:
    """A module cast with ``.to(dtype)`` runs in that dtype."""
    for dtype in (torch.float64, torch.bfloat16, torch.float16):
        module = subject.build().to(dtype)
        y = call(module, subject.input().to(dtype))
        expect(y.dtype == dtype, f"a module cast to {dtype} gave output {y.dtype}")
        expect(y.isfinite().all(), f"a module cast to {dtype} gave values that are not finite")


def check_autocast(subject: Subject) -> None:
    """Under autocast, too, the input's dtype comes back."""
    module = subject.build()
    for autocast in (torch.bfloat16, torch.float16):
        for dtype in (torch.float32, autocast):
            with torch.autocast("cpu", autocast):
                y = call(module, subject.input().to(dtype))
            expect(y.dtype == dtype, f"input {dtype} under autocast to {autocast} gave output {y.dtype}")


def check_strides(subject: Subject) -> None:
    """Channels-last, transposed, sliced and expanded inputs give what contiguous ones give, forward and backward."""
    x = subject.input(3, subject.channels, 4, 6).float()
    variants = {
        "channels_last": x.contiguous(memory_format=torch.channels_last),
        "transposed": x.transpose(2, 3).contiguous().transpose(2, 3),
        "sliced": x.repeat_interleave(2, dim=3)[..., ::2],
        "expanded": x[..., :1].expand(x.shape),
    }
    for name, variant in variants.items():
        results = []
        for tensor in (variant.detach(), variant.detach().contiguous()):
            tensor.requires_grad_()
            y = call(subject.build().eval(), tensor)
            (gradient,) = torch.autograd.grad(y.sum(), tensor)
            results.append((y, gradient))
        (y, gradient), (expected, expected_gradient) = results
        agree(y, expected, f"a {name} input differs from a contiguous one", check_stride=False)
        agree(
            gradient,
            expected_gradient,
            f"the gradient of a {name} input differs from a contiguous one's",
            check_stride=False,
        )


def check_layout(subject: Subject) -> None:
    """The output lies in memory as a dense input does, so that ``y.view(N, -1)`` works where ``x.view`` does."""
    x = subject.input(3, subject.channels, 4, 6).float()
    last = x.contiguous(memory_format=torch.channels_last)
    variants = {"contiguous": x, "channels_last": last, "transposed": x.transpose(2, 3).contiguous().transpose(2, 3)}
    module = subject.build().eval()
    for name, variant in variants.items():
        strides = call(module, variant).stride()
        expect(strides == variant.stride(), f"a {name} input of strides {variant.stride()} gave strides {strides}")


def check_integers(subject: Subject) -> None:
    """Integers and bools raise a TypeError or give floats; cast back to integers, values would be truncated."""
    module = subject.build().eval()
    for dtype in (torch.int64, torch.bool):
        try:
            y = call(module, torch.ones(3, subject.channels, dtype=dtype))
        except TypeError:
            continue
        problem = f"{dtype} inputs gave {y.dtype}; expected a TypeError (only floating-point inputs are allowed)"
        expect(y.is_floating_point(), problem)


def check_unchanged_input(subject: Subject) -> None:
    """Neither forward nor backward writes into the input."""
    x = subject.input().float().requires_grad_()
    before = x.detach().clone()
    call(subject.build(), x).square().sum().backward()
    expect(torch.equal(x.detach(), before), "the input was changed in place")


def check_empty(subject: Subject) -> None:
    """Empty inputs give empty outputs, can be differentiated, and leave no NaN behind."""
    for shape in ((0, subject.channels), (2, subject.channels, 0), (0, subject.channels, 3, 3)):
        module = subject.build()
        x = torch.zeros(shape, requires_grad=True)
        y = call(module, x)
        expect(y.shape == x.shape, f"an empty input {shape} gave output {tuple(y.shape)}")
        y.sum().backward()
        for name, tensor in tensors(module):
            if tensor.is_floating_point():
                expect(tensor.isfinite().all(), f"an empty input {shape} left {name} not finite")


def check_scalar(subject: Subject) -> None:
    """A zero-dimensional input gives a zero-dimensional output, unless the activation is per channel."""
    module = subject.build_without_channels()
    if module is not None:
        y = call(module, torch.tensor(0.5))
        expect(y.shape == (), f"an input of shape () gave output {tuple(y.shape)}")


def check_extremes(subject: Subject) -> None:
    """Inputs up to 1e4 in size give finite outputs and gradients in float32 and bfloat16, in training and after."""
    positive = torch.tensor(EXTREMES)
    values = torch.cat([positive, -positive]).unsqueeze(1).repeat(1, subject.channels)
    for dtype in (torch.float32, torch.bfloat16):
        for mode in (True, False):
            _extremes(subject.build().train(mode), values.detach().to(dtype, copy=True).requires_grad_())


def _extremes(module: nn.Module, x: torch.Tensor) -> None:
    where = f"in {x.dtype}, {'training' if module.training else 'eval'}"
    y = call(module, x)
    expect(y.shape == x.shape, f"input {tuple(x.shape)} gave output {tuple(y.shape)}")
    bad = ~y.isfinite()
    expect(not bad.any(), f"inputs {x[bad].tolist()[:4]} gave {y[bad].tolist()[:4]} {where}")
    y.sum().backward()
    if x.grad is not None:
        bad = ~x.grad.isfinite()
        expect(not bad.any(), f"the gradient at inputs {x[bad].tolist()[:4]} is not finite {where}")
    for name, parameter in module.named_parameters():
        if parameter.grad is not None:
            expect(parameter.grad.isfinite().all(), f"the gradient of {name} is not finite {where}")


CHECKS = (
    check_shape,
    check_dtype,
    check_cast,
    check_autocast,
    check_strides,
    check_layout,
    check_integers,
    check_unchanged_input,
    check_empty,
    check_scalar,
    check_extremes,
)
