"""Derivatives of every kind by public names of torch alone: with each private name taken away, and with none."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from torch.autograd import forward_ad
from torch.func import grad, hessian, jacfwd, jacrev, jvp, vmap

import afbench
from afbench.kernels import ditac as kernel
from afbench.kernels import library, modes, units

NAMES = ["functorch_transforms", "dispatch_modes", "jit_trace"]
PATHS = [*library.available()[-1:], None]


ONE = [pytest.param([name], marks=pytest.mark.slow) for name in NAMES]


@pytest.fixture(params=[(), NAMES, *ONE], ids=lambda names: "+".join(names) or "all there")
def taken(request, monkeypatch):
    """Private names of torch that are missing."""
    for name in request.param:
        monkeypatch.setattr(modes, name, None)


def test_a_missing_name_is_none():
    assert modes.find(torch, "_no_such_name") is None
    assert modes.find(torch, "__version__") is None


def swish(x, beta):
    return units.swish(x, beta, 0)


def swish_of_torch(x, beta):
    return x * torch.sigmoid(beta * x)


def ditac(x, theta):
    return kernel.ditac(x, theta, 4, True, -1.0, 2.0, "ditac", False)


def ditac_in_float64(x, theta):
    return ditac(x.double(), theta.double())


CASES = {
    "swish": (swish, swish_of_torch, torch.tensor([1.3])),
    "ditac": (ditac, ditac_in_float64, torch.tensor([0.4, -0.3, 0.5])),
}
X = torch.tensor([-2.5, -0.7, -0.31, 0.2, 0.9, 1.7, 2.6])


def summed(function):
    return lambda x, p: function(x, p).square().sum()


def dual(function, x, p):
    with forward_ad.dual_level():
        return forward_ad.unpack_dual(function(forward_ad.make_dual(x, x.cos()), p)).tangent


def reverse_of_dual(function, x, p):
    leaf = x.clone().requires_grad_()
    return torch.autograd.grad(dual(function, leaf, p).sum(), leaf)[0]


def twice(function, x, p):
    leaves = [t.clone().requires_grad_() for t in (x, p)]
    first = torch.autograd.grad(function(*leaves).square().sum(), leaves, create_graph=True)
    return torch.autograd.grad(sum(g.square().sum() for g in first), leaves)


WAYS = {
    "grad": lambda f, x, p: grad(summed(f), (0, 1))(x, p),
    "grad of grad": lambda f, x, p: grad(lambda x, p: grad(summed(f))(x, p).square().sum(), (0, 1))(x, p),
    "double backward": twice,
    "vmap": lambda f, x, p: vmap(f, (None, 0))(x, torch.stack([p, 0.9 * p])),
    "per-sample gradients": lambda f, x, p: vmap(grad(summed(f), (0, 1)), (0, None))(x.view(-1, 1), p),
    "jacfwd": lambda f, x, p: jacfwd(f, (0, 1))(x, p),
    "jacfwd of jacfwd": lambda f, x, p: jacfwd(jacfwd(f, (0, 1)), (0, 1))(x, p),
    "jacrev of jacrev": lambda f, x, p: jacrev(jacrev(f, (0, 1)), (0, 1))(x, p),
    "jacrev of jacfwd": lambda f, x, p: jacrev(jacfwd(f, (0, 1)), (0, 1))(x, p),
    "hessian": lambda f, x, p: hessian(summed(f), (0, 1))(x, p),
    "jvp over hessian": lambda f, x, p: jvp(lambda p: hessian(summed(f), 1)(x, p), (p,), (p.sin(),))[1],
    "jvp of vmap": lambda f, x, p: jvp(lambda x: vmap(lambda t: f(t.view(1), p))(x), (x,), (x.cos(),))[1],
    "grad of jvp": lambda f, x, p: grad(lambda x: jvp(lambda x: f(x, p), (x,), (x.cos(),))[1].sum())(x),
    "dual numbers": dual,
    "reverse over dual numbers": reverse_of_dual,
}


@pytest.mark.filterwarnings("ignore:`torch.jit")  # of torch, within torch.func.jvp
@pytest.mark.parametrize("path", PATHS, ids=str)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", CASES)
def test_derivatives(name, way, path, taken):
    """Swish beside torch's own operators; DiTAC's table beside the closed form in float64, in reverse mode alone."""
    function, truth, parameter = CASES[name]
    with library.using(path):
        got = WAYS[way](function, X, parameter)
        if name == "ditac" and way != "vmap":
            wanted = reversed_ways(way, truth)
        else:
            wanted = WAYS[way](truth, X, parameter)
    for one, right in zip(torch.utils._pytree.tree_leaves(got), torch.utils._pytree.tree_leaves(wanted), strict=True):
        size = max(1.0, right.abs().max().item())
        torch.testing.assert_close(one.double(), right.double(), rtol=1e-3, atol=2e-3 * size)


def reversed_ways(way, truth):
    """The same derivative in float64 by reverse mode, which gradcheck has judged."""
    x, p = X.double(), CASES["ditac"][2].double()
    second = {
        "jacfwd": lambda: jacrev(truth, (0, 1))(x, p),
        "jacfwd of jacfwd": lambda: jacrev(jacrev(truth, (0, 1)), (0, 1))(x, p),
        "jacrev of jacfwd": lambda: jacrev(jacrev(truth, (0, 1)), (0, 1))(x, p),
        "hessian": lambda: jacrev(jacrev(summed(truth), (0, 1)), (0, 1))(x, p),
        "jvp over hessian": lambda: jacrev(jacrev(jacrev(summed(truth), 1), 1), 1)(x, p) @ p.sin(),
        "jvp of vmap": lambda: (grad(lambda x: truth(x, p).sum())(x) * x.cos()).view(-1, 1),
        "dual numbers": lambda: grad(lambda x: truth(x, p).sum())(x) * x.cos(),
        "reverse over dual numbers": lambda: grad(lambda x: (grad(lambda x: truth(x, p).sum())(x) * x.cos()).sum())(x),
        "grad of jvp": lambda: grad(lambda x: (grad(lambda x: truth(x, p).sum())(x) * x.cos()).sum())(x),
    }
    return second[way]() if way in second else WAYS[way](truth, x, p)


PRIVATE = re.compile(r"\btorch\.(?:\w+\.)*_[a-zA-Z]|from torch\S* import .*\b_\w|\b_C\b|_dynamo\b|_functorch\b")


def test_no_other_room_of_the_layers_uses_private_names_of_torch():
    package = Path(afbench.__file__).parent
    found = [
        f"{path.relative_to(package)}:{number}: {line.strip()}"
        for room in ("kernels", "activations")
        for path in sorted((package / room).rglob("*.py"))
        if path.name != "modes.py"
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if PRIVATE.search(line.partition("#")[0])
    ]
    assert not found
