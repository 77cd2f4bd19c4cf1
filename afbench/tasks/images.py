"""Classification of published image sets from files on this machine: the MNIST family and CIFAR."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..data.images import load
from ..data.layouts import SETS, ImageSet
from ..errors import Unavailable
from ..models import Standardize, lenet5, mlp, preact_resnet18
from .base import AtLeastOne, Batch, MakeActivation, Positive, Splits, Task, task

HIDDEN = (256, 128)
PADDING = 4


# A dataclass, like every registered task: a base class that is none would not pass on its fields.
@dataclasses.dataclass(frozen=True, kw_only=True)
class ImageTask(Task):
    """The base of image tasks: the data set of the task's name, as bytes on the device, standardised by the network."""

    networks: ClassVar[dict[str, str]] = {
        "mlp": f"MLP 784-{'-'.join(map(str, HIDDEN))}-10",
        "lenet5": "LeNet-5",
        "preact_resnet18": "PreActResNet-18",
    }

    epochs: Annotated[int, AtLeastOne] = 10
    # Adam with 2e-3 is one setting of the MNIST and Fashion-MNIST experiments in the code published with PAU.
    lr: Annotated[float, Positive] = 2e-3
    schedule: Literal["constant", "cosine"] = "cosine"

    @property
    def published(self) -> ImageSet:
        """The description of the data set, known without reading it."""
        return SETS[self.name]

    @property
    def headline(self) -> str:
        """The docstring's first line with the chosen network."""
        return f"{super().headline}, {self.networks[str(self.settings['model'])]}"

    def prepare(self) -> None:
        """Load the data set, so that missing or corrupt files show before anything runs."""
        load(self.name)

    def about(self) -> dict[str, Any]:
        """Return what a report needs, and the origin of the data."""
        try:
            return {**super().about(), "data": load(self.name).about}
        except Unavailable:  # the trial itself reports it
            return super().about()

    def data(self, rng: torch.Generator) -> Splits:
        """Return the fixed splits, images [N, C, H, W] in uint8 and labels [N]; nothing is drawn."""
        images = load(self.name)
        return Splits(images.train, images.validation, images.test)

    def network(self, act: MakeActivation) -> nn.Module:
        """Build the network chosen by ``model``; its first layer standardises the bytes."""
        images, (channels, size, _), classes = load(self.name), self.published.shape, self.published.classes
        first = Standardize(images.mean, images.deviation)
        model = self.settings["model"]
        if model == "mlp":
            return nn.Sequential(first, nn.Flatten(), *mlp(channels * size**2, *HIDDEN, classes, act=act))
        if model == "preact_resnet18":
            return nn.Sequential(first, *preact_resnet18(channels, classes, act=act))
        return nn.Sequential(first, *lenet5(channels, size, classes, act=act))


@task("fashion_mnist", tags=("classification", "images"), paper="arXiv:1708.07747", year=2017)
class FashionMnist(ImageTask):
    """Fashion-MNIST, grey images of clothes, 28x28, 10 classes.

    54,000 images for training, 6,000 for validation (one in 10 of the published training images, in proportion to the
    classes), and the 10,000 published test images. The splits are always the same: a trial's seed changes the weights
    and the order of the batches. ``afbench data fetch fashion_mnist`` downloads the images.

    Settings:
        model: ``mlp`` (two hidden layers of 256 and 128) or ``lenet5``.
    """

    model: Literal["mlp", "lenet5"] = "mlp"


@task("mnist", tags=("classification", "images"))
class Mnist(ImageTask):
    """MNIST, handwritten digits, 28x28, 10 classes.

    Splits and settings are those of ``fashion_mnist``; ``afbench data fetch mnist`` brings the images.
    """

    model: Literal["mlp", "lenet5"] = "mlp"


@task("kmnist", tags=("classification", "images"), paper="arXiv:1812.01718", year=2018)
class Kmnist(ImageTask):
    """Kuzushiji-MNIST, cursive Japanese characters, 28x28, 10 classes.

    Splits and settings are those of ``fashion_mnist``; ``afbench data fetch kmnist`` brings the images.
    """

    model: Literal["mlp", "lenet5"] = "mlp"


@dataclasses.dataclass(frozen=True, kw_only=True)
class CifarTask(ImageTask):
    """The base of CIFAR-10 and CIFAR-100: training images are shifted and mirrored at random."""

    epochs: Annotated[int, AtLeastOne] = 30
    augment: bool = True

    def batches(self, splits: Splits, rng: torch.Generator) -> Iterator[Batch]:
        """Yield the training images of one epoch in a new order, each shifted and mirrored at random.

        All random numbers of an epoch are drawn and sent to the device at once, so that no batch has to wait.
        """
        if not self.augment:
            yield from super().batches(splits, rng)
            return
        images, labels = splits.train
        count = len(images)
        order = torch.randperm(count, generator=rng).to(images.device)
        offsets = torch.randint(2 * PADDING + 1, (count, 2), generator=rng).to(images.device)
        mirrored = torch.randint(2, (count,), generator=rng).bool().to(images.device)
        for start in range(0, count, self.batch_size):
            place = slice(start, start + self.batch_size)
            yield crop(images[order[place]], offsets[place], mirrored[place]), labels[order[place]]


@task("cifar10", tags=("classification", "images"))
class Cifar10(CifarTask):
    """CIFAR-10, colour images, 32x32, 10 classes.

    45,000 images for training, 5,000 for validation (one in 10 of the published training images, in proportion to the
    classes), and the 10,000 published test images; the splits are always the same. The defaults are for LeNet-5. A
    common recipe for the residual network (kuangliu/pytorch-cifar, main.py) is ``--set optimizer=sgd --set lr=0.1 --set
    weight_decay=5e-4 --set epochs=200``; it needs a GPU.

    Settings:
        model: ``lenet5`` or ``preact_resnet18``.
        augment: shift training images by up to 4 pixels, with black borders, and mirror half of them.
    """

    model: Literal["lenet5", "preact_resnet18"] = "lenet5"


@task("cifar100", tags=("classification", "images"))
class Cifar100(CifarTask):
    """CIFAR-100, colour images, 32x32, 100 classes.

    Splits and settings are those of ``cifar10``; ``afbench data fetch cifar100`` brings the images.
    """

    model: Literal["lenet5", "preact_resnet18"] = "lenet5"


def crop(images: Tensor, offsets: Tensor, mirrored: Tensor) -> Tensor:
    """Pad images with 4 black pixels on each side, crop each at its own offset, and mirror some left to right.

    Args:
        images: [N, C, H, W].
        offsets: [N, 2], the first row and column of each crop in the padded image, from 0 to 8.
        mirrored: [N], true for the images to mirror.

    Returns:
        Images of the same shape and dtype.
    """
    count, channels, height, width = images.shape
    padded = F.pad(images, [PADDING] * 4)
    rows, columns = (torch.arange(side, device=images.device).expand(count, side) for side in (height, width))
    columns = torch.where(mirrored[:, None], columns.flip(1), columns)
    rows, columns = rows + offsets[:, :1], columns + offsets[:, 1:]
    image = torch.arange(count, device=images.device)[:, None, None, None]
    channel = torch.arange(channels, device=images.device)[:, None, None]
    return padded[image, channel, rows[:, None, :, None], columns[:, None, None, :]]
