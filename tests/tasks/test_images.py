"""The image tasks on tiny sets: the networks, the batches, what a record says, and a training from end to end."""

import os

import pytest
import torch
from torch import nn

import afbench
from afbench.data import roots
from afbench.data.layouts import SETS
from afbench.errors import Unavailable, UsageError
from afbench.registry.settings import Setting
from afbench.streams import stream
from afbench.tasks.base import create_task
from afbench.tasks.images import crop
from afbench.tasks.settings import task_settings

RUNS = [
    (name, layout.folder, model)
    for name, images in SETS.items()
    for layout in images.layouts
    for model in task_settings(type(create_task(name)))["model"].choices
    if model != "preact_resnet18" or layout.folder == "cifar-10-batches-py"
]


@pytest.mark.parametrize(("name", "folder", "model"), RUNS)
def test_it_trains_from_end_to_end(tiny, tmp_path, name, folder, model):
    tiny(name, folder, count=20, tested=8)
    settings = {"model": model, "epochs": 1, "batch_size": 9}
    options = {"seeds": 1, "out": tmp_path / "out", "engine": "inline", "cost": False, "settings": settings}
    summary = afbench.run(name, "prelu", **options, device="cpu")
    assert [record.status for record in summary.new] == ["ok", "ok"], [record.error for record in summary.new]
    held = summary.new[0]
    assert 0 <= held.metrics["accuracy"] <= 100
    assert held.about["data"]["source"] == f"{folder} in the folder of --data-root or AFBENCH_DATA"
    assert len(held.about["data"]["sha256"]) == 64
    again = afbench.run(name, "prelu", **options, device="cpu")
    assert len(again.skipped) == 2


def test_where_the_data_lies_does_not_change_the_key(tiny, tmp_path, monkeypatch):
    tiny("mnist", "MNIST/raw", count=100)
    options = {"seeds": 1, "out": tmp_path / "out", "engine": "inline", "cost": False, "budget": "smoke"}
    afbench.run("mnist", "relu", **options, device="cpu")
    (tmp_path / "data").rename(tmp_path / "elsewhere")
    monkeypatch.setenv(roots.VARIABLE, str(tmp_path / "elsewhere"))
    assert len(afbench.run("mnist", "relu", **options, device="cpu").skipped) == 1


def test_data_root_is_an_argument_of_run_and_holds_for_that_call(tiny, tmp_path):
    tiny("mnist", "MNIST/raw", count=100, below=tmp_path / "given")
    options = {"seeds": 1, "out": tmp_path / "out", "engine": "inline", "cost": False, "budget": "smoke"}
    (record,) = afbench.run("mnist", "relu", **options, device="cpu", data_root=tmp_path / "given").new
    assert record.status == "ok" and "the folder of --data-root" in record.about["data"]["source"]
    with pytest.raises(Unavailable, match="MNIST was not found"):
        afbench.run("mnist", "relu", **options, device="cpu")


def test_a_data_root_that_is_no_folder_is_refused_in_a_line(data_root, tmp_path):
    with pytest.raises(UsageError, match="^data root '.*nowhere' is not a folder .afbench data list shows") as caught:
        afbench.run("mnist", "relu", out=tmp_path / "out", data_root=tmp_path / "nowhere")
    assert "\n" not in str(caught.value) and not (tmp_path / "out").exists()
    assert os.environ[roots.VARIABLE] == str(data_root)


@pytest.mark.slow
def test_a_worker_process_finds_the_data(tiny, tmp_path):
    """It sees the published counts, so it must refuse the tiny set: but it has to have found it."""
    tiny("mnist", "MNIST/raw", count=100)
    run = {"seeds": 1, "out": tmp_path / "out", "jobs": 1, "cost": False, "budget": "smoke", "device": "cpu"}
    (record,) = afbench.run("mnist", "relu", **run).new
    assert record.status == "unavailable"
    assert "MNIST/raw holds 100 training images" in record.error["message"]
    assert os.environ[roots.VARIABLE] in record.error["message"]


def test_missing_data_is_said_before_anything_is_written(data_root, tmp_path):
    with pytest.raises(Unavailable, match="afbench data fetch fashion_mnist"):
        afbench.run("fashion_mnist", "relu", out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", SETS)
def test_no_seed_moves_the_splits_and_trials_share_their_memory(tiny, name):
    tiny(name, SETS[name].layouts[0].folder, count=100)
    task = create_task(name)
    for one, other in zip(task.data(stream(0, "data")), task.data(stream(1, "data")), strict=True):
        assert one[0].dtype == torch.uint8
        assert one[0] is other[0]
        assert one[1] is other[1]


@pytest.mark.parametrize(
    ("name", "model", "places", "count"),
    [
        ("fashion_mnist", "mlp", 2, (784 * 256 + 256) + (256 * 128 + 128) + (128 * 10 + 10)),
        ("kmnist", "lenet5", 4, 61_706),
        ("cifar100", "lenet5", 4, 69_656),
        ("cifar10", "preact_resnet18", 17, 11_172_170),
    ],
)
def test_model_chooses_the_network(tiny, name, model, places, count):
    tiny(name, SETS[name].layouts[0].folder)
    task = create_task(name, {"model": model})
    built = []

    def act(**_):
        built.append(nn.ReLU())
        return built[-1]

    network = task.network(act)
    assert len(built) == places
    assert sum(p.numel() for p in network.parameters()) == count
    images, _ = task.data(stream(0, "data")).validation
    assert network(images).shape == (20, SETS[name].classes)


@pytest.mark.parametrize(("name", "epochs"), [("fashion_mnist", 10), ("cifar100", 30)])
def test_the_recipe_reaches_the_registered_tasks(name, epochs):
    task = create_task(name)
    assert (task.epochs, task.lr, task.schedule, task.optimizer) == (epochs, 2e-3, "cosine", "adam")


def test_headline_names_the_network():
    assert create_task("fashion_mnist").headline.endswith("28x28, 10 classes, MLP 784-256-128-10")
    assert create_task("cifar10", {"model": "preact_resnet18"}).headline.endswith(", PreActResNet-18")


def test_the_location_is_no_setting():
    assert all(isinstance(setting, Setting) for setting in task_settings(type(create_task("cifar10"))).values())
    assert not {"data_root", "root"} & set(create_task("cifar10").settings)


def test_crop_cuts_and_mirrors_each_image_at_its_own_place():
    rng = torch.Generator().manual_seed(0)
    images = torch.randint(256, (60, 3, 32, 32), generator=rng, dtype=torch.uint8)
    offsets = torch.randint(9, (60, 2), generator=rng)
    offsets[:4] = torch.tensor([[0, 0], [8, 8], [0, 8], [4, 4]])
    mirrored = torch.arange(60) % 2 == 1
    made = crop(images, offsets, mirrored)
    assert made.dtype == torch.uint8
    for image, (top, left), mirror, got in zip(images, offsets.tolist(), mirrored, made, strict=True):
        padded = torch.zeros(3, 40, 40, dtype=torch.uint8)
        padded[:, 4:36, 4:36] = image
        cut = padded[:, top : top + 32, left : left + 32]
        assert torch.equal(got, cut.flip(2) if mirror else cut)
    assert torch.equal(made[3], images[3].flip(2))


def batches(name, seed, **settings):
    task = create_task(name, {"batch_size": 32, **settings})
    found = list(task.batches(task.data(stream(seed, "data")), stream(seed, "order")))
    return torch.cat([images for images, _ in found]), torch.cat([labels for _, labels in found])


def test_augmented_batches_hold_every_image_once_drawn_from_the_order_alone(tiny):
    tiny("cifar10", "cifar-10-batches-bin", count=100)
    (one, labels), (same, _), (other, _) = (batches("cifar10", seed) for seed in (0, 0, 1))
    assert torch.equal(one, same)
    assert one.shape == (90, 3, 32, 32)
    assert not torch.equal(one, other)
    plain, ordered = batches("cifar10", 0, augment=False)
    assert torch.equal(labels, ordered), "the same order with and without"
    assert not torch.equal(one, plain)
    task = create_task("cifar10")
    kept = task.data(stream(0, "data")).train[0]
    assert {image.numpy().tobytes() for image in plain} == {image.numpy().tobytes() for image in kept}


def test_grey_images_are_not_augmented(tiny):
    tiny("mnist", "MNIST/raw", count=100)
    seen, _ = batches("mnist", 0)
    kept = create_task("mnist").data(stream(0, "data")).train[0]
    assert {image.numpy().tobytes() for image in seen} == {image.numpy().tobytes() for image in kept}
