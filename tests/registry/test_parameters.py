from __future__ import annotations

import copy
import io

import pytest
import torch
from torch import nn
from torch.fx import symbolic_trace
from torch.nn.utils import parametrize, prune
from torch.optim.swa_utils import AveragedModel

from afbench import create
from afbench.registry.parameters import Parameters, activations_of, count_parameters, has_penalty, param_groups, penalty


class Weighed(nn.Module):
    """An activation that nobody registered, with a penalty."""

    is_activation = True

    def __init__(self, value=1.0):
        super().__init__()
        self.theta = nn.Parameter(torch.tensor([value]))

    def forward(self, x):
        return self.theta * x

    def penalty(self):
        return self.theta.square().sum()


def network(*activations):
    layers = [nn.Linear(2, 2)]
    for module in activations:
        layers += [module, nn.Linear(2, 2)]
    return nn.Sequential(*layers)


def names(groups):
    return {group["name"]: group for group in groups}


def test_penalty_sums_and_can_be_differentiated():
    model = network(Weighed(2.0), create("relu"), Weighed(3.0))
    total = penalty(model)
    total.backward()
    assert total.item() == 4 + 9
    assert [model[1].theta.grad.item(), model[5].theta.grad.item()] == [4, 6]


def test_penalty_of_a_shared_or_compiled_module_counts_once():
    shared = Weighed(2.0)
    assert penalty(network(shared, shared)).item() == 4
    assert penalty(torch.compile(network(Weighed(2.0)), backend="eager")).item() == 4
    assert penalty(network(torch.compile(Weighed(2.0), backend="eager"))).item() == 4
    assert penalty(shared).item() == 4


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_penalty_of_none_is_zero(dtype):
    zero = penalty(network(create("relu")).to(dtype))
    assert zero.shape == () and zero.item() == 0 and zero.dtype == dtype
    assert penalty(nn.Linear(2, 2, device="meta")).is_meta
    assert penalty(nn.Identity()).item() == 0


def test_activations_are_found_wherever_they_stand():
    inner = create("swish")
    model = nn.ModuleDict({"body": network(inner, nn.PReLU()), "head": Weighed()})
    assert activations_of(model) == [inner, model["body"][3], model["head"]]


def test_a_flag_on_the_instance_makes_an_activation():
    bend = nn.Bilinear(2, 2, 2)
    assert activations_of(network(bend)) == []
    bend.is_activation = True
    assert activations_of(network(bend)) == [bend]


def test_a_class_that_derives_from_a_registered_one_is_an_activation():
    class Steep(type(create("swish"))):
        pass

    assert len(activations_of(network(Steep()))) == 1


def test_all_parameters_inside_an_activation_are_its_own():
    """Meta-ACON brings linear maps and batch norms."""
    counted = count_parameters(nn.Sequential(nn.Conv2d(1, 3, 3), create("meta_acon", 3)))
    assert counted == Parameters(activation=159, trainable=159 + 30, total=159 + 30)


def test_count():
    frozen = Weighed()
    frozen.theta.requires_grad_(False)
    model = network(create("pau"), frozen)
    model[0].bias.requires_grad_(False)
    assert count_parameters(model) == Parameters(activation=10, trainable=10 + 16, total=10 + 18 + 1)


def test_count_each_shared_parameter_once():
    shared = create("swish")
    model = network(shared, shared)
    model[4].weight = model[0].weight
    assert count_parameters(model) == Parameters(activation=1, trainable=15, total=15)


def test_groups_split_the_parameters():
    shared = create("swish")
    model = network(shared, shared, create("relu"), create("pau"))
    groups = param_groups(model, weight_decay=0.1)
    listed = [p for group in groups for p in group["params"]]
    assert sorted(map(id, listed)) == sorted(map(id, model.parameters()))
    assert names(groups)["network"]["weight_decay"] == 0.1
    assert names(groups)["activations"]["weight_decay"] == 0.0
    assert {id(p) for p in names(groups)["activations"]["params"]} == {id(shared.beta), id(model[7].a), id(model[7].b)}


def test_groups_take_a_rate_and_a_decay_for_activations():
    groups = names(param_groups(network(create("pau")), 0.1, activation_weight_decay=0.2, activation_lr=0.5))
    assert groups["activations"]["weight_decay"] == 0.2 and groups["activations"]["lr"] == 0.5
    assert "lr" not in groups["network"]


def test_no_group_is_empty():
    assert [g["name"] for g in param_groups(network(create("relu")), 0.1)] == ["network"]
    assert [g["name"] for g in param_groups(create("swish"), 0.1)] == ["activations"]


def test_optimiser_decays_weights_and_leaves_activations():
    model = network(create("prelu"))
    optimiser = torch.optim.SGD(param_groups(model, weight_decay=0.5), lr=1.0)
    before = model[0].weight.detach().clone()
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimiser.step()
    assert model[1].a.item() == 0.25
    torch.testing.assert_close(model[0].weight.detach(), before / 2)


def small(spec):
    return nn.Sequential(nn.Linear(3, 3), create(spec, channels=3, channel_dim=-1))


def pickled(model):
    held = io.BytesIO()
    torch.save(model, held)
    held.seek(0)
    return torch.load(held, weights_only=False)


def parametrised(model):
    name, _ = next(model[1].named_parameters(recurse=False))
    parametrize.register_parametrization(model[1], name, nn.Softplus())
    return model


def pruned(model):
    name, _ = next(model[1].named_parameters(recurse=False))
    prune.l1_unstructured(model[1], name, amount=1)
    return model


def exported(model):
    return torch.export.export(model.eval(), (torch.zeros(4, 3),))


WRAPPERS = {
    "compiled": torch.compile,
    "compiled inside": lambda model: nn.Sequential(torch.compile(model[1])),
    "data parallel": nn.DataParallel,
    "averaged": AveragedModel,
    "copied": copy.deepcopy,
    "pickled": pickled,
    "parametrised": parametrised,
    "pruned": pruned,
    "fx": symbolic_trace,
    "fx, pickled": lambda model: pickled(symbolic_trace(model)),
    "fx, the layer alone": lambda model: symbolic_trace(model[1]),
    "fx, parametrised": lambda model: symbolic_trace(parametrised(model)),
    "fx, pruned": lambda model: symbolic_trace(pruned(model)),
    "exported": lambda model: exported(model).module(),
    "exported, unflattened": lambda model: torch.export.unflatten(exported(model)),
    "scripted by tracing": lambda model: torch.jit.trace(model.eval(), torch.zeros(4, 3)),
}
COUNTS = {"acon_c": 9, "glu": 2 * (9 + 3), "meta_acon[norm=none]": 2 * 3 + 2 * 3 * 16 + 16 + 3, "ditac": 9, "pau": 10}
"""By hand: 3 a channel; two matrices and biases; p1, p2 and two maps 3 to 16 and back; cells - 1; 6 + 4."""


@pytest.mark.filterwarnings("ignore:.*(TreeSpec|tree).*:FutureWarning", "ignore::torch.jit.TracerWarning")
@pytest.mark.filterwarnings("ignore:.*torch.jit.*deprecated")
@pytest.mark.parametrize("wrapper", WRAPPERS)
@pytest.mark.parametrize("spec", COUNTS)
def test_counts_in_networks_that_were_wrapped(spec, wrapper):
    model = WRAPPERS[wrapper](small(spec))
    counted = count_parameters(model)
    assert counted.activation == COUNTS[spec]
    rest = counted.total - counted.activation
    alone = wrapper in ("compiled inside", "fx, the layer alone")
    assert rest == (0 if alone else 12)
    sizes = {g["name"]: sum(p.numel() for p in g["params"]) for g in param_groups(model, weight_decay=0.1)}
    assert sizes == {"activations": COUNTS[spec]} | ({} if alone else {"network": 12})


@pytest.mark.filterwarnings("ignore:.*torch.jit.*deprecated")  # torch.compile imports what says so
@pytest.mark.parametrize("wrapper", ["compiled", "data parallel", "averaged", "copied", "pickled", "fx", "fx, pickled"])
def test_penalty_in_networks_that_were_wrapped(wrapper):
    model = small("ditac")
    wanted = penalty(model)
    wrapped = WRAPPERS[wrapper](model)
    assert has_penalty(wrapped) and wanted > 0
    torch.testing.assert_close(penalty(wrapped), wanted)


def test_shared_layers_count_once_when_traced():
    act = create("swish")
    assert count_parameters(symbolic_trace(nn.Sequential(act, nn.Linear(2, 2), act))).activation == 1


def test_a_traced_layer_keeps_its_mode_noise_and_statistics():
    x = torch.randn(8, 3)
    model = symbolic_trace(nn.Sequential(create("noisy_relu"), create("meta_acon", channels=3)))
    assert not torch.equal(model(x), model(x))
    assert torch.equal(model.eval()(x), model(x))
    torch.testing.assert_close(model.get_submodule("0")(x), x.relu())


def test_a_graph_of_others_has_no_activations():
    assert count_parameters(symbolic_trace(nn.Sequential(nn.Linear(3, 3), nn.ReLU()))).activation == 0
