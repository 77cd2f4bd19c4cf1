"""The contract's checks must pass a good activation and name what a broken one breaks."""

from __future__ import annotations

import re

import pytest
import torch
from torch import nn

from afbench.activations.tracing import leaf
from afbench.testing import CHECKS, SLOW_CHECKS, check_activation


@leaf
def snake(x, a, channel_dim):
    if not x.is_floating_point():
        raise TypeError(f"snake takes floating-point inputs, not {x.dtype}")
    shape = [1] * x.dim()
    shape[channel_dim] = -1
    a = a.reshape(shape)
    return (x + (a * x).sin().square() / a).to(x.dtype)


class Snake(nn.Module):
    """A user's own class: x + sin(a x)^2 / a, one a per channel."""

    def __init__(self, channels: int, channel_dim: int = 1, alpha: float = 1.0):
        super().__init__()
        self.a = nn.Parameter(torch.full((channels,), alpha))
        self.channel_dim = channel_dim

    def forward(self, x):
        return snake(x, self.a, self.channel_dim)


class Broken(nn.Module):
    """Base of what follows: twice a learned w times x, done right."""

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.ones(()))

    def forward(self, x):
        return 2 * self.w * x


class WrongShape(Broken):
    def forward(self, x):
        return torch.cat([x, x], dim=-1)


class ChannelsAlwaysSecond(Snake):
    def __init__(self, channels: int, channel_dim: int = 1):
        super().__init__(channels, channel_dim=1)


class AddsADimension(Broken):
    def forward(self, x):
        return x * self.w.reshape(1)


class AlwaysFloat32(Broken):
    def forward(self, x):
        return super().forward(x.float())


class CastsOnlyItsInput(Broken):
    def forward(self, x):
        wide = x.float()
        return torch.lerp(wide, 2 * wide, self.w.reshape(1)).to(x.dtype)


class Flattens(Broken):
    def forward(self, x):
        return super().forward(x.view(-1)).view(x.shape)


class WritesIntoItsInput(Broken):
    def forward(self, x):
        x.data.mul_(2)
        return self.w * x


class Overflows(Broken):
    def forward(self, x):
        return self.w * x.exp().log1p()


class NanGradient(Broken):
    def forward(self, x):
        return self.w * torch.where(x > 0, x.abs().sqrt(), 0.0)


class NoEmptyInput(Broken):
    def forward(self, x):
        return super().forward(x) + 0 * x.max()


class Detaches(Broken):
    def forward(self, x):
        return self.w * x + x.detach()


class DetachesAll(Broken):
    def forward(self, x):
        return self.w * x.detach()


class ChannelsLast(Broken):
    def forward(self, x):
        y = super().forward(x)
        return y.movedim(1, -1).contiguous().movedim(-1, 1) if x.dim() > 1 else y


class Truncates(Broken):
    def forward(self, x):
        return super().forward(x).to(x.dtype)


class ConstantsOutsideTheStateDict(Broken):
    def __init__(self):
        super().__init__()
        self.register_buffer("two", torch.tensor(2 / 3), persistent=False)

    def forward(self, x):
        return super().forward(x) * self.two.to(x.dtype)


class DropsBuffers(Broken):
    def _apply(self, fn, recurse=True):
        self._buffers.clear()
        return super()._apply(fn, recurse)


class KeepsItsParameter(Broken):
    """Looks at the parameter that it was built with, wherever it is now."""

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.ones(2))
        self.held = [self.w]

    def forward(self, x):
        return self.held[0].to(x.dtype).sum() * x


class NotForSharing(Broken):
    def share_memory(self):
        return self


class SetsTheDefaultDtype(Broken):
    def forward(self, x):
        torch.set_default_dtype(torch.float32)
        return super().forward(x)


class OnceDifferentiable(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return 3 * x**2 * gradient


class NoSecondDerivative(Broken):
    def forward(self, x):
        return self.w * OnceDifferentiable.apply(x)


class KeepsItsTable(Broken):
    """A table made at the first call in eval, as the published DiTAC keeps it."""

    def train(self, mode=True):
        self.table = None
        return super().train(mode)

    def forward(self, x):
        if self.training:
            return super().forward(x)
        if getattr(self, "table", None) is None:
            self.table = 2 * self.w.detach()
        return self.table * x + 0 * self.w


class HoldsAFunction(Broken):
    def __init__(self):
        super().__init__()
        self.function = lambda x: x

    def forward(self, x):
        return super().forward(self.function(x))


class KeepsItsOutput(Broken):
    def forward(self, x):
        self.last = super().forward(x)
        return self.last


class StateOutsideTheStateDict(Broken):
    def __init__(self):
        super().__init__()
        self.scale = torch.rand(())

    def forward(self, x):
        return self.scale.to(x) * super().forward(x)


class CountsItsInstances(Broken):
    count = 0

    def __init__(self):
        super().__init__()
        CountsItsInstances.count += 1
        self.w = nn.Parameter(torch.tensor(1.0 + CountsItsInstances.count))


class NeedsRealNumbers(Broken):
    def __init__(self):
        super().__init__()
        self.start = self.w.item()


class BranchesOnValues(Broken):
    def forward(self, x):
        return super().forward(x) if x.sum() > 0 else super().forward(x)


class BranchesOnParameters(Broken):
    def forward(self, x):
        return super().forward(x) if self.w > 0 else x


class PenaltyPerEntry(Broken):
    def penalty(self):
        return self.w.reshape(1).expand(3)


class GraphBreak(Broken):
    def forward(self, x):
        torch._dynamo.graph_break()
        return super().forward(x)


class Cancels(Broken):
    def forward(self, x):
        return self.w * ((x * x + 1e6).sqrt() - 1e3)


class LosesSmallInputs(Broken):
    def forward(self, x):
        return self.w * torch.where(x > 0, x, x.clamp(max=0).exp() - 1)


class WrongConstantInFloat32(Broken):
    def forward(self, x):
        return (0.7979 if x.dtype == torch.float32 else 0.7978845608) * self.w * x


class HalfInside(Broken):
    def forward(self, x):
        return self.w * (x.half().tanh().float() if x.dtype == torch.float32 else x.tanh())


class WrongInFloat16(Broken):
    def forward(self, x):
        return self.w * x * (1.02 if x.dtype == torch.float16 else 1)


class Silu(torch.autograd.Function):
    """A kernel whose gradient lacks a term in float32."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x.sigmoid()

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        s = x.sigmoid()
        return gradient * (s if x.dtype == torch.float32 else s + x * s * (1 - s))


class WrongKernelInFloat32(Broken):
    def forward(self, x):
        return self.w * Silu.apply(x)


class WrongParameterGradientInFloat32(Broken):
    def forward(self, x):
        if x.dtype == torch.float32:
            return super().forward(x) + 1e-3 * (self.w - self.w.detach())
        return super().forward(x)


class Quantises(Broken):
    def forward(self, x):
        x = 1.0 * x
        return super().forward(x if x.dtype == torch.float64 else (8 * x).round() / 8 + (x - x.detach()))


class HalfEverywhere(Broken):
    def forward(self, x):
        return self.w * x.half().tanh().to(x.dtype)


class Float32Everywhere(Broken):
    def forward(self, x):
        return self.w * x.float().tanh().to(x.dtype)


FLAWS = [
    (WrongShape, "shape"),
    (ChannelsAlwaysSecond, "shape"),
    (AddsADimension, "scalar"),
    (AlwaysFloat32, "dtype"),
    (AlwaysFloat32, "autocast"),
    (CastsOnlyItsInput, "cast"),
    (Flattens, "strides"),
    (WritesIntoItsInput, "unchanged_input"),
    (Overflows, "extremes"),
    (NanGradient, "extremes"),
    (NoEmptyInput, "empty"),
    (Cancels, "accuracy"),
    (LosesSmallInputs, "accuracy"),
    (WrongConstantInFloat32, "accuracy"),
    (HalfInside, "accuracy"),
    (WrongInFloat16, "accuracy"),
    (WrongKernelInFloat32, "accuracy"),
    (WrongParameterGradientInFloat32, "accuracy"),
    (Quantises, "accuracy"),
    (HalfEverywhere, "gradient"),  # its float64 instance is as wrong as the others
    (Float32Everywhere, "gradient"),
    (Detaches, "gradient"),
    (DetachesAll, "gradient"),
    (ChannelsLast, "layout"),
    (Truncates, "integers"),
    (ConstantsOutsideTheStateDict, "loading"),
    (ConstantsOutsideTheStateDict, "constants"),
    (DropsBuffers, "others_state"),
    (KeepsItsParameter, "pruning"),
    (KeepsItsParameter, "parametrisation"),
    (NotForSharing, "shared_memory"),
    (SetsTheDefaultDtype, "surroundings"),
    (NoSecondDerivative, "double_backward"),
    (NoSecondDerivative, "func_grad"),
    (KeepsItsTable, "eval"),
    (HoldsAFunction, "pickle"),
    (KeepsItsOutput, "deepcopy"),
    (StateOutsideTheStateDict, "state_dict"),
    (CountsItsInstances, "seed"),
    (NeedsRealNumbers, "meta"),
    (BranchesOnValues, "vmap"),
    (BranchesOnParameters, "vmap_parameters"),
    (PenaltyPerEntry, "penalty"),
]


@pytest.mark.parametrize(("flawed", "check"), FLAWS, ids=lambda value: getattr(value, "__name__", value))
def test_flaw_is_named(flawed, check):
    with pytest.raises(AssertionError, match=f"(?s)^{flawed.__name__} breaks the activation contract.*\n{check}: "):
        check_activation(flawed)


def test_a_detached_input_is_named():
    with pytest.raises(AssertionError, match="gradient: autograd sees no path from its output"):
        check_activation(DetachesAll, only="gradient")


NUMBERS = re.compile(
    r" is (\S+), but float64 gives (\S+): the difference (\S+) is larger than rounding explains \((\S+)\)$"
)


@pytest.mark.parametrize(
    ("flawed", "message"),
    [
        (Cancels, "output of float32 in eval at input "),
        (WrongInFloat16, "output of float16 in eval at input "),
        (WrongKernelInFloat32, "gradient by x of float32 in eval at input "),
        (WrongParameterGradientInFloat32, "gradient by w of float32 in eval is "),
    ],
)
def test_accuracy_says_what_is_off_where_and_by_how_much(flawed, message):
    with pytest.raises(AssertionError, match=f"accuracy: the {message}") as caught:
        check_activation(flawed, only="accuracy")
    got, expected, distance, tolerance = map(float, NUMBERS.search(str(caught.value)).groups())
    assert distance == pytest.approx(abs(got - expected), rel=0.05) and distance > tolerance > 0


def test_what_is_quantised_by_design_declares_it():
    check_activation(Quantises, exceptions={"accuracy": "inputs are rounded to eighths"})


class Honest(Broken):
    formula = staticmethod(lambda x: x)

    def forward(self, x):
        return self.formula(self.w * x)


HONEST = {
    "gelu": lambda x: x * 0.5 * (1 + torch.erf(x / 2**0.5)),
    "mish": lambda x: x * nn.functional.softplus(x).tanh(),
    "sine": lambda x: x + x.sin() ** 2,
    "arctan": lambda x: x * x.atan(),
    "square": lambda x: x.relu() ** 2,
    "hat": lambda x: (1 - x.abs()).relu(),
}


@pytest.mark.parametrize("formula", HONEST)
def test_plain_formulas_are_accurate_in_every_dtype(formula, monkeypatch):
    monkeypatch.setattr(Honest, "formula", staticmethod(HONEST[formula]))
    check_activation(Honest, only="accuracy")


def test_every_check_has_a_flaw_that_it_finds():
    assert CHECKS.keys() == {check for _, check in FLAWS}


def test_good_classes_pass():
    check_activation(Snake)
    check_activation(Broken)


@pytest.mark.slow
def test_slow_checks():
    check_activation(Snake, only=SLOW_CHECKS)
    with pytest.raises(AssertionError, match="compile: "):
        check_activation(GraphBreak, slow=True)
    with pytest.raises(AssertionError, match="fx: "):
        check_activation(BranchesOnValues, only="fx")


def test_spec_with_settings():
    check_activation("swish[beta=2,per=channel]", only=["shape", "gradient"])


def test_exceptions_leave_checks_out():
    check_activation(BranchesOnValues, only="vmap", exceptions={"vmap": "it looks at values"})


@pytest.mark.parametrize("given", [{"only": "shapes"}, {"exceptions": {"vmaps": "no such check"}}])
def test_unknown_check(given):
    with pytest.raises(AssertionError, match="unknown check '"):
        check_activation("relu", **given)


def test_unknown_spec():
    with pytest.raises(ValueError, match="unknown activation 'rellu'; did you mean 'relu'"):
        check_activation("rellu")
