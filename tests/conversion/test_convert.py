"""Published state dicts become ours as functions. The oracles are the published formulas in float64 NumPy."""

from __future__ import annotations

import io

import numpy as np
import pytest
import scipy.linalg
import torch
from numpy.polynomial import polynomial
from numpy.testing import assert_allclose
from scipy.special import ndtr
from torch import nn

from afbench import convert, create
from afbench.errors import UsageError


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def acon(x, p1, p2, beta):
    """Ma et al. 2020: (p1 - p2) x sigmoid(beta (p1 - p2) x) + p2 x."""
    return (p1 - p2) * x * sigmoid(beta * (p1 - p2) * x) + p2 * x


def drawn(rng, **shapes):
    return {name: torch.from_numpy(rng.normal(size=shape)) for name, shape in shapes.items()}


def acon_state(rng, channels):
    return drawn(rng, **dict.fromkeys(("p1", "p2", "beta"), (1, channels, 1, 1)))


def meta_state(rng, channels, hidden, norms=True):
    maps = {"fc1.weight": (hidden, channels, 1, 1), "fc1.bias": (hidden,)}
    maps |= {"fc2.weight": (channels, hidden, 1, 1), "fc2.bias": (channels,)}
    state = drawn(rng, p1=(1, channels, 1, 1), p2=(1, channels, 1, 1), **maps)
    for name, size in (("bn1", hidden), ("bn2", channels)) if norms else ():
        state |= {f"{name}.{k}": v for k, v in drawn(rng, weight=size, bias=size, running_mean=size).items()}
        state[f"{name}.running_var"] = torch.from_numpy(rng.uniform(0.5, 2, size=size))
        state[f"{name}.num_batches_tracked"] = torch.tensor(5)
    return state


def meta_acon(x, state, training=False):
    """The same with beta = sigmoid(bn2(fc2(bn1(fc1(mean over positions))))), batch norms with eps 1e-5."""
    s = {name: value.numpy() for name, value in state.items()}

    def norm(y, name):
        if f"{name}.weight" not in s:
            return y
        mean, var = (y.mean(0), y.var(0)) if training else (s[f"{name}.running_mean"], s[f"{name}.running_var"])
        return (y - mean) / np.sqrt(var + 1e-5) * s[f"{name}.weight"] + s[f"{name}.bias"]

    y = norm(x.mean((2, 3)) @ s["fc1.weight"][:, :, 0, 0].T + s["fc1.bias"], "bn1")
    y = norm(y @ s["fc2.weight"][:, :, 0, 0].T + s["fc2.bias"], "bn2")
    return acon(x, s["p1"], s["p2"], sigmoid(y)[:, :, None, None])


def rational(version, x, a, b):
    """The library's versions, from its documentation."""
    below = {
        "a": lambda: 1 + sum(abs(k) * np.abs(x) ** (j + 1) for j, k in enumerate(b)),
        "b": lambda: 1 + np.abs(polynomial.polyval(x, [0, *b])),
        "c": lambda: 0.1 + np.abs(polynomial.polyval(x, b)),
        "d": lambda: 1 + np.abs(polynomial.polyval(x, [0, *b])),  # its noise is for training alone
        "n": lambda: 1 + polynomial.polyval(x, [0, *b]),
    }
    return polynomial.polyval(x, a) / below[version]()


def constraints(nc):
    """Continuity at the inner vertices of [0, 1], then 0 at both ends."""
    rows = np.zeros((nc + 1, 2 * nc))
    for i in range(nc - 1):
        u = (i + 1) / nc
        rows[i, 2 * i : 2 * i + 4] = [u, 1, -u, -1]
    rows[nc - 1, :2] = [-0.0, -1]
    rows[nc, -2:] = [-1, -1]
    return rows


def difw_basis(kind, nc):
    """What ``difw`` writes theta in, coefficient by coefficient, as its tessellation defines it."""
    s = 1 / nc
    basis = np.zeros((2 * nc, nc - 1))
    if kind == "qr":
        return scipy.linalg.qr(constraints(nc).T, mode="full", pivoting=True)[0][:, nc + 1 :]
    if kind == "svd":
        return scipy.linalg.null_space(constraints(nc))
    for k in range(1, nc):
        column = basis[:, k - 1]
        if kind == "sparse":
            column[2 * k - 2], column[2 * k - 1] = 1 / s, -(k - 1)
            column[2 * k], column[2 * k + 1] = -1 / s, k + 1
        else:
            column[0 : 2 * k : 2] = s
            column[2 * k], column[2 * k + 1] = -k * s, k * s * (k + 1) * s
        column /= np.abs(column).max()
    return basis


def precision_mat(basis, lambda_smooth, lambda_var):
    """inv(B^T K B + eps I), K_ij = (lambda_var D)^2 exp(-2 |g_i - g_j| / lambda_smooth), in float32 as published."""
    b = torch.from_numpy(basis).float()
    g = torch.linspace(-1, 1, len(b))
    kernel = (lambda_var * len(b)) ** 2 * torch.exp(-2 * (g[:, None] - g).abs() / lambda_smooth)
    return torch.inverse(b.T @ kernel @ b + torch.finfo(torch.float32).eps * torch.eye(b.shape[1]))


def warp(x, theta, basis, a, b, steps=2000):
    """T(x): the flow at time 1 of v01(u) = alpha_i u + beta_i, by Runge and Kutta's rule."""
    coefficients = basis @ theta
    nc = len(coefficients) // 2

    def velocity(u):
        cell = np.clip((u * nc).astype(int), 0, nc - 1)
        return coefficients[2 * cell] * u + coefficients[2 * cell + 1]

    u, h = (x - a) / (b - a), 1 / steps
    for _ in range(steps):
        k1 = velocity(u)
        k2 = velocity(u + h / 2 * k1)
        k3 = velocity(u + h / 2 * k2)
        u = u + h / 6 * (k1 + 2 * k2 + 2 * k3 + velocity(u + h * k3))
    return a + (b - a) * u


def ditac(x, theta, basis, a=-0.5, b=2.0):
    inside = (x >= a) & (x <= b)
    return np.where(inside, warp(np.where(inside, x, a), theta, basis, a, b), x) * ndtr(x)


def loaded(spec, state, **place):
    """Both ways of conversion, which must agree: by the spec, and for a module that is there."""
    module = create(spec, **place).double().eval()
    module.load_state_dict(convert(module, state))
    found = convert(spec, state).activations[""].double().eval()
    for name, value in found.state_dict().items():
        assert_allclose(value.numpy(), module.state_dict()[name].numpy(), rtol=1e-6)  # built in float32
    return module


def values(module, x):
    with torch.no_grad():
        return module(torch.from_numpy(x)).numpy()


@pytest.mark.parametrize("channels", [1, 3, 64])
def test_acon_c(channels):
    rng = np.random.default_rng(channels)
    state, x = acon_state(rng, channels), rng.normal(size=(2, channels, 4, 3))
    module = loaded("acon_c", state, channels=channels)
    assert_allclose(values(module, x), acon(x, *(state[n].numpy() for n in ("p1", "p2", "beta"))), rtol=1e-10)


@pytest.mark.parametrize("norms", [True, False])
@pytest.mark.parametrize(("channels", "hidden", "r"), [(3, 16, 16), (512, 32, 16), (64, 16, 4), (8, 5, 5)])
def test_meta_acon(channels, hidden, r, norms):
    """``acon.py`` has the batch norms, yolov5 none; the reduction is read from the shapes."""
    rng = np.random.default_rng(channels)
    state, x = meta_state(rng, channels, hidden, norms), rng.normal(size=(4, channels, 3, 2))
    spec = f"meta_acon[r={r}{'' if norms else ',norm=none'}]"
    module = loaded(spec, state, channels=channels)
    found = convert("meta_acon", state)
    assert found.places[0].source == ("acon.py" if norms else "yolov5")
    built = found.activations[""].double().eval()
    right = meta_acon(x, state)
    assert_allclose(values(module, x), right, rtol=1e-9, atol=1e-12)
    assert_allclose(values(built, x), right, rtol=1e-3, atol=1e-4)
    right = meta_acon(x, state, training=True)
    assert_allclose(values(module.train(), x), right, rtol=1e-7, atol=1e-9)


def test_a_meta_acon_without_counts_of_batches_is_read():
    """PyTorch before 0.4.1 did not store them."""
    state = meta_state(np.random.default_rng(0), 3, 16)
    old = {name: value for name, value in state.items() if "num_batches" not in name}
    convert("meta_acon", old).activations[""].load_state_dict(convert("meta_acon", state))


NAMES = {"rational_activations": ("numerator", "denominator"), "pau": ("weight_numerator", "weight_denominator")}


@pytest.mark.parametrize("degree", ["5:4", "2:2", "3:2", "7:6", "4:3"])
@pytest.mark.parametrize("version", "abcdn")
@pytest.mark.parametrize("source", NAMES)
def test_rational(source, version, degree):
    rng = np.random.default_rng(7)
    n, m = map(int, degree.split(":"))
    a, b = rng.normal(size=n + 1), rng.uniform(0.1, 1, size=m + (version == "c"))
    state = dict(zip(NAMES[source], map(torch.from_numpy, (a, b)), strict=True))
    x = rng.uniform(0, 4, size=(5, 7)) if version == "n" else 3 * rng.normal(size=(5, 7))
    found = convert(f"pau[version={version}]", state)
    assert found.places[0].source == source and found.activations[""].degree == degree
    module = create(found.places[0].spec).double().eval()
    module.load_state_dict(found)
    assert_allclose(values(module, x), rational(version, x, a, b), rtol=1e-9)


def test_rational_into_channels_and_into_a_zero_centred_one():
    rng = np.random.default_rng(3)
    a, b, x = rng.normal(size=6), rng.normal(size=4), rng.normal(size=(2, 3, 5))
    a[0] = 0
    state = {"numerator": torch.from_numpy(a), "denominator": torch.from_numpy(b)}
    for spec in ("pau[per=channel]", "pau[zero_centred=true]"):
        module = create(spec, channels=3).double()
        module.load_state_dict(convert(module, state))
        assert_allclose(values(module, x), rational("a", x, a, b), rtol=1e-9, atol=1e-14)
    state["numerator"][0] = 0.5
    with pytest.raises(UsageError, match="a_0 = 0.5"):
        convert(create("pau[zero_centred=true]"), state)


BASES = ["qr", "svd", "rref", "sparse"]


@pytest.mark.parametrize("cells", [2, 3, 10, 16])
@pytest.mark.parametrize("basis", BASES)
def test_ditac(basis, cells):
    rng = np.random.default_rng(cells)
    published = difw_basis(basis, cells)
    theta = rng.normal(size=cells - 1) * (1.0 if basis in ("qr", "svd") else cells / 2)
    state = {"thetas": torch.from_numpy(theta)[None], "precision_mat": precision_mat(published, 5, 2)}
    x = np.linspace(-1, 3, 101)
    module = convert("ditac[method=exact]", state, basis=basis).activations[""].double().eval()
    module.load_state_dict(convert(module, state, basis=basis))
    assert_allclose(values(module, x), ditac(x, theta, published), atol=1e-6)
    matrix = convert(module, state, basis=published)
    assert_allclose(matrix["theta"].numpy(), module.theta.detach().numpy(), atol=1e-12)


def test_ditac_of_the_published_regression():
    rng = np.random.default_rng(0)
    theta, basis = rng.normal(size=9), difw_basis("qr", 10)
    state = {"thetas": torch.from_numpy(theta)[None], "precision_mat": precision_mat(basis, 5, 1)}
    x = np.linspace(-4, 4, 101)
    module = convert("ditac[a=-3,b=3,lambda_var=1,method=exact]", state).activations[""].double()
    assert_allclose(values(module, x), ditac(x, theta, basis, -3.0, 3.0), atol=1e-5)  # built in float32
    with pytest.raises(UsageError, match=r"precision_mat fits lambda_smooth=\S+, lambda_var=\S+, not 5 and 2"):
        convert("ditac[a=-3,b=3]", state)


def test_another_basis_is_noticed_by_the_precision():
    """Each pair of bases is told apart, and so are other signs of single columns."""
    theta = torch.ones(1, 9)
    for meant in BASES:
        held = {"thetas": theta, "precision_mat": precision_mat(difw_basis(meant, 10), 5, 2)}
        for given in BASES:
            if given == meant:
                convert("ditac", held, basis=given)
            else:
                with pytest.raises(UsageError, match=f"does not fit basis={given}"):
                    convert("ditac", held, basis=given)
    signs = np.ones(9)
    for i in range(9):
        signs[i] = -1
        held = {"thetas": theta, "precision_mat": precision_mat(difw_basis("qr", 10) * signs, 5, 2)}
        with pytest.raises(UsageError, match="on this machine"):
            convert("ditac", held)
        signs[i] = 1


def test_prelu_of_torch():
    for size, spec in ((1, "prelu"), (5, "prelu[per=channel]")):
        theirs = nn.PReLU(size).double()
        nn.init.normal_(theirs.weight)
        x = torch.randn(3, 5, 2, dtype=torch.float64)
        found = convert("prelu", theirs.state_dict())
        assert found.places[0].spec == spec
        assert_allclose(values(found.activations[""].double(), x.numpy()), theirs(x).detach().numpy(), rtol=1e-6)
        ours = create(spec, channels=5).double()
        ours.load_state_dict(convert(ours, theirs.state_dict()))
        assert torch.equal(ours(x), theirs(x))


class Published(nn.Module):
    """A network with the authors' layers: only their names and shapes matter here."""

    def __init__(self, activation):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 1)
        self.blocks = nn.ModuleList([nn.Sequential(nn.Conv2d(8, 8, 1), nn.BatchNorm2d(8)) for _ in range(2)])
        for block in self.blocks:
            block.add_module("act2", activation())
        self.fc = nn.Linear(8, 2)

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return self.fc(x.mean((2, 3)))


def published_network(rng, prefix=""):
    net = Published(nn.Identity).double().eval()
    state = dict(net.state_dict())
    acons = [acon_state(rng, 8) for _ in range(2)]
    for i, own in enumerate(acons):
        state |= {f"blocks.{i}.act2.{name}": value for name, value in own.items()}
    return {prefix + name: value for name, value in state.items()}, acons


def test_a_whole_network():
    rng = np.random.default_rng(1)
    state, acons = published_network(rng)
    before = dict(state)
    net = Published(lambda: create("acon_c", channels=8)).double().eval()
    new = convert(net, state)
    net.load_state_dict(new)
    x = rng.normal(size=(2, 3, 4, 4))
    y = values(net.stem, x)
    for block, own in zip(net.blocks, acons, strict=True):
        y = acon(values(block[:2], y), *(own[n].numpy() for n in ("p1", "p2", "beta")))
    assert_allclose(values(net, x), values(net.fc, y.mean((2, 3))), rtol=1e-9)
    assert state == before  # not changed, and the same objects
    assert all(new[name] is value for name, value in state.items() if "act2" not in name)
    assert list(new) == list(state)
    assert [place.prefix for place in new.places] == ["blocks.0.act2", "blocks.1.act2"]
    assert new.report.splitlines()[0] == f"2 activations converted, {len(state) - 6} other tensors untouched"
    assert "  blocks.0.act2: acon_c[channels=8, channel_dim=1], from acon.py" in new.report.splitlines()


def test_a_whole_network_by_a_spec_at_any_depth():
    state, acons = published_network(np.random.default_rng(2), "module.backbone.")
    found = convert("acon_c", state)
    net = nn.ModuleDict({"module": nn.ModuleDict({"backbone": Published(nn.Identity)})})
    for prefix, module in found.activations.items():
        net.set_submodule(prefix, module)
    net.load_state_dict(found)
    assert torch.equal(net.module.backbone.blocks[1].act2.p1, acons[1]["p1"].flatten().float())


def test_what_is_ours_already_is_left_alone():
    net = Published(lambda: create("acon_c", channels=8))
    new = convert(net, net.state_dict())
    assert not new.places
    assert all(torch.equal(new[name], value) for name, value in net.state_dict().items())
    once = convert(net, published_network(np.random.default_rng(3))[0])
    assert not convert(net, once).places


def test_a_shared_activation_is_converted_at_each_of_its_names():
    shared = create("acon_c", channels=4)
    net = nn.Sequential(shared, shared)
    own = acon_state(np.random.default_rng(0), 4)
    new = convert(net, {f"{i}.{name}": value for i in (0, 1) for name, value in own.items()})
    assert {name: tuple(value.shape) for name, value in new.items()} == {
        f"{i}.{name}": (4,) for i in (0, 1) for name in ("p1", "p2", "beta")
    }
    net.load_state_dict(new)


def test_a_state_of_batch_norms_keeps_its_versions_and_is_pickled_as_a_plain_one():
    net = nn.Sequential(nn.BatchNorm1d(3), create("acon_c", channels=3))
    state = nn.Sequential(nn.BatchNorm1d(3)).state_dict()
    state.update({f"1.{name}": value for name, value in acon_state(np.random.default_rng(0), 3).items()})
    new = convert(net, state)
    assert new._metadata["0"] == {"version": 2}
    stored = io.BytesIO()
    torch.save(new, stored)
    stored.seek(0)
    net.load_state_dict(torch.load(stored, weights_only=True))


def test_the_draws_of_others_are_not_shifted():
    state = acon_state(np.random.default_rng(0), 4)
    torch.manual_seed(3)
    before = torch.get_rng_state()
    convert("acon_c", state)
    assert torch.equal(torch.get_rng_state(), before)


ACON = acon_state(np.random.default_rng(0), 4)
META = meta_state(np.random.default_rng(0), 4, 16)
RATIONAL = {"numerator": torch.ones(6), "denominator": torch.ones(4)}
THETA = {"thetas": torch.ones(1, 9)}


@pytest.mark.parametrize(
    ("target", "state", "message"),
    [
        ("acon_c", {}, "this state dict holds no tensors"),
        ("acon_c", {"state_dict": ACON, "epoch": 3}, "the key 'state_dict' may hold one"),
        ("acon_c", [1], "takes a state dict .*, not a list"),
        ("acon_c", {"fc.weight": torch.ones(2, 2)}, "no acon_c is in this state dict; it has none"),
        ("acon_c", {f"a.{k}": v for k, v in META.items()}, r"no acon_c .*; it has a \(meta_acon\)"),
        ("acon_c", {"a.p1": ACON["p1"], "a.p2": ACON["p2"]}, "a: p1, p2 without beta"),
        ("acon_c", {**ACON, "gamma": torch.ones(1)}, r"gamma is no tensor of acon_c in nmaac/acon: acon.py"),
        ("acon_c", {**ACON, "p2": torch.ones(4)}, r"p2 has the shape \(4,\); it should be \[1, C, 1, 1\]"),
        ("acon_c", {**ACON, "p2": torch.ones(1, 5, 1, 1)}, r"p2 has the shape \(5,\), but acon_c needs \(4,\)"),
        ("meta_acon", {**META, "fc1.weight": torch.ones(16, 4, 3, 3)}, r"fc1.weight has the shape \(16, 4, 3, 3\)"),
        ("meta_acon[r=2]", META, r"fc1.weight has the shape \(16, 4\), but meta_acon\[r=2\] needs \(2, 4\)"),
        ("meta_acon[norm=none]", META, r"meta_acon\[norm=none\] has no tensor for acon.py's norm1"),
        ("pau", RATIONAL | {"denominator": torch.ones(7)}, "degree must be n:m"),
        ("pau[degree=7:6]", RATIONAL, r"a has the shape \(6,\), but pau\[degree=7:6\] needs \(8,\)"),
        ("pau", {"numerator": torch.ones(6)}, "numerator without denominator"),
        ("pau", RATIONAL | {"numerator": torch.ones(1, 6)}, r"numerator has the shape \(1, 6\); it should be \[N\]"),
        ("ditac", {"thetas": torch.ones(9)}, r"thetas has the shape \(9,\); it should be \[1, D\]"),
        ("ditac[cells=12]", THETA, "which needs zero_boundary=true and cells=10"),
        ("ditac[zero_boundary=false]", THETA, "which needs zero_boundary=true"),
        ("ditac", THETA | {"precision_mat": torch.ones(8, 8)}, r"precision_mat has the shape \(8, 8\)"),
        ("relu", ACON, "knows no published implementation of relu, only of acon_c, ditac"),
        ("aconc", ACON, "did you mean 'acon_c'"),
        (
            nn.Sequential(create("acon_c", channels=4)),
            {"act.thetas": THETA["thetas"]},
            r"the state dict has act \(ditac\), the network has 0 \(acon_c\); their names must agree",
        ),
        (create("acon_c", channels=5), ACON, r"p1 has the shape \(4,\), but acon_c\[channels=5"),
        (create("meta_acon", channels=4), ACON, ", but the state dict has beta, p1, p2"),
        (nn.Linear(2, 2), ACON, r"the network has none; their names must agree"),
        (ACON, "acon_c", "the network or the spec first"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(target, state, message):
    with pytest.raises(UsageError, match=message) as caught:
        convert(target, state)
    assert "\n" not in str(caught.value)


def test_a_meta_acon_with_norms_refuses_a_state_without():
    state = {name: value for name, value in META.items() if "bn" not in name}
    with pytest.raises(UsageError, match="yolov5 has no tensor for norm"):
        convert("meta_acon[norm=batch]", state)


def test_sources_and_bases_are_checked():
    with pytest.raises(UsageError, match="source must be one of"):
        convert("acon_c", ACON, source="acon")
    with pytest.raises(UsageError, match="basis must be one of"):
        convert("ditac", THETA, basis="QR")
    with pytest.raises(UsageError, match="is no basis"):
        convert("ditac", THETA, basis=np.ones((20, 9)))
    with pytest.raises(UsageError, match="differs between machines"):
        convert("ditac", THETA, basis="svd")


def test_the_weight_of_a_norm_is_not_taken_for_prelu():
    state = {"norm.weight": torch.ones(3), "act.weight": torch.ones(1)}
    with pytest.raises(UsageError, match="no prelu"):
        convert("prelu", state)
    net = nn.ModuleDict({"norm": nn.RMSNorm(3), "act": create("prelu")})
    new = convert(net, state)
    assert list(new) == ["norm.weight", "act.a"]
    assert list(convert("prelu", {"act.weight": torch.ones(1)}, source="torch")) == ["act.a"]
