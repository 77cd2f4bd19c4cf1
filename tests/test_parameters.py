from __future__ import annotations

import pytest
import torch
from torch import nn

from afbench import create
from afbench.parameters import Parameters, activations_of, count_parameters, param_groups, penalty


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
