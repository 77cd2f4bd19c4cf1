"""The 1,797 handwritten digits of scikit-learn, in a fixed split."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

TEST, VALIDATION = 500, 297
"""Leaves 1,000 for training."""


@cache
def digits() -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Load 1,000 training, 297 validation and 500 test images with their labels.

    Returns:
        Three pairs: images [N, 1, 8, 8] in float32, minus the mean and divided by the standard deviation of all
        training pixels, and labels [N] from 0 to 9. Every split holds each class in proportion, and is always the
        same. The source names no writers, so a writer may be in more than one split.

    Source:
        ``sklearn.datasets.load_digits``: the test part of UCI's Optical Recognition of Handwritten Digits.
    """
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    images = torch.from_numpy(pixels).float().reshape(-1, 1, 8, 8)
    order = stratified_order(labels)
    test, validation, train = np.split(order, [TEST, TEST + VALIDATION])
    mean, deviation = images[train].mean(), images[train].std()
    images = (images - mean) / deviation
    targets = torch.from_numpy(labels).long()
    return (
        (images[train], targets[train]),
        (images[validation], targets[validation]),
        (images[test], targets[test]),
    )


def stratified_order(labels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Order samples so that any run of them holds each class in proportion, within two samples.

    Each class is shuffled and its samples spread evenly over [0, 1]; all are then sorted by that position.
    """
    # RandomState's stream is frozen by NumPy: the split stays the same over its versions.
    rng = np.random.RandomState(0)
    position = np.empty(len(labels))
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        position[members] = (np.arange(len(members)) + 0.5) / len(members)
    return np.argsort(position, kind="stable")
