"""The digits task: the split that no seed moves, and its two networks."""

import subprocess
import sys

import pytest
import torch
from torch import nn

from afbench.errors import UsageError
from afbench.streams import stream
from afbench.tasks.base import create_task


def test_no_seed_moves_the_split() -> None:
    task = create_task("digits")
    for one, other in zip(task.data(stream(0, "data")), task.data(stream(1, "data")), strict=True):
        assert torch.equal(one[0], other[0])
        assert torch.equal(one[1], other[1])


@pytest.mark.parametrize(("model", "places", "count"), [("mlp", 2, 4160 + 4160 + 650), ("cnn", 3, 3658)])
def test_model_chooses_the_network(model: str, places: int, count: int) -> None:
    task = create_task("digits", {"model": model})
    built: list[nn.Module] = []

    def act(**_: int) -> nn.Module:
        built.append(nn.ReLU())
        return built[-1]

    network = task.network(act)
    images, _ = task.data(stream(0, "data")).test
    assert network(images).shape == (500, 10)
    assert len(built) == places
    assert sum(p.numel() for p in network.parameters()) == count


def test_headline_names_the_network() -> None:
    assert "MLP 64-64-64-10" in create_task("digits").headline
    assert "CNN" in create_task("digits", {"model": "cnn"}).headline


def test_an_unknown_model_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="'mlp', 'cnn'"):
        create_task("digits", {"model": "resnet"})


@pytest.mark.slow
def test_scikit_learn_is_loaded_when_the_data_is_and_not_before() -> None:
    code = (
        "import sys; from afbench.tasks.base import create_task; import torch; task = create_task('digits');"
        "assert 'sklearn' not in sys.modules; task.data(torch.Generator()); assert 'sklearn' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
