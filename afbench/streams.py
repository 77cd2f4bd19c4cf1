"""Random streams by name: the draws of one part of a trial do not change the draws of another part."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import torch


def derive(seed: int, name: str) -> int:
    """Derive the seed of a named stream: 63 bits of SHA-256 of ``seed/name``.

    >>> derive(0, "data") != derive(0, "order") != derive(1, "order")
    True
    """
    digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def stream(seed: int, name: str) -> torch.Generator:
    """Make the generator of a named stream. It is on the CPU, so that all devices draw the same numbers."""
    return torch.Generator().manual_seed(derive(seed, name))


@contextmanager
def forked(seed: int, name: str) -> Iterator[None]:
    """Make the global CPU generator a named stream within the block, and restore it afterwards."""
    state = torch.random.get_rng_state()
    torch.default_generator.manual_seed(derive(seed, name))
    try:
        yield
    finally:
        torch.random.set_rng_state(state)
