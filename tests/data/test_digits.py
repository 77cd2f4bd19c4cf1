"""The digits: split once, disjoint, stratified, standardised by the training images alone."""

import numpy as np
import torch
from sklearn.datasets import load_digits

from afbench.data.digits import digits, stratified_order


def test_sizes_and_types() -> None:
    for (images, labels), count in zip(digits(), (1000, 297, 500), strict=True):
        assert images.shape == (count, 1, 8, 8)
        assert images.dtype == torch.float32
        assert labels.shape == (count,)
        assert labels.dtype == torch.int64


def test_every_image_stands_in_exactly_one_split_with_its_label() -> None:
    order = stratified_order(load_digits().target)
    assert np.array_equal(np.sort(order), np.arange(1797))
    test = order[:500]
    (train, train_labels), _, (held, held_labels) = digits()
    assert np.array_equal(held_labels.numpy(), load_digits().target[test])
    raw = load_digits().data[test]
    assert np.corrcoef(held.flatten().numpy(), raw.ravel())[0, 1] > 0.999999
    assert len(train) + len(held) + 297 == 1797
    assert np.array_equal(train_labels.numpy(), load_digits().target[order[797:]])


def test_every_split_holds_each_class_in_proportion() -> None:
    shares = np.bincount(load_digits().target) / 1797
    for _, labels in digits():
        counts = np.bincount(labels.numpy(), minlength=10)
        assert np.abs(counts - shares * len(labels)).max() <= 2


def test_standardised_by_the_training_images() -> None:
    (train, _), (validation, _), _ = digits()
    assert abs(train.mean().item()) < 1e-5
    assert abs(train.std().item() - 1) < 1e-5
    assert validation.min() == train.min()  # a pixel without ink


def test_splits_share_no_image() -> None:
    seen = [{row.tobytes() for row in images.numpy()} for images, _ in digits()]
    assert not (seen[0] & seen[1] or seen[0] & seen[2] or seen[1] & seen[2])
