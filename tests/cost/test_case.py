"""Cases read from text, their channels, and what is refused."""

import pytest

from afbench.cost.case import Case, cases, parse_shapes
from afbench.errors import UsageError


@pytest.mark.parametrize(
    ("shape", "dimension", "channels"),
    [((32, 64, 56, 56), 1, 64), ((8, 197, 3072), 2, 3072), ((256, 128), 1, 128), ((1000,), 0, 1000)],
)
def test_channels_are_the_second_dimension_of_images_and_the_last_of_all_else(shape, dimension, channels):
    assert (Case(shape).channel_dim, Case(shape).channels) == (dimension, channels)


def test_all_combinations():
    found = cases("4x8,5", "float32,bfloat16", "eager,compile", "cpu", "1,2")
    assert len(found) == len(set(found)) == 16
    assert str(found[0]) == "4x8 float32, eager, cpu, 1 thread"


def test_a_gpu_has_graphs_and_no_threads():
    assert [case.mode for case in cases("4", "float32", "eager,graph", "cuda", "1,2")] == ["eager", "graph"]


def test_scaling_goes_from_a_thousand_to_a_hundred_million_in_rows_of_64():
    shapes = parse_shapes("scaling")
    sizes = [rows * columns for rows, columns in shapes]
    assert len(sizes) == 11 and {columns for _, columns in shapes} == {64}
    assert sizes[0] == pytest.approx(1e3, rel=0.05) and sizes[-1] == pytest.approx(1e8, rel=0.01)
    assert all(b / a == pytest.approx(10**0.5, rel=0.05) for a, b in zip(sizes, sizes[1:], strict=False))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"shapes": "4x"}, "--shapes takes sizes such as 32x64x56x56, or scaling, not '4x'"),
        ({"shapes": "0x4"}, "not '0x4'"),
        ({"shapes": "scalin"}, "not 'scalin'; did you mean 'scaling'?"),
        ({"shapes": ""}, "--shapes is empty"),
        ({"shapes": "99999999999999"}, "has 1e[+]14 elements"),
        ({"dtypes": "float23"}, "--dtype takes .*, not 'float23'; did you mean 'float32'?"),
        ({"modes": "compiled"}, "--mode takes .*; did you mean 'compile'?"),
        ({"modes": "graph"}, "--mode graph needs CUDA"),
        ({"threads": "0"}, "--threads takes positive integers"),
        ({"threads": "two"}, "--threads takes positive integers"),
    ],
)
def test_what_is_wrong_says_what_would_be_right(given, said):
    call = {"shapes": "4", "dtypes": "float32", "modes": "eager", "device": "cpu", "threads": "1"}
    with pytest.raises(UsageError, match=said):
        cases(**{**call, **given})
