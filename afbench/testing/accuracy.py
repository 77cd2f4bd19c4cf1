"""Check of the accuracy: float32 and 16-bit values and gradients against those of a float64 instance."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..streams import stream
from .subject import Subject, call, expect, nudge

TOLERANCE = {torch.float32: 16, torch.bfloat16: 4, torch.float16: 4}
"""In units of the effect of one rounding. In float32 most entries of afbench need 2; ``gelu_tanh`` needs 9."""
PATTERNS = 6
"""Random patterns in which inputs and parameters are rounded; the largest effect counts."""
USUAL = 8.0
"""Input sizes are dense up to 8. Larger ones are compared apart: in a gradient's sum they would hide the others."""
NEAR = (0.0, *(10.0**-k for k in (30, 8, 4, 3, 2)), *(USUAL * (k + 0.5) / 32 for k in range(32)))
FAR = (10.0, 20.0, 50.0, 88.0, 90.0, 120.0, 1e3, 1e4)
X, WEIGHTS, OUTPUT, SLOPE = "x", "weights", "output", "gradient by x"
Numbers = dict[str, Tensor]


def check_accuracy(subject: Subject) -> None:
    """Values and gradients in float32, bfloat16 and float16 are float64's, up to the rounding of the dtype.

    The expected results come from a float64 instance with the same parameters; ``gradient`` checks that it computes in
    float64. The tolerance is 16 times the effect of one rounding, or 4 times in 16 bits: of the result itself, and of
    the input, of each parameter and of the output's gradient, as far as these move the float64 result.
    """
    for dtype in TOLERANCE:
        for training in (False, True):
            _compare(subject, _inputs(NEAR, subject.channels).to(dtype), training)
    _compare(subject, _inputs(FAR, subject.channels), training=False)


def _inputs(sizes: tuple[float, ...], channels: int) -> Tensor:
    """Make a row of each size and sign, so that what mixes channels mixes numbers of one size."""
    factors = torch.tensor([(-1) ** channel * (1 - 0.1 * (channel % 5)) for channel in range(channels)])
    return torch.tensor([*sizes, *(-size for size in sizes)])[:, None] * factors


def _compare(subject: Subject, x: Tensor, training: bool) -> None:
    module, wide = subject.build().to(x.dtype).train(training), subject.build().double().train(training)
    nudge(module)
    weights = 0.5 + torch.rand(x.shape, generator=stream(0, "check/weights"))
    numbers = {**module.state_dict(), X: x, WEIGHTS: weights.to(x.dtype)}
    exact = {name: value.double() if value.is_floating_point() else value for name, value in numbers.items()}
    expected = _results(wide, exact)
    if training and not torch.equal(expected[OUTPUT], _results(wide, exact, seed=1)[OUTPUT]):
        return  # noise, which is another one in each dtype
    moved = [_results(wide, _rounded(exact, x.dtype, pattern)) for pattern in range(PATTERNS)]
    where = f"{str(x.dtype).removeprefix('torch.')} in {'training' if training else 'eval'}"
    for name, got in _results(module, numbers).items():
        effect = torch.stack([(results[name] - expected[name]).abs() for results in moved]).amax(0)
        tolerance = TOLERANCE[x.dtype] * (effect + _rounding(name, expected, exact, x.dtype))
        tolerance[expected[name].abs() > torch.finfo(x.dtype).max] = torch.inf  # the dtype cannot hold it
        _agree(got.double(), expected[name], tolerance.nan_to_num(torch.inf), f"{name} of {where}", x)


def _rounded(numbers: Numbers, dtype: torch.dtype, pattern: int) -> Numbers:
    """Move each number up or down by one rounding of the dtype, at random."""
    rng, eps = stream(pattern, "check/roundings"), torch.finfo(dtype).eps
    signs = {name: 2.0 * torch.randint(2, value.shape, generator=rng) - 1 for name, value in numbers.items()}
    return {n: value * (1 + eps * signs[n]) if value.is_floating_point() else value for n, value in numbers.items()}


def _results(module: nn.Module, numbers: Numbers, seed: int = 0) -> Numbers:
    """Return the output, and the gradients of its weighted sum by the input and by the trainable parameters."""
    module.load_state_dict({name: value for name, value in numbers.items() if name not in (X, WEIGHTS)})
    x = numbers[X].detach().clone().requires_grad_()
    by = {X: x, **{name: p for name, p in module.named_parameters() if p.requires_grad}}
    y = call(module, x, seed)
    gradients = torch.autograd.grad(y, tuple(by.values()), numbers[WEIGHTS], allow_unused=True)
    named = {f"gradient by {n}": value for n, value in zip(by, gradients, strict=True) if value is not None}
    return {OUTPUT: y.detach(), **named}


def _rounding(name: str, expected: Numbers, exact: Numbers, dtype: torch.dtype) -> Tensor:
    """Return one rounding of a result plus one at the scale of the layers around the activation.

    That scale is the size of the input for the output, 1 for a slope, and for the gradient by a parameter the size of
    the gradients by s and b in f(s x + b).
    """
    weights, x = exact[WEIGHTS], exact[X]
    size = x.abs().clamp(max=USUAL)
    around = {OUTPUT: size, SLOPE: weights * (x.abs() / size).nan_to_num(1)}
    scale = expected[name].abs() + around.get(name, (weights * x).norm() + expected[SLOPE].norm())
    rounding: Tensor = torch.finfo(dtype).eps * scale + torch.finfo(dtype).tiny
    return rounding


def _agree(got: Tensor, expected: Tensor, tolerance: Tensor, what: str, x: Tensor) -> None:
    """Raise AssertionError where the two are further apart than the tolerance, naming the worst place."""
    distance = (got - expected).abs().nan_to_num(torch.inf)
    worst = int((distance / tolerance).nan_to_num(0.0, torch.inf).argmax())  # infinity over infinity is agreement
    by = {"got": got, "expected": expected, "distance": distance, "tolerance": tolerance}
    value = {name: tensor.flatten()[worst].item() for name, tensor in by.items()}
    if got.shape == x.shape:
        what += f" at input {x.flatten()[worst].item():.6g}"
    expect(
        value["distance"] <= value["tolerance"],
        f"the {what} is {value['got']:.9g}, but float64 gives {value['expected']:.9g}: the difference "
        f"{value['distance']:.2g} is larger than rounding explains ({value['tolerance']:.2g})",
    )


CHECKS = (check_accuracy,)
