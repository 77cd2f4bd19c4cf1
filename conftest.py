"""What tests and the examples in docstrings share: what one of them registers, the next one does not see."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from afbench.registry.entries import ACTIVATIONS, TASKS


@pytest.fixture(autouse=True)
def registries_as_they_were() -> Iterator[None]:
    """Take back what a test registered: the next one lists what afbench brings along."""
    for registry in (ACTIVATIONS, TASKS):
        registry.populate()
    before = [(registry, dict(registry.entries), dict(registry.aliases)) for registry in (ACTIVATIONS, TASKS)]
    yield
    for registry, entries, aliases in before:
        registry.entries, registry.aliases = entries, aliases
