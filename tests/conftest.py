"""What all tests share."""

from collections.abc import Iterator

import pytest
import torch

from afbench.registry import ACTIVATIONS, TASKS

# Tests run side by side, one process a core; a second thread in each would only wait for the first of another.
torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def registries_as_they_were() -> Iterator[None]:
    """Take back what a test registered: the next one lists what afbench brings along."""
    for registry in (ACTIVATIONS, TASKS):
        registry.populate()
    before = [(registry, dict(registry.entries), dict(registry.aliases)) for registry in (ACTIVATIONS, TASKS)]
    yield
    for registry, entries, aliases in before:
        registry.entries, registry.aliases = entries, aliases
