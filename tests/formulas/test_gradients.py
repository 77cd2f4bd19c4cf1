"""Autograd against central differences of the formulas: by x, and by each parameter, at a few places each."""

from __future__ import annotations

import numpy as np
import torch

SHAPE = (4, 3, 2)
STEP = 1e-5
PLACES = 4
"""How many elements of each tensor are moved."""


def slope(f, array, index):
    """df/d(array[index]) from four points; the error is O(STEP^4)."""
    was = array[index]

    def at(offset):
        array[index] = was + offset * STEP
        return f()

    result = (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * STEP)
    array[index] = was
    return result


def some(shape, rng):
    """Draw a few indices, as tuples."""
    flat = rng.choice(np.prod(shape, dtype=int), size=min(PLACES, np.prod(shape, dtype=int)), replace=False)
    return list(zip(*np.unravel_index(np.sort(flat), shape), strict=True))


def test_gradients(variant, case, oracles):
    rng = np.random.default_rng(3)
    built = case(variant, seed=5)
    built.module.train(not built.noisy)
    x, weights, state = rng.normal(0, 1.5, SHAPE), rng.normal(size=SHAPE), built.state
    inputs = torch.from_numpy(x.copy()).requires_grad_()
    (built.module(inputs) * torch.from_numpy(weights)).sum().backward()

    def total():
        return (weights * built.truth(x, state=state)).sum()

    learned = {name: (state[name], parameter.grad.numpy()) for name, parameter in built.module.named_parameters()}
    for name, (array, gradient) in {"x": (x, inputs.grad.numpy()), **learned}.items():
        for index in some(array.shape, rng):
            wanted = slope(total, array, index)
            if name == "theta" and built.settings.get("published_gradient"):
                wanted = oracles["diffeomorphism"].published_gradient(index[0], wanted, state, built.settings)
            np.testing.assert_allclose(gradient[index], wanted, rtol=1e-6, atol=1e-8, err_msg=f"{name}{list(index)}")
