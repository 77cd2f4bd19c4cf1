"""The factory: canonical specs, and activations whose draws shift nobody else's."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

import afbench
from afbench.errors import UsageError
from afbench.registry.factory import Factory, check, choose, create, is_trainable
from afbench.registry.selecting import select
from afbench.registry.spec import Spec
from afbench.streams import forked, stream
from afbench.tasks.base import create_task
from afbench.training.train import build, train

HERE = __name__


class Everything(nn.Module):
    """Takes a setting of every kind."""

    def __init__(
        self,
        slope: float = 0.5,
        terms: Annotated[int, afbench.Range(at_least=1)] = 2,
        clip: bool = False,
        label: str = "x",
        form: Literal["sin", "cos"] = "sin",
        limit: float | None = None,
    ) -> None:
        super().__init__()


class Ordered(nn.Module):
    """Has a rule between two settings."""

    def __init__(self, a: float = 0.0, b: float = 1.0) -> None:
        super().__init__()
        if not a < b:
            raise ValueError(f"a must be below b, not {a} and {b}")


class Fitted(nn.Module):
    """Computes its start with numbers, which the meta device has not."""

    def __init__(self) -> None:
        super().__init__()
        self.c = nn.Parameter(torch.full((1,), torch.linspace(0, 1, 3).sum().item()))


class Raises(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        raise RuntimeError("no such\nlibrary")


class Noisy(nn.Module):
    """Draws while it runs, from the generator that dropout draws from too."""

    def forward(self, x):
        return x + torch.rand_like(x)


class Places(nn.Module):
    def __init__(self, channels: int | None = None, channel_dim: int = 1) -> None:
        super().__init__()
        self.place = channels, channel_dim


class Channels(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels


class NoModule:
    pass


# Canonical form


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("prelu", "prelu"),
        ("prelu[a=0.25]", "prelu"),
        ("prelu[a=1]", "prelu[a=1.0]"),
        ("prelu[a=1e0]", "prelu[a=1.0]"),
        ("prelu[ per = channel , a = -3 ]", "prelu[a=-3.0,per=channel]"),
        ("steep_prelu", "prelu[a=0.5]"),
        ("steep_prelu[per=channel]", "prelu[a=0.5,per=channel]"),
        ("steep_prelu[a=0.25]", "prelu"),
        ("afbench.activations.prelu:PReLU[a=2]", "prelu[a=2.0]"),
        (f'{HERE}:Everything[label="a,b",limit=none,clip=TRUE]', f'{HERE}:Everything[clip=true,label="a,b"]'),
    ],
)
def test_a_spec_has_one_canonical_form(aliases, given, canonical):
    assert choose(given).spec == canonical


GIVEN = st.fixed_dictionaries(
    {},
    optional={
        "slope": st.floats(allow_nan=False, allow_infinity=False),
        "terms": st.integers(1, 2**63 - 1),
        "clip": st.booleans(),
        "label": st.text(),
        "form": st.sampled_from(["sin", "cos"]),
        "limit": st.none() | st.sampled_from([-0.0, 1e-300, 3]),
    },
)


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(GIVEN)
def test_canonicalising_keeps_the_values_and_is_idempotent(given):
    chosen = choose(Spec(f"{HERE}:Everything", given))
    again = choose(chosen.spec)
    assert again.spec == chosen.spec
    assert repr(again.resolved) == repr(chosen.resolved)
    for name, value in given.items():
        assert chosen.resolved[name] == value


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("rellu", "unknown activation 'rellu'; did you mean 'relu'?"),
        ("prelu[b=1]", "activation 'prelu' has no setting 'b'"),
        ("prelu[a=x]", "a must be a float, not 'x'"),
        ("prelu[per=chanel]", "per must be one of 'layer', 'channel', not 'chanel'; did you mean 'channel'?"),
        ("prelu[channels=3]", "has no setting 'channels'"),
        (f"{HERE}:Everything[terms=0]", "terms must be an int, at least 1, not '0'"),
        (f"{HERE}:Ordered[a=2]", "a must be below b, not 2.0 and 1.0"),
        (f"{HERE}:NoModule", "made a NoModule, not a torch.nn.Module"),
        (f"{HERE}:Raises", "no such library"),
    ],
)
def test_a_wrong_spec_is_refused_in_one_line_before_anything_runs(spec, message):
    with pytest.raises(UsageError) as caught:
        check(spec)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("spec", "names"), [("ditac[cells=-3]", ["cells"]), ("ditac[a=2,b=-1]", ["a", "b"])])
def test_what_ditac_cannot_be_is_seen_before_anything_runs(spec, names):
    with pytest.raises(UsageError) as caught:
        check(spec)
    message = str(caught.value)
    assert all(name in message for name in names)
    assert "\n" not in message
    assert "unknown" not in message


def test_a_check_takes_no_memory_and_no_random_numbers():
    before = torch.random.get_rng_state()
    check("acon_c")
    assert torch.equal(torch.random.get_rng_state(), before)


def test_a_constructor_that_needs_numbers_passes_the_check():
    """It works in a network; that the meta device has no numbers is no fault of its own."""
    before = torch.random.get_rng_state()
    check(f"{HERE}:Fitted")
    assert is_trainable(choose(f"{HERE}:Fitted"))
    assert torch.equal(torch.random.get_rng_state(), before)


# Building


def test_channels_are_passed_where_they_are_declared():
    assert create(f"{HERE}:Places", channels=5, channel_dim=-1).place == (5, -1)
    assert create(f"{HERE}:Places").place == (None, 1)
    assert create(f"{HERE}:Channels", channels=5, channel_dim=-1).channels == 5
    assert isinstance(create("relu", channels=5, channel_dim=-1), nn.Module)


@pytest.mark.parametrize("spec", ["acon_c", "meta_acon", f"{HERE}:Channels", "prelu[per=channel]"])
def test_what_needs_channels_and_gets_none_says_so(spec):
    with pytest.raises(UsageError, match="channels=, the size of the channel dimension"):
        create(spec)


def test_every_place_gets_a_new_instance_with_draws_of_its_own():
    act = Factory(choose("acon_c"), seed=0)
    first, second = act(channels=4), act(channels=4)
    assert act.built == [first, second]
    assert first is not second
    assert not torch.equal(first.p1, second.p1)


def test_the_draws_of_a_place_depend_on_seed_and_place_alone():
    act, other = Factory(choose("acon_c"), seed=3), Factory(choose("acon_c"), seed=3)
    torch.manual_seed(0)
    act(channels=4)
    torch.manual_seed(1)
    other(channels=64)
    assert torch.equal(act(channels=4).p1, other(channels=4).p1)
    assert not torch.equal(Factory(choose("acon_c"), seed=4)(channels=4).p1, act.built[0].p1)


def weights(task, spec, seed):
    """The weights that a network starts from, without those of its activations."""
    network, factory = build(task, choose(spec), seed)
    learned = {id(p) for activation in factory.built for p in activation.parameters()}
    return [p.detach() for p in network.parameters() if id(p) not in learned]


@pytest.mark.parametrize("task", [("gmm", {}), ("digits", {"model": "cnn"})], ids=["mlp", "cnn"])
def test_networks_start_from_the_same_weights_whatever_their_activation(task):
    task = create_task(*task)
    start = weights(task, "relu", 5)
    assert len(start) >= 6
    for choice in select("trainable"):
        other = weights(task, choice, 5)
        assert all(torch.equal(a, b) for a, b in zip(start, other, strict=True)), choice.spec
    assert not torch.equal(start[0], weights(task, "relu", 6)[0])


def test_building_a_network_leaves_the_global_generator_alone():
    with forked(0, "anything"):
        before = torch.random.get_rng_state()
        build(create_task("gmm"), choose("acon_c"), 5)
        assert torch.equal(torch.random.get_rng_state(), before)


SEEN: dict[str, list[torch.Tensor]] = {}


class Watched(afbench.Task):
    """Notes what the network is trained on."""

    watch: str = ""
    epochs: int = 2
    batch_size: int = 4

    def data(self, rng):
        return afbench.Splits(*[(torch.rand(10, 3, generator=rng), torch.arange(10) % 2) for _ in range(3)])

    def network(self, act):
        dropout = nn.Dropout(0.5)
        dropout.register_forward_hook(lambda module, inputs, output: SEEN[self.watch].append(output == 0))
        return nn.Sequential(dropout, nn.Linear(3, 6), act(channels=6, channel_dim=-1), nn.Linear(6, 2))

    def batches(self, splits, rng):
        for inputs, targets in super().batches(splits, rng):
            SEEN[self.watch].append(inputs)
            yield inputs, targets


def test_all_activations_see_the_same_data_in_the_same_order_with_the_same_noise():
    task = afbench.task("watched")(Watched)
    others = "acon_c", "meta_acon[norm=none]", f"{HERE}:Noisy"
    try:
        for spec in ("relu", *others):
            SEEN[spec] = []
            train(task(watch=spec), choose(spec), 0)
    finally:
        del afbench.registry.entries.TASKS.entries["watched"]
    masks = [seen for seen in SEEN["relu"] if seen.dtype == torch.bool]
    batches = [seen for seen in SEEN["relu"] if seen.dtype != torch.bool]
    assert len(batches) == 2 * 3, "two epochs of ten samples in batches of four"
    for spec in others:
        seen = [one for one in SEEN[spec] if one.dtype != torch.bool]
        assert all(torch.equal(a, b) for a, b in zip(batches, seen, strict=True)), spec
    for spec in others[:2]:
        seen = [one for one in SEEN[spec] if one.dtype == torch.bool]
        assert all(torch.equal(a, b) for a, b in zip(masks, seen, strict=True)), spec


def test_data_come_from_the_seed():
    task = create_task("gmm")
    first, again, other = (task.data(stream(seed, "data")).train[0] for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_a_decorated_class_given_by_its_path_keeps_it_for_other_processes(tmp_path, monkeypatch):
    (tmp_path / "decorated_acts.py").write_text(
        "import afbench\nfrom torch import nn\n\n\n"
        "@afbench.activation('decorated_here')\nclass Snake(nn.Identity):\n"
        "    def __init__(self, alpha: float = 1.0):\n        super().__init__()\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert choose("decorated_acts:Snake[alpha=2]").spec == "decorated_acts:Snake[alpha=2.0]"
    assert choose("decorated_here").spec == "decorated_here"
    assert choose("afbench.activations.rectifiers:ReLU").spec == "relu"


def test_a_choice_in_hand_is_not_looked_up_again():
    choice = choose("prelu[a=1]")
    assert choose(choice) is choice and choose("prelu", {"a": 1.0}) == choice
    assert choose(choice, {"per": "channel"}).spec == "prelu[a=1.0,per=channel]"
    with pytest.raises(UsageError, match="a is set twice"):
        choose(choice, {"a": 2.0})


def test_settings_as_arguments():
    assert create("ditac", cells=20).theta.shape == (19,)
    assert create("prelu", per="channel", channels=8).a.shape == (8,)
    assert create("leaky_relu[slope=0.5]", inplace=True).slope == 0.5
    with pytest.raises(UsageError, match=r"cells is set twice: 10 in ditac\[cells=10\] and 20 as an argument"):
        create("ditac[cells=10]", cells=20)
    with pytest.raises(UsageError, match="no setting 'celsl'; did you mean 'cells'"):
        create("ditac", celsl=20)
    with pytest.raises(UsageError, match="cells must be an int, at least 2"):
        create("ditac", cells=1)
    with pytest.raises(UsageError, match="inplace must be true or false, not 'yes'"):
        create("relu", inplace="yes")


def test_inplace_overwrites_nothing():
    x = torch.tensor([-1.0, 2.0])
    factory = Factory(choose("relu"), seed=0)
    for act in (create("relu", inplace=True), factory(channels=2, channel_dim=-1, inplace=True)):
        act(x)
        assert x.tolist() == [-1.0, 2.0]


class OnItsOwn(nn.Module):
    """A user's class: knows nothing of device and dtype."""

    def __init__(self, slope: float = 0.5):
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(slope))

    def forward(self, x):
        return torch.where(x > 0, x, self.slope * x)


class NamesOfTheirOwn(OnItsOwn):
    """A user's class whose settings have the names of torch's arguments."""

    def __init__(self, dtype: str = "plain", device: int = 1, inplace: bool = False):
        super().__init__()
        self.named = (dtype, device, inplace)

    def forward(self, x):
        return x


@pytest.mark.parametrize("spec", ["swish", "acon_c", "ditac", "meta_acon", f"{__name__}:OnItsOwn"])
def test_device_and_dtype(spec):
    act = create(spec, 3, device="meta", dtype=torch.float64)
    for parameter in act.parameters():
        assert parameter.is_meta and parameter.dtype == torch.float64
    factory = Factory(choose(spec), seed=0)
    assert {p.dtype for p in factory(channels=3, dtype=torch.bfloat16).parameters()} == {torch.bfloat16}
    with pytest.raises(
        UsageError, match="dtype must be a floating-point dtype, such as torch.float64, not torch.int64"
    ):
        create(spec, 3, dtype=torch.int64)


def test_settings_that_are_called_as_torchs_arguments():
    assert create(f"{__name__}:NamesOfTheirOwn", dtype="fancy", device=2, inplace=True).named == ("fancy", 2, True)
    assert create(f"{__name__}:NamesOfTheirOwn").named == ("plain", 1, False)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"spec": None}, r"an activation is given as text, such as 'relu' or 'ditac\[cells=20\]', not as None"),
        ({"spec": torch.nn.ReLU}, "an activation is given as text, .* not as <class"),
        ({"spec": "acon_c", "channels": 3.0}, "channels must be an int, not 3.0"),
        ({"spec": "acon_c", "channels": True}, "channels must be an int, not True"),
        ({"spec": "ditac", "channels": "3"}, "channels must be an int, not '3'"),
        ({"spec": "acon_c", "channels": 3, "channel_dim": "1"}, "channel_dim must be an int, not '1'"),
        ({"spec": "relu", "channel_dim": -1.5}, "channel_dim must be an int, not -1.5"),
        ({"spec": "relu", "device": "gpu"}, "device must be a torch device, such as 'cpu' or 'cuda:0', not 'gpu'"),
    ],
)
def test_wrong_arguments_are_refused_in_one_line(arguments, message):
    with pytest.raises(UsageError, match=message) as caught:
        create(**arguments)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("x", [None, 1.0, [1.0]])
def test_what_is_no_tensor_is_refused_by_the_layers_name(x):
    with pytest.raises(TypeError, match=f"^swish takes a tensor, not a {type(x).__name__}$"):
        create("swish")(x)
