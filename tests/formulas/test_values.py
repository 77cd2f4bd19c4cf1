"""Every entry, in many settings and with moved parameters, against its paper's formula in NumPy, in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch

LAYOUTS = {
    "NC": ((5, -1), 1),
    "NCL": ((3, -1, 4), 1),
    "NCHW": ((2, -1, 3, 2), 1),
    "NCDHW": ((2, -1, 2, 1, 3), 1),
    "NLC": ((3, 4, -1), -1),
}
POINTS = {
    "ends": (0.0, -0.5, 2.0, 0.25, 1.0, -1.0, -3.0, 3.0),  # vertices and kinks, where two pieces agree on who owns them
    "far": (-1e4, -40.0, -6.5, 6.5, 40.0, 1e4),
}


def drawn(shape, seed):
    return np.random.default_rng(seed).normal(0, 1.7, shape)


def agree(case, x, where, channel_dim=1):
    wanted = case.truth(x, channel_dim)
    got = case.module(torch.from_numpy(x)).detach().numpy()
    assert got.dtype == np.float64
    mode = "training" if case.module.training else "evaluation"
    np.testing.assert_allclose(got, wanted, rtol=1e-10, atol=1e-11, err_msg=f"{where}, {mode}")


def test_values(variant, case):
    for channels, channel_dim in ((1, 1), (3, 1), (1, -1), (3, -1)):
        built = case(variant, channels, channel_dim, seed=channels)
        for seed, (layout, (shape, where)) in enumerate(LAYOUTS.items()):
            if where != channel_dim:
                continue
            x = drawn([channels if size == -1 else size for size in shape], seed)
            for training in (False,) if built.noisy or channels == 1 else (False, True):
                built.module.train(training)
                agree(built, x, f"{layout}, C = {channels}", channel_dim)
        if (channels, channel_dim) == (1, -1):
            for where, points in POINTS.items():
                agree(built, np.array(points)[:, None], where, channel_dim)
    started = case(variant, moved=False)
    started.module.eval()
    agree(started, drawn((4, 3, 2), 0), "as it starts")


def test_meta_acon_keeps_running_statistics(case):
    built, x = case("meta_acon"), drawn((6, 3, 4), 1)
    before = built.state
    built.module(torch.from_numpy(x))
    z = x.mean(2) @ before["fc1.weight"].T + before["fc1.bias"]
    for name, batch in (("running_mean", z.mean(0)), ("running_var", z.var(0, ddof=1))):
        wanted = 0.9 * before[f"norm1.{name}"] + 0.1 * batch
        np.testing.assert_allclose(built.state[f"norm1.{name}"], wanted, rtol=1e-12)


def test_meta_acon_refuses_a_batch_of_one_in_training(case):
    x = torch.ones(1, 3, 4, dtype=torch.float64)
    with pytest.raises(ValueError, match="norm='none'"):
        case("meta_acon").module(x)
    case("meta_acon").module.eval()(x)
    case("meta_acon[norm=none]").module(x)
