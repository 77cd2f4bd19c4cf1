"""Whole modules that older versions pickled: they hold fewer attributes, and compute the same."""

from __future__ import annotations

import pytest
import torch

from afbench import create

HELD = {
    "pau": {"version", "degree", "start", "zero_centred"},
    "opau": {"basis", "degree", "start", "safe", "zero_centred"},
}
"""The settings that the pickles hold."""


@pytest.mark.parametrize(
    "spec", ["pau[version=d]", "pau[zero_centred=true]", "opau", "hp1[safe=false]", "opau[zero_centred=true]"]
)
def test_they_compute_the_same(spec):
    new, x = create(spec).eval(), torch.linspace(-4, 4, 9)
    old = type(new).__new__(type(new))
    torch.nn.Module.__init__(old)
    name = spec.partition("[")[0].replace("hp1", "opau")
    old.__dict__ |= {held: vars(new)[held] for held in HELD[name]}
    for letter, parameter in new.named_parameters():
        old.register_parameter(letter, torch.nn.Parameter(torch.full_like(parameter, 0.5)))
    old.reset_parameters()
    assert torch.equal(old.eval()(x), new(x))
    assert repr(old) == repr(new)
