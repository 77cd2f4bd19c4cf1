"""Every operator as torch sees it: schema, fake, autograd, vmap, torch.func, compile, export, autocast."""

from __future__ import annotations

import copy
import io
import multiprocessing
import pickle

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.testing._internal.optests.generate_tests import DEFAULT_TEST_UTILS

from afbench import create
from afbench.kernels import library, rational, units

OPS = torch.ops.afbench
B4, A6 = [-0.7, 0.5, 0.3, 0.2], [0.1, 0.6, -1.3, 0.9, 0.4, 0.25]
PER_CHANNEL = {
    "swish": ([1.0, 1.3, 0.7],),
    "acon_b": ([0.1, 0.2, 0.3], [1.0, 1.3, 0.7]),
    "acon_c": ([1.1, -0.4, 0.3], [0.2, 0.3, -1.0], [1.0, 1.3, 0.7]),
    "prelu": ([0.1, 0.2, 0.3],),
    "pelu": ([1.1, 0.4, 0.3], [0.2, 0.3, 1.0]),
}


def arguments(name, dtype=torch.float32):
    """An operator's arguments: x [4, 3, 5], parameters per channel or, for a rational function, also per layer."""
    x = torch.randn(4, 3, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).to(dtype)
    if name in PER_CHANNEL:
        return [x, *(torch.tensor(p, dtype=dtype) for p in PER_CHANNEL[name]), 1]
    if name.startswith("ditac"):
        theta = torch.tensor([0.3, -0.4, 0.2, 0.5], dtype=dtype)
        several = torch.stack([theta, 0.9 * theta, 1.1 * theta, -theta])
        return [x, several if name.endswith("sample") else theta, 5, True, -2.0, 2.0, "ditac", False]
    kind, _, per = name.partition(" ")
    a, b, above = torch.tensor(A6, dtype=dtype), torch.tensor(B4, dtype=dtype), ""
    if kind == "legendre":
        a, b, above = a[:3], b[:2], rational.numerator("legendre", 2)
    if per:
        a, b = (torch.stack([p, 0.9 * p, 1.1 * p]) for p in (a, b))
    return [x, a, b, above, kind, 1]


NAMES = [*PER_CHANNEL, "a", "a channel", "legendre", "legendre channel"]
each = pytest.mark.parametrize("name", NAMES)
PATHS = [*library.available()[-1:], None]
paths = pytest.mark.parametrize("path", PATHS, ids=str)


def operator(name, suffix=""):
    own = name in PER_CHANNEL or name.startswith("ditac")
    return getattr(OPS, (name.partition(" ")[0] if own else "rational") + suffix).default


def learned(values):
    """How many tensors there are, x first: those that have gradients."""
    return sum(isinstance(value, torch.Tensor) for value in values)


def as_function(name, values):
    function, count = getattr(units, name) if name in PER_CHANNEL else rational.rational, learned(values)
    return (lambda *tensors: function(*tensors, *values[count:])), values[:count]


WITH_DITAC = pytest.mark.parametrize("name", [*NAMES, "ditac", "ditac sample"])


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")  # of torch 2.14's own check
@pytest.mark.slow
@paths
@WITH_DITAC
def test_opcheck(name, path):
    values = arguments(name)
    count = learned(values)
    values[:count] = [v.requires_grad_() for v in values[:count]]
    # The table's gradients are compared with those of the closed form, which torch.compile sees.
    near = {"rtol": 1e-2, "atol": 1e-3} if name.startswith("ditac") else {}
    for suffix, settings in (("", values), ("_backward", [torch.randn(4, 3, 5), *values])):
        # The plain gradients, and a plain DiTAC of several theta, are made with torch.func, which torch switches off
        # while a dispatch mode calls an operator; all checks but one use a mode. No call of afbench reaches these: the
        # operators stand only where the kernels serve. test_plain_results_match_the_schema judges them instead.
        transforms = path is None and (suffix or name == "ditac sample")
        checks = "test_autograd_registration" if transforms else DEFAULT_TEST_UTILS
        with library.using(path):
            torch.library.opcheck(operator(name, suffix), tuple(settings), test_utils=checks, **near)


@pytest.mark.parametrize("suffix", ["", "_backward"])
@WITH_DITAC
def test_plain_results_match_the_schema(name, suffix):
    """They are laid out like the inputs and share no memory with them, and the arguments stay as they are."""
    values = [*([torch.randn(4, 3, 5)] if suffix else []), *arguments(name)]
    tensors = values[: learned(values)]
    before = [t.clone() for t in tensors]
    with library.using(None):
        results = operator(name, suffix)(*values)
    results, inputs = (results, tensors[1:]) if suffix else ((results,), tensors[:1])
    for result, t in zip(results, inputs, strict=True):
        like = torch.empty_like(t)
        assert (result.shape, result.stride(), result.dtype) == (like.shape, like.stride(), like.dtype)
    for t, copied in zip(tensors, before, strict=True):
        assert torch.equal(t, copied)
    addresses = [t.untyped_storage().data_ptr() for t in (*tensors, *results)]
    assert len(set(addresses)) == len(addresses)


def test_kept_constants_stay_apart_from_fake_tensors():
    """torch.func wraps a fake tensor in one of the plain type, beside which a kept real constant is an error."""
    above = rational.numerator("legendre", 2)
    assert rational.in_powers_of_x(torch.ones(3), above).shape == (3,)  # from now on they are kept
    with FakeTensorMode():
        y, pull = torch.func.vjp(lambda a: rational.in_powers_of_x(a, above), torch.ones(3))
        assert pull(y)[0].shape == (3,)


@each
def test_gradcheck(name):
    function, tensors = as_function(name, arguments(name, torch.float64))
    tensors = [t.requires_grad_() for t in tensors]
    assert torch.autograd.gradcheck(function, tensors)
    assert torch.autograd.gradgradcheck(function, tensors, fast_mode=True)


@paths
@each
def test_double_backward(name, path):
    function, tensors = as_function(name, arguments(name))
    tensors = [t.requires_grad_() for t in tensors]
    wide = [t.detach().double().requires_grad_() for t in tensors]
    exact, _ = as_function(name, arguments(name, torch.float64))

    def second(function, tensors):
        gradients = torch.autograd.grad(function(*tensors).square().sum(), tensors, create_graph=True)
        return torch.autograd.grad(sum(g.square().sum() for g in gradients), tensors)

    with library.using(path):
        for one, other in zip(second(function, tensors), second(exact, wide), strict=True):
            torch.testing.assert_close(one.double(), other, rtol=1e-4, atol=1e-4 * other.abs().max().item())


@paths
@each
def test_torch_func(name, path):
    function, tensors = as_function(name, arguments(name))
    numbers = tuple(range(len(tensors)))

    def loss(*tensors):
        return function(*tensors).square().sum()

    with library.using(path):
        leaves = [t.clone().requires_grad_() for t in tensors]
        wanted = torch.autograd.grad(loss(*leaves), leaves)
        for one, other in zip(torch.func.grad(loss, numbers)(*tensors), wanted, strict=True):
            torch.testing.assert_close(one, other)
        jacobian = torch.func.jacrev(lambda *t: function(*t).sum((0, 2)), numbers)(*tensors)
        for one, t in zip(jacobian, tensors, strict=True):
            assert one.shape == (3, *t.shape)
        # Over every one of the arguments alone, and over all, at any dimension.
        for mapped in (*((i,) for i in numbers), numbers):
            for dim in (0, -1):
                stacked = [
                    torch.stack([t, 0.9 * t, 1.1 * t, 1.2 * t], dim) if i in mapped else t
                    for i, t in enumerate(tensors)
                ]
                dims = tuple(dim if i in mapped else None for i in numbers)
                slices = [[t.select(dim, k) if i in mapped else t for i, t in enumerate(stacked)] for k in range(4)]
                y = torch.func.vmap(function, dims)(*stacked)
                torch.testing.assert_close(y, torch.stack([function(*s) for s in slices]))
                rows = torch.func.vmap(torch.func.grad(loss, numbers), dims)(*stacked)
                alone = [torch.func.grad(loss, numbers)(*s) for s in slices]
                for one, other in zip(rows, zip(*alone, strict=True), strict=True):
                    torch.testing.assert_close(one, torch.stack(other), rtol=1e-4, atol=1e-4)


@paths
@each
def test_torch_func_in_any_depth(name, path):
    """Gradients of gradients, level upon level, and eager autograd under torch.func: none may be cut off."""
    function, tensors = as_function(name, arguments(name))
    exact, wide = as_function(name, arguments(name, torch.float64))

    def second(function, i, j, tensors, *, eager=False):
        def first(*tensors):
            return torch.func.grad(lambda *t: function(*t).square().sum(), i)(*tensors).square().sum()

        if not eager:
            return torch.func.grad(first, j)(*tensors)
        leaves = [t.clone().requires_grad_() for t in tensors]
        return torch.autograd.grad(first(*leaves), leaves[j])[0]

    with library.using(path):
        for i in range(len(tensors)):
            for j in range(len(tensors)):
                wanted = second(exact, i, j, wide)
                for eager in (False, True):
                    got = second(function, i, j, tensors, eager=eager)
                    near = 1e-3 * wanted.abs().max().item()
                    torch.testing.assert_close(got.double(), wanted, rtol=1e-3, atol=near)
        again = torch.func.jacrev(torch.func.jacrev(lambda x: function(x, *tensors[1:]).sum()))(tensors[0])
        wanted = torch.func.jacrev(torch.func.jacrev(lambda x: exact(x, *wide[1:]).sum()))(wide[0])
        torch.testing.assert_close(again.double(), wanted, rtol=1e-3, atol=1e-3 * wanted.abs().max().item())


@each
def test_nested_vmap(name):
    function, tensors = as_function(name, arguments(name))
    stacked = [torch.stack([t, 0.9 * t]) for t in tensors]
    twice = [torch.stack([t, 1.1 * t, 1.2 * t]) for t in stacked]
    y = torch.func.vmap(torch.func.vmap(function))(*twice)
    torch.testing.assert_close(y[2, 1], function(*(t[2, 1] for t in twice)))


@pytest.mark.filterwarnings("ignore:`torch.jit")  # of torch, within torch.func.jvp
@paths
@each
def test_forward_mode(name, path):
    function, tensors = as_function(name, arguments(name))
    tangents = [torch.ones_like(t) for t in tensors]
    with library.using(path):
        _, got = torch.func.jvp(function, tuple(tensors), tuple(tangents))
        leaves = [t.clone().requires_grad_() for t in tensors]
        slopes = torch.autograd.grad(function(*leaves).sum(), leaves)
    torch.testing.assert_close(got.sum(), sum(s.sum() for s in slopes), rtol=1e-3, atol=1e-3)


SPECS = ["pau", "opau", "swish", "acon_a", "acon_b", "acon_c", "meta_acon", "prelu", "pelu", "ditac", "ge_ditac"]
specs = pytest.mark.parametrize("spec", SPECS)


@paths
@specs
def test_autocast_keeps_the_dtypes(spec, path):
    module, x = create(spec, 3).eval(), torch.randn(4, 3, 5)
    with library.using(path), torch.autocast("cpu", torch.bfloat16):
        assert module(x).dtype == torch.float32
        low = x.bfloat16().requires_grad_()
        y = module(low)
        y.sum().backward()
    assert y.dtype == low.grad.dtype == torch.bfloat16
    if spec != "meta_acon":  # whose linear maps autocast runs in bfloat16
        # Computed in float32 and rounded once, under autocast or not.
        wide = module(low.detach().float())
        torch.testing.assert_close(y.float(), wide, rtol=2.0**-8, atol=1e-5)
    assert all(p.grad is None or p.grad.dtype == torch.float32 for p in module.parameters())


# Inductor calls what torch itself deprecates.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.slow
@specs
def test_compiles_in_one_graph(spec):
    module = create(spec, 3).eval()
    compiled = torch.compile(module, fullgraph=True, dynamic=True)
    for size in (4, 7):
        x = torch.randn(size, 3, 5, requires_grad=True)
        y = compiled(x)
        torch.testing.assert_close(y, module(x))
        y.sum().backward()


@specs
def test_exports(spec):
    module, x = create(spec, 3).eval(), torch.randn(4, 3, 5)
    program = torch.export.export(module, (x,), dynamic_shapes=({0: torch.export.Dim.AUTO},))
    x = torch.randn(6, 3, 5)
    torch.testing.assert_close(program.module()(x), module(x))


@specs
def test_copies(spec):
    module, x = create(spec, 3).eval(), torch.randn(4, 3, 5)
    module(x).sum().backward()
    buffer = io.BytesIO()
    torch.save(module, buffer)
    buffer.seek(0)
    for other in (
        copy.deepcopy(module),
        pickle.loads(pickle.dumps(module)),
        torch.load(buffer, weights_only=False),
    ):
        assert torch.equal(other(x), module(x))


@pytest.mark.parametrize("spec", [s for s in SPECS if s != "meta_acon"])  # which keeps what its linear maps need
def test_keeps_its_input_alone(spec):
    """4 bytes an element in float32; parameters do not count."""
    if library.instructions() is None:
        pytest.skip("the plain path keeps what autograd needs")
    kept = {}

    def pack(tensor):
        kept[tensor.data_ptr()] = tensor.numel() * tensor.element_size()
        return tensor

    module, x = create(spec, 3).eval(), torch.randn(64, 3, 50, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
        y = module(x)
    y.sum().backward()
    assert sum(size for size in kept.values() if size > 4000) == 4 * x.numel()


def _forked(queue, spec, x):
    torch.set_num_threads(2)  # what would wait for its parent's threads
    y = create(spec)(x)
    torch.set_num_threads(1)  # torch's own sum would
    queue.put(y.sum().item())


@pytest.mark.parametrize("spec", ["swish", "pau"])
def test_after_a_fork(spec):
    """A forked worker, as DataLoader's, does not wait for threads that it has not."""
    x = torch.ones(100_000)
    wanted = create(spec)(x).sum().item()
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    worker = context.Process(target=_forked, args=(queue, spec, x))
    worker.start()
    worker.join(60)
    alive = worker.is_alive()
    worker.kill()
    assert not alive, "the worker hangs"
    assert queue.get() == pytest.approx(wanted, rel=1e-5)
