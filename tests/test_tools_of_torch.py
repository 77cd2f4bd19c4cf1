"""What torch's tools make of layers: compiled transforms, counts of operations, features of a traced network."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.func import functional_call, grad, stack_module_state, vmap

from afbench import create

quiet = pytest.mark.filterwarnings("ignore")  # what torch.compile imports says that it is deprecated
SPECS = ["ditac", "pau", "hp1[safe=false]", "acon_c", "prelu[per=channel]"]
X = torch.linspace(-2.4, 2.9, 12).reshape(4, 3)


def layer(spec):
    torch.manual_seed(0)
    return create(spec, 3).eval()


def assert_near(got, wanted):
    size = max(1.0, wanted.abs().max().item())
    torch.testing.assert_close(got, wanted, rtol=1e-4, atol=2e-5 * size)


@quiet
@pytest.mark.parametrize("spec", [*SPECS[:2], *(pytest.param(s, marks=pytest.mark.slow) for s in SPECS[2:])])
def test_compiled_gradients_are_those_of_eager(spec):
    """In one graph, by torch.func.grad, of the input and of the parameters."""
    module = layer(spec)
    own = {name: p.detach() for name, p in module.named_parameters()}

    def gradients(own, x):
        return grad(lambda own, x: functional_call(module, own, (x,)).square().sum(), (0, 1))(own, x)

    got = torch.compile(gradients, backend="eager", fullgraph=True)(own, X)
    leaf = X.clone().requires_grad_()
    module(leaf).square().sum().backward()
    assert_near(got[1], leaf.grad)
    for name, parameter in module.named_parameters():
        assert_near(got[0][name], parameter.grad)


@quiet
@pytest.mark.parametrize("spec", [*SPECS[:2], *(pytest.param(s, marks=pytest.mark.slow) for s in SPECS[2:])])
def test_compiled_vmap_over_stacked_layers(spec):
    layers = [layer(spec) for _ in range(3)]
    for number, module in enumerate(layers):
        with torch.no_grad():
            for parameter in module.parameters():
                parameter.mul_(1 + 0.1 * number)
    own, _ = stack_module_state(layers)

    def ensemble(own, x):
        return vmap(lambda own: functional_call(layers[0], own, (x,)))(own)

    got = torch.compile(ensemble, backend="eager", fullgraph=True)(own, X)
    for one, module in zip(got, layers, strict=True):
        assert_near(one, module(X))


@pytest.mark.parametrize("spec", ["ditac", "pau", "swish", "glu", "meta_acon[norm=none]"])
def test_operations_are_counted_and_values_stay(spec):
    """Elementwise operators count none; the maps of glu, 3 to 6 channels and back by 12 values, are counted."""
    from torch.utils.flop_counter import FlopCounterMode

    module = layer(spec)
    leaves = [X.clone().requires_grad_() for _ in range(2)]
    with FlopCounterMode(display=False) as counter:
        y = module(leaves[0])
        y.sum().backward()
    module(leaves[1]).sum().backward()
    assert_near(leaves[0].grad, leaves[1].grad)
    # glu: 2 products of [4, 3] by [3, 3], each 2 * 4 * 3 * 3, forward, and twice as much backward.
    wanted = {"glu": 3 * 2 * 72}.get(spec)
    assert counter.get_total_flops() == wanted if wanted else counter.get_total_flops() >= 0
    if spec in ("ditac", "pau", "swish"):
        assert counter.get_total_flops() == 0


@pytest.mark.parametrize("spec", ["acon_c", "ditac", "glu", "meta_acon", "noisy_relu", "hp1"])
def test_features_of_a_traced_network(spec):
    """torchvision's extractor: the layer is a node by its own name, and gives what it gives in the network."""
    extraction = pytest.importorskip("torchvision.models.feature_extraction")
    torch.manual_seed(0)
    net = nn.Sequential()
    net.add_module("conv", nn.Conv2d(2, 3, 1))
    net.add_module("act", create(spec, 3))
    net.add_module("last", nn.Conv2d(3, 1, 1))
    net.eval()
    x = torch.randn(2, 2, 4, 4)
    assert "act" in extraction.get_graph_node_names(net)[1]
    found = extraction.create_feature_extractor(net, ["act", "last"])(x)
    torch.testing.assert_close(found["act"], net.act(net.conv(x)))
    torch.testing.assert_close(found["last"], net(x))
