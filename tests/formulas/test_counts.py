"""How many parameters each entry has, in many settings, against its paper's definition."""

from __future__ import annotations

import pytest

from afbench import count_parameters, create


def test_counts(specs, counted):
    for spec in specs:
        for channels in (1, 3, 64):
            parameters = count_parameters(create(spec, channels=channels))
            wanted = counted(spec, channels)
            assert parameters.activation == parameters.trainable == parameters.total == wanted, (spec, channels)


@pytest.mark.parametrize(
    ("spec", "channels", "number"),
    [
        ("pau", 64, 10),
        ("pau[version=c]", 64, 11),
        ("opau", 64, 10),
        ("ditac", 64, 9),
        ("ditac[zero_boundary=false]", 64, 11),
        ("acon_c", 64, 192),
        ("meta_acon", 64, 2 * 64 + (64 * 16 + 16) + 2 * 16 + (16 * 64 + 64) + 2 * 64),
    ],
)
def test_published_counts(spec, channels, number):
    assert count_parameters(create(spec, channels=channels)).trainable == number
