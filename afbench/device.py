"""The device of a call."""

from __future__ import annotations

import re

import torch

from .errors import UsageError, did_you_mean

CUDA = re.compile(r"cuda(:(0|[1-9][0-9]{0,2}))?\Z", re.ASCII)


def resolve_device(device: str) -> str:
    """Replace ``auto`` by the device of this machine, and check any other name.

    Raises:
        UsageError: if there is no such device.
    """
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cpu":
        return device
    named = CUDA.match(device) if isinstance(device, str) else None
    if named is None:
        near = did_you_mean(str(device).lower().replace("gpu", "cuda"), ("auto", "cpu", "cuda"))
        raise UsageError(f"unknown device {device!r}{near}; give auto, cpu, cuda or cuda:N")
    if int(named[2] or 0) >= torch.cuda.device_count():
        raise UsageError(
            f"device {device!r} is not available ({torch.cuda.device_count()} CUDA devices); use cpu or auto"
        )
    return device
