"""An alias with a setting, which no entry has."""

import pytest

from afbench.registry.entries import ACTIVATIONS
from afbench.registry.spec import Spec


@pytest.fixture
def aliases():
    """Give ``prelu`` an alias with a setting for the time of a test."""
    ACTIVATIONS.populate()
    before = dict(ACTIVATIONS.aliases)
    ACTIVATIONS.aliases["steep_prelu"] = Spec("prelu", {"a": "0.5"})
    yield
    ACTIVATIONS.aliases = before
