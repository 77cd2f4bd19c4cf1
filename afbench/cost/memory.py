"""Memory: the bytes that autograd keeps for backward, and the allocator's peak on CUDA."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor


def saved_bytes(forward: Callable[[], object], left_out: Iterable[Tensor] = ()) -> int:
    """Count the bytes that a forward pass keeps for backward: each storage once, some tensors left out.

    Args:
        forward: runs the pass, with gradients on.
        left_out: tensors that are there anyway, such as parameters.

    >>> x = torch.ones(10, requires_grad=True)
    >>> saved_bytes(lambda: x.exp())
    40
    """
    anyway = {tensor.untyped_storage().data_ptr() for tensor in left_out}
    kept: dict[int, int] = {}
    alive: list[Tensor] = []

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in anyway:
            kept[storage.data_ptr()] = storage.nbytes()
            alive.append(tensor)  # held, so that no address is used twice
        return tensor

    with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        result = forward()
        del result
    return sum(kept.values())


def peak_bytes(call: Callable[[], object], device: str) -> int | None:
    """Return the allocator's peak during a call on CUDA, above what was held before it; None elsewhere."""
    if not device.startswith("cuda"):
        return None
    torch.cuda.synchronize(device)
    torch.cuda.reset_peak_memory_stats(device)
    before = torch.cuda.memory_allocated(device)
    call()
    torch.cuda.synchronize(device)
    return int(torch.cuda.max_memory_allocated(device) - before)
