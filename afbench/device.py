"""The device that a call names."""

from __future__ import annotations

import torch

from .errors import UsageError


def resolve_device(device: str) -> str:
    """Turn ``auto`` into what is here, and check what was asked for.

    Raises:
        UsageError: if there is no such device.
    """
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        kind = torch.device(device)
    except RuntimeError:
        raise UsageError(f"unknown device {device!r}; give auto, cpu, cuda or cuda:N") from None
    if kind.type not in ("cpu", "cuda"):
        raise UsageError(f"device {device!r} is not supported; give auto, cpu, cuda or cuda:N")
    if kind.type == "cuda" and (kind.index or 0) >= torch.cuda.device_count():
        raise UsageError(f"device {device!r} is not here ({torch.cuda.device_count()} CUDA devices); give cpu or auto")
    return device
