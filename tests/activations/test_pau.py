from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from numpy.polynomial import polynomial
from numpy.testing import assert_allclose

from afbench import create
from afbench.activations.rational_starts import PUBLISHED as PUBLISHED_FILE
from afbench.errors import UsageError

# rational_activations, rationals_config.json: version A, degree 5:4, leaky ReLU with slope 0.01.
A = [0.029792778657, 0.618373526499, 2.323309062531, 3.051936237265, 1.485420326383, 0.251024496111]
B = [-1.141954835729, 4.393159974992, 0.871471230996, 0.347196623396]


def reference(x, a, b):
    return polynomial.polyval(x, a) / polynomial.polyval(np.abs(x), [1, *np.abs(b)])


def reference_slope(x, a, b):
    p, q = a, [1, *np.abs(b)]
    top, bottom = polynomial.polyval(x, p), polynomial.polyval(np.abs(x), q)
    dtop = polynomial.polyval(x, polynomial.polyder(p))
    dbottom = polynomial.polyval(np.abs(x), polynomial.polyder(q)) * np.sign(x)
    return (dtop * bottom - top * dbottom) / bottom**2


@pytest.fixture
def pau():
    """PAU in float64 with the coefficients as published, not rounded to float32."""
    module = create("pau").double()
    module.load_state_dict({"a": torch.tensor(A, dtype=torch.float64), "b": torch.tensor(B, dtype=torch.float64)})
    return module


LARGE = np.concatenate([s * np.logspace(0.0, 30.0, 61) for s in (1.0, -1.0)])


def test_published_start():
    module = create("pau")
    assert_allclose(module.a.detach().numpy(), A, rtol=1e-7)
    assert_allclose(module.b.detach().numpy(), B, rtol=1e-7)


@pytest.mark.parametrize("channels", [1, 3, 64])
def test_parameter_count(channels):
    assert sum(p.numel() for p in create("pau", channels).parameters()) == 10


def test_values(curve, pau, grid):
    assert_allclose(curve(pau, grid), reference(grid, A, B), rtol=1e-11, atol=1e-14)


def test_values_far_out(curve, pau):
    assert_allclose(curve(pau, LARGE), reference(LARGE, A, B), rtol=1e-12)


def test_slopes(slope, pau, grid):
    x = grid[grid != 0]
    assert_allclose(slope(pau, x), reference_slope(x, A, B), rtol=1e-9, atol=1e-12)


def test_slopes_far_out(slope, pau):
    assert_allclose(slope(pau, LARGE), reference_slope(LARGE, A, B), rtol=1e-11)


def test_slopes_by_coefficients(pau):
    x = np.array([-50.0, -3.0, -0.5, 0.2, 1.0, 4.0, 100.0])
    pau(torch.from_numpy(x)).sum().backward()
    bottom = polynomial.polyval(np.abs(x), [1, *np.abs(B)])
    assert_allclose(pau.a.grad.numpy(), [(x**i / bottom).sum() for i in range(6)], rtol=1e-10)
    expected = [(-reference(x, A, B) * np.sign(B[j]) * np.abs(x) ** (j + 1) / bottom).sum() for j in range(4)]
    assert_allclose(pau.b.grad.numpy(), expected, rtol=1e-10)


def test_fits_leaky_relu_within_the_published_error(curve):
    x = np.linspace(-3, 3, 601)
    error = np.abs(curve("pau", x) - np.where(x > 0, x, 0.01 * x))
    assert error.max() < 0.030
    assert error.argmax() == 300  # at 0, where the value is a_0


def test_drifts_from_leaky_relu_outside(curve):
    assert_allclose(curve("pau", [10.0, 20.0, -10.0, -20.0]), [9.02, 16.6, -2.73, -9.2], atol=0.05)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_no_power_overflows(dtype):
    """x^5 of 1e30 is far beyond float32; the ratio is about 0.72 x."""
    module = create("pau")
    x = torch.tensor([1e10, -1e10, 1e30, -1e30], dtype=dtype, requires_grad=True)
    y = module(x)
    y.sum().backward()
    assert_allclose((y / x).detach().float().numpy(), A[5] / B[3], rtol=1e-2)
    assert_allclose(x.grad.float().numpy(), A[5] / B[3], rtol=1e-2)
    assert module.a.grad.isfinite().all() and module.b.grad.isfinite().all()


def test_float32_is_accurate_on_both_sides_of_one():
    x = np.float32([-1.0000001, -1.0, -0.99999994, 0.99999994, 1.0, 1.0000001, 7.0, 1e4])
    got = create("pau")(torch.from_numpy(x)).detach().numpy()
    assert_allclose(got, reference(x.astype(float), A, B), rtol=1e-5)


DEGREES = ["5:4", "2:2", "3:2", "7:6"]


def drawn(version, degree, rng, zero_centred=False):
    """The activation in float64 with coefficients of our own; its denominator as a function."""
    module = create(f"pau[version={version},degree={degree},zero_centred={str(zero_centred).lower()}]").double().eval()
    a, b = rng.normal(size=len(module.a)), rng.normal(size=len(module.b))
    with torch.no_grad():
        module.a.copy_(torch.from_numpy(a))
        module.b.copy_(torch.from_numpy(b))
    return module, [0, *a] if zero_centred else a, denominator(version, b)


def denominator(version, b):
    return {
        "a": lambda x: polynomial.polyval(np.abs(x), [1, *np.abs(b)]),
        "b": lambda x: 1 + np.abs(polynomial.polyval(x, [0, *b])),
        "c": lambda x: 0.1 + np.abs(polynomial.polyval(x, b)),
        "d": lambda x: 1 + np.abs(polynomial.polyval(x, [0, *b])),
        "n": lambda x: polynomial.polyval(x, [1, *b]),
    }[version]


@pytest.mark.parametrize("degree", DEGREES)
@pytest.mark.parametrize("version", "abcdn")
def test_values_of_every_version(curve, grid, version, degree):
    for zero_centred in (False, True):
        module, a, bottom = drawn(version, degree, np.random.default_rng(3), zero_centred)
        x = np.concatenate([grid, LARGE[::7]])
        x = x[np.abs(bottom(x)) > 0.01]  # as N it may pass through 0
        assert_allclose(curve(module, x), polynomial.polyval(x, a) / bottom(x), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("version", "abcdn")
def test_no_power_overflows_in_any_version(version):
    module = create(f"pau[version={version}]").eval()
    x = torch.tensor([1e4, -1e4, 1e30, -1e30], requires_grad=True)
    y = module(x)
    (first,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), x, retain_graph=True)
    y.sum().backward()
    slope = (module.a[-1] / module.b[-1].abs()).item()
    assert_allclose((y / x).detach()[2:].numpy(), slope, rtol=1e-5)
    assert_allclose(first.detach()[2:].numpy(), slope, rtol=1e-5)
    assert (second.abs() < 1e-4).all()
    assert module.a.grad.isfinite().all() and module.b.grad.isfinite().all()


COUNTS = {"a": 10, "b": 10, "c": 11, "d": 10, "n": 10}


@pytest.mark.parametrize(("version", "count"), COUNTS.items())
@pytest.mark.parametrize("channels", [1, 3, 64])
def test_parameter_count_of_every_version(version, count, channels):
    for zero_centred, fewer in (("false", 0), ("true", 1)):
        module = create(f"pau[version={version},zero_centred={zero_centred}]", channels)
        assert sum(p.numel() for p in module.parameters()) == count - fewer


# rationals_config.json again: versions B and C, degree 5:4, leaky ReLU with slope 0.01.
PUBLISHED = {
    "b": (
        [0.033558157335, 0.505005918678, 1.653469731095, 2.010050155260, 0.931919558648, 0.152426463983],
        [4.8128e-05, 3.980247905506, 1.58376e-05, 0.301833828397],
    ),
    "c": (
        [0.863943144303, 13.001131096232, 42.567639199418, 51.747576978698, 23.991651453141, 3.924120833061],
        [25.644974747512, -0.001349586637, 102.473082034854, -0.001793197037, 7.770900056151],
    ),
}


@pytest.mark.parametrize("version", PUBLISHED)
def test_published_starts_of_b_and_c(version):
    module, (a, b) = create(f"pau[version={version}]"), PUBLISHED[version]
    assert_allclose(module.a.detach().numpy(), a, rtol=1e-6)
    assert_allclose(module.b.detach().numpy(), b, rtol=1e-4)


@pytest.mark.parametrize(
    "start", ["leaky_relu", "leaky_relu_0.1", "relu", "gelu", "swish", "tanh", "sigmoid", "identity", "mish"]
)
@pytest.mark.parametrize("degree", DEGREES)
def test_versions_that_coincide(curve, grid, degree, start):
    """Fitted, B, C, D and N start as one function, since no sum below B's line is negative; D always starts as B."""
    own = [f"{version} {degree} {start}" in json.loads(PUBLISHED_FILE.read_text()) for version in "bcn"]
    wanted = curve(f"pau[version=b,degree={degree},start={start}]", grid)
    for version in "cdn":
        got = curve(create(f"pau[version={version},degree={degree},start={start}]").eval(), grid)
        if any(own) and version != "d":  # fits of their own: alike where they were fitted
            inside = np.abs(grid) <= 3
            assert_allclose(got[inside], wanted[inside], atol=0.04, err_msg=version)
        else:
            assert_allclose(got, wanted, rtol=1e-5, atol=1e-6, err_msg=version)


def test_a_and_b_coincide_on_positive_inputs_with_positive_coefficients(curve):
    a, b = torch.tensor(A), torch.tensor(B).abs()
    x, values = np.linspace(0, 9, 91), []
    for version in "ab":
        module = create(f"pau[version={version}]")
        module.load_state_dict({"a": a, "b": b})
        values.append(curve(module, x))
    assert_allclose(values[0], values[1], rtol=1e-12)


def test_d_is_noisy_in_training_only():
    x = torch.linspace(-4, 4, 81, dtype=torch.float64)
    module, exact = create("pau[version=d]").double(), create("pau[version=b]").double()
    torch.manual_seed(7)
    state = torch.get_rng_state()
    assert torch.equal(module.eval()(x), exact(x))
    assert torch.equal(torch.get_rng_state(), state)
    first, second = module.train()(x), module(x)
    assert not torch.equal(first, second)
    torch.manual_seed(7)
    assert torch.equal(module(x), first)


def test_noise_of_d():
    """Each a_i of its own factor from U(0.9, 1.1): at x = 0 the value is a_0 times it."""
    torch.manual_seed(0)
    module = create("pau[version=d]")
    x = torch.tensor([0.0, 1e6])
    with torch.no_grad():
        noisy = torch.stack([module(x) for _ in range(4000)])
        factors = (noisy / module.eval()(x)).numpy()  # of a_0, and of a_5
    assert factors.min() > 0.8999 and factors.max() < 1.1001
    assert_allclose(factors.mean(0), 1, atol=4e-3)
    assert_allclose(factors.std(0), 0.2 / np.sqrt(12), rtol=0.05)
    assert abs(np.corrcoef(factors.T)[0, 1]) < 0.05


def test_n_may_have_a_pole():
    module = create("pau[version=n]").double()
    with torch.no_grad():
        module.b.copy_(torch.tensor([-0.5, 0.0, 0.0, 0.0]))
    assert module(torch.tensor([1.0])).isfinite()
    assert not module(torch.tensor([2.0])).isfinite()
    assert "pole" in type(module).__doc__


@pytest.mark.parametrize("version", "abcdn")
def test_zero_stays_zero(version):
    torch.manual_seed(0)
    module = create(f"pau[version={version},zero_centred=true]")
    optimiser = torch.optim.Adam(module.parameters(), lr=0.01)
    for _ in range(3):
        assert module(torch.zeros(1)).item() == 0
        optimiser.zero_grad()
        (module(torch.randn(64)) - 1).square().mean().backward()
        optimiser.step()
    assert module(torch.zeros(1)).item() == 0
    assert all((p.grad != 0).all() for p in module.parameters())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("degree=5", "degree must be n:m"),
        ("degree=05:4", "degree must be n:m"),
        ("degree=4:5", "1 <= m <= n"),
        ("degree=13:4", "starts exist up to 12:12"),
        ("start=sigmoid,zero_centred=true", "0.5 at 0"),
    ],
)
@pytest.mark.parametrize("version", "abcdn")
def test_what_has_no_start_says_so(version, settings, message):
    with pytest.raises(UsageError, match=message):
        create(f"pau[version={version},{settings}]")


@pytest.mark.parametrize("zero_centred", [False, True])
@pytest.mark.parametrize("version", "abcdn")
@pytest.mark.parametrize(("shape", "channel_dim"), [((5, 4), -1), ((2, 4, 3, 3), 1), ((4, 6), 0), ((2, 3, 7, 4), 3)])
def test_per_channel_values(version, zero_centred, shape, channel_dim):
    """Each channel its own a and b: NumPy's polynomials, channel by channel."""
    rng = np.random.default_rng(5)
    flag = str(zero_centred).lower()
    module = create(f"pau[version={version},zero_centred={flag},per=channel]", 4, channel_dim).double().eval()
    assert module.a.shape == (4, 6 - zero_centred) and module.b.shape == (4, 4 + (version == "c"))
    a, b = rng.normal(size=module.a.shape), rng.uniform(0.1, 1, size=module.b.shape)  # N: no pole right of 0
    with torch.no_grad():
        module.a.copy_(torch.from_numpy(a))
        module.b.copy_(torch.from_numpy(b))
    x = rng.uniform(0, 3, size=shape) if version == "n" else 3 * rng.normal(size=shape)
    got = np.moveaxis(module(torch.from_numpy(x)).detach().numpy(), channel_dim, 0)
    for channel, values in enumerate(np.moveaxis(x, channel_dim, 0)):
        top = [0, *a[channel]] if zero_centred else a[channel]
        right = polynomial.polyval(values, top) / denominator(version, b[channel])(values)
        assert_allclose(got[channel], right, rtol=1e-9, atol=1e-11)


def test_per_channel_gradients():
    """Of A: dy/da_i = x^i / Q and dy/db_j = -P |x|^j sign(b_j) / Q^2, summed over what a channel holds."""
    rng = np.random.default_rng(6)
    module = create("pau[per=channel]", 3).double()
    a, b, x = rng.normal(size=(3, 6)), rng.normal(size=(3, 4)), rng.normal(size=(5, 3, 2))
    with torch.no_grad():
        module.a.copy_(torch.from_numpy(a))
        module.b.copy_(torch.from_numpy(b))
    module(torch.from_numpy(x)).sum().backward()
    for channel in range(3):
        values = x[:, channel]
        p, q = polynomial.polyval(values, a[channel]), denominator("a", b[channel])(values)
        of_a = [(values**i / q).sum() for i in range(6)]
        of_b = [(-p * np.abs(values) ** j * np.sign(b[channel, j - 1]) / q**2).sum() for j in range(1, 5)]
        assert_allclose(module.a.grad[channel].numpy(), of_a, rtol=1e-9)
        assert_allclose(module.b.grad[channel].numpy(), of_b, rtol=1e-9)


@pytest.mark.parametrize("version", "abcdn")
def test_per_channel_starts_as_per_layer(version):
    layer = create(f"pau[version={version}]").eval()
    module = create(f"pau[version={version},per=channel]", 5).eval()
    assert sum(p.numel() for p in module.parameters()) == 5 * COUNTS[version]
    x = torch.randn(4, 5, 3)
    assert_allclose(module(x).detach().numpy(), layer(x).detach().numpy(), rtol=1e-5, atol=1e-6)


def test_noise_of_d_is_each_channels_own():
    torch.manual_seed(0)
    module = create("pau[version=d,per=channel]", 6)
    with torch.no_grad():
        values = module(torch.zeros(1, 6))
    assert len(set(values.flatten().tolist())) == 6


@pytest.mark.parametrize("name", ["pau", "opau", "hp1"])
def test_per_channel_needs_the_channels(name):
    with pytest.raises(UsageError, match="needs channels="):
        create(f"{name}[per=channel]")
    with pytest.raises(ValueError, match="built for channels=3"):
        create(f"{name}[per=channel]", 3)(torch.zeros(2, 4))
