"""Checks of what users do to modules: loading without memory, casts, pruning, parametrisation, sharing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize, prune

from .subject import Subject, agree, call, expect, tensors

Loader = Callable[[Subject, dict[str, Tensor]], nn.Module]


class Halved(nn.Module):
    """A parametrisation: half of the learned value."""

    def forward(self, value: Tensor) -> Tensor:
        """Halve it."""
        return value / 2


def _on_meta(subject: Subject) -> nn.Module:
    with torch.device("meta"):
        return subject.build(seed=2)


def _fill(module: nn.Module) -> None:
    """Fill all tensors with what uninitialised memory may hold."""
    with torch.no_grad():
        for _, tensor in tensors(module):
            tensor.fill_(float("nan") if tensor.is_floating_point() else 99)


def to_empty(subject: Subject, state: dict[str, Tensor]) -> nn.Module:
    """Build on the meta device, give it memory, load."""
    module = _on_meta(subject).to_empty(device="cpu")
    _fill(module)
    module.load_state_dict(state)
    return module


def assigned(subject: Subject, state: dict[str, Tensor]) -> nn.Module:
    """Build on the meta device, and replace the parameters by the tensors of the checkpoint."""
    module = _on_meta(subject)
    module.load_state_dict({name: value.clone() for name, value in state.items()}, assign=True)
    return module


def one_by_one(subject: Subject, state: dict[str, Tensor]) -> nn.Module:
    """Set the tensors of the checkpoint by name, as transformers does; other tensors get memory without values."""
    module = _on_meta(subject)
    for name, tensor in list(tensors(module)):
        place, _, last = name.rpartition(".")
        value = state.get(name)
        if value is None:
            value = torch.empty_like(tensor, device="cpu").fill_(float("nan") if tensor.is_floating_point() else 99)
        parent: Any = module.get_submodule(place)
        old = getattr(parent, last)
        setattr(
            parent, last, nn.Parameter(value.clone(), old.requires_grad) if isinstance(old, nn.Parameter) else value
        )
    return module


def without_parameters(subject: Subject, state: dict[str, Tensor]) -> nn.Module:
    """Build while every parameter goes to the meta device as it is registered (accelerate's init_empty_weights)."""
    with _registered_on_meta():
        module = subject.build(seed=2)
    module.load_state_dict({name: value.clone() for name, value in state.items()}, assign=True)
    return module


@contextmanager
def _registered_on_meta() -> Iterator[None]:
    register = nn.Module.register_parameter

    def on_meta(self: nn.Module, name: str, param: nn.Parameter | None) -> None:
        register(self, name, param)
        if param is not None:
            self._parameters[name] = nn.Parameter(param.to("meta"), requires_grad=param.requires_grad)

    nn.Module.register_parameter = on_meta  # type: ignore[method-assign]
    try:
        yield
    finally:
        nn.Module.register_parameter = register  # type: ignore[method-assign]


LOADERS: dict[str, Loader] = {
    "built on meta, to_empty, load_state_dict": to_empty,
    "built on meta, load_state_dict(assign=True)": assigned,
    "built on meta, filled with what the checkpoint holds": one_by_one,
    "built without parameters, load_state_dict(assign=True)": without_parameters,
}


def check_loading(subject: Subject) -> None:
    """Weights load into a module that was built without memory, in the four ways of loaders."""
    module, x = subject.build(seed=1).eval(), subject.input().float()
    expected, state = call(module, x), module.state_dict()
    for how, loader in LOADERS.items():
        agree(call(loader(subject, state).eval(), x), expected, f"{how}: the values differ", rtol=0, atol=0)


def check_constants(subject: Subject) -> None:
    """Casts to 16 bits and back, with the weights loaded again, change no value: constants are not rounded for good."""
    x = subject.input().float()
    for dtype in (torch.bfloat16, torch.float16):
        module = subject.build().eval()
        expected, state = call(module, x), {name: value.clone() for name, value in module.state_dict().items()}
        module.to(dtype).float().load_state_dict(state)
        agree(call(module, x), expected, f"cast to {dtype} and back, the values differ", rtol=0, atol=0)


def check_others_state(subject: Subject) -> None:
    """Buffers, attributes and hooks that a user adds survive casts and moves."""
    module = subject.build()
    seen: list[int] = []
    module.register_buffer("steps_of_the_user", torch.tensor(7))
    module.register_buffer("notes_of_the_user", torch.ones(2), persistent=False)
    module.register_forward_hook(lambda *_: seen.append(1))
    module.name_of_the_user = "mine"  # type: ignore[assignment]
    module.double().half().to("cpu").float()
    kept = dict(module.named_buffers())
    for name in ("steps_of_the_user", "notes_of_the_user"):
        expect(name in kept, f"a registered buffer disappears after casts: {name}")
    expect(int(kept["steps_of_the_user"]) == 7, "a registered buffer has another value after casts")
    expect(getattr(module, "name_of_the_user", None) == "mine", "a user's attribute disappears after casts")
    call(module, subject.input().float())
    expect(seen, "a registered hook does not run after casts")


def check_pruning(subject: Subject) -> None:
    """Each parameter can be pruned, and the pruned module moved: it computes with the pruned values."""
    _replaced(subject, "pruned", _pruned, lambda value: value * _mask(value))


def check_parametrisation(subject: Subject) -> None:
    """Each parameter can be parametrised: the module computes with what the parametrisation gives."""
    _replaced(
        subject,
        "parametrised",
        lambda module, name: parametrize.register_parametrization(module, name, Halved(), unsafe=True),
        lambda value: value / 2,
    )


def _pruned(module: nn.Module, name: str) -> None:
    prune.custom_from_mask(module, name, _mask(module.get_parameter(name)))


def _mask(value: Tensor) -> Tensor:
    """Leave the last entry out."""
    mask = torch.ones_like(value)
    mask.view(-1)[-1] = 0
    return mask


def _replaced(
    subject: Subject, what: str, change: Callable[[nn.Module, str], Any], value_of: Callable[[Tensor], Tensor]
) -> None:
    """Change one parameter after another, and compare with a module that holds the changed value itself."""
    x = subject.input().float()
    for name, parameter in subject.build().named_parameters(recurse=False):
        if parameter.requires_grad and parameter.dim() > 0:
            module, other = subject.build().eval(), subject.build().eval()
            change(module, name)
            with torch.no_grad():
                value = other.get_parameter(name)
                value.copy_(value_of(value))
            for move in (nn.Module.cpu, nn.Module.float):
                agree(call(move(module), x), call(other, x), f"{name} {what}: the values differ", equal_nan=True)


def check_shared_memory(subject: Subject) -> None:
    """Its parameters can be moved into shared memory, where worker processes find them."""
    module, x = subject.build().eval(), subject.input().float()
    expected = call(module, x)
    agree(call(module.share_memory(), x), expected, "after share_memory() the values differ", rtol=0, atol=0)
    for name, parameter in module.named_parameters():
        expect(parameter.is_shared(), f"{name} is not in shared memory after share_memory()")


CHECKS = (
    check_loading,
    check_constants,
    check_others_state,
    check_pruning,
    check_parametrisation,
    check_shared_memory,
)
