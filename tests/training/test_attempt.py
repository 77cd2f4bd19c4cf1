"""One attempt: whatever an activation does, there is a record, its reason says what it was, and the next goes on."""

import json
import math
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import afbench
from afbench.errors import Unavailable
from afbench.models import mlp
from afbench.records.trial import Record, Status, Trial
from afbench.registry.entries import ACTIVATIONS, TASKS
from afbench.tasks.base import MakeActivation
from afbench.training.attempt import Attempt, attempt, blank


def fail(error: BaseException) -> Any:
    raise error


class BadBackward(torch.autograd.Function):
    """An identity whose gradient was never written."""

    @staticmethod
    def forward(context: Any, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Tensor:
        raise NotImplementedError("no gradient yet")


class Unspeakable(Exception):
    """Raises whenever it is asked for anything."""

    def __str__(self) -> str:
        raise RuntimeError("no words")

    __repr__ = __str__

    def __reduce__(self) -> Any:
        raise RuntimeError("no copies")


class ExitsWhenAsked(Unspeakable):
    """Ends the process when it is asked for its text."""

    def __str__(self) -> str:
        sys.exit(5)


class Liar(Exception):
    """Says that it is of no class."""

    @property
    def __class__(self) -> Any:
        raise KeyboardInterrupt


class Strange(BaseException):
    """No Exception."""


def recurse(x: Tensor) -> Tensor:
    return recurse(x) + 1


def warn(x: Tensor) -> Tensor:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.warn("take care", DeprecationWarning, stacklevel=1)
    return x


def chained(x: Tensor) -> Tensor:
    try:
        fail(Unspeakable())
    except Unspeakable as error:
        raise ExceptionGroup("many", [Unspeakable(), ValueError("one")]) from error
    return x


BROKEN: dict[str, tuple[Callable[[Tensor], Any], Status, str]] = {
    "raises": (lambda x: fail(ValueError("no\n  such luck")), Status.ERROR, "ValueError: no such luck"),
    "backward": (BadBackward.apply, Status.ERROR, "NotImplementedError: no gradient yet"),
    "nan": (lambda x: x * math.nan, Status.ERROR, "returned NaN for finite input at place 0"),
    "inf": (lambda x: x + math.inf, Status.ERROR, "returned inf for finite input at place 0"),
    "shape": (lambda x: x[:, :-1], Status.ERROR, "returned shape (20, 5) for input of shape (20, 6) at place 0"),
    "dtype": (lambda x: x.double(), Status.ERROR, "returned torch.float64 for input of torch.float32 at place 0"),
    "list": (lambda x: x.tolist(), Status.ERROR, "returned list, not a tensor, at place 0"),
    "nothing": (lambda x: None, Status.ERROR, "returned NoneType, not a tensor, at place 0"),
    "exit": (lambda x: sys.exit(3), Status.ERROR, "called sys.exit(3)"),
    "exit oddly": (lambda x: sys.exit(Unspeakable()), Status.ERROR, "called sys.exit(<its text cannot be read"),
    "unspeakable": (lambda x: fail(Unspeakable()), Status.ERROR, "__str__ raised RuntimeError"),
    "exits when asked": (lambda x: fail(ExitsWhenAsked()), Status.ERROR, "__str__ raised SystemExit"),
    "liar": (lambda x: fail(Liar("who?")), Status.ERROR, "Liar: who?"),
    "strange": (lambda x: fail(Strange("odd")), Status.ERROR, "Strange: odd"),
    "interrupts": (lambda x: fail(KeyboardInterrupt()), Status.ERROR, "KeyboardInterrupt"),
    "generator": (lambda x: fail(GeneratorExit()), Status.ERROR, "GeneratorExit"),
    "recursion": (recurse, Status.ERROR, "RecursionError: maximum recursion depth exceeded"),
    "warning": (warn, Status.ERROR, "DeprecationWarning: take care"),
    "chained": (chained, Status.ERROR, "ExceptionGroup: many"),
    "control": (lambda x: fail(ValueError("\x1b[31mred\r\x00\x07")), Status.ERROR, r"\x1b[31mred"),
    "surrogate": (lambda x: fail(ValueError("\ud800 and \u202eback")), Status.ERROR, r"\ud800 and \u202eback"),
    "long": (lambda x: fail(ValueError("x" * 14_000)), Status.ERROR, "xxx... (14,000 characters"),
    "detached": (lambda x: x.detach(), Status.ERROR, "passes no gradient to its input"),
    "memory": (lambda x: fail(MemoryError("all gone")), Status.OOM, "MemoryError: all gone"),
    "cuda memory": (lambda x: fail(torch.OutOfMemoryError("CUDA out of memory")), Status.OOM, "CUDA out of memory"),
    "cpu memory": (lambda x: torch.empty(10**15), Status.OOM, "memory"),
    "device": (lambda x: fail(Unavailable("needs a GPU")), Status.UNAVAILABLE, "needs a GPU"),
}


@pytest.fixture(autouse=True)
def as_in_a_worker() -> Iterator[None]:
    """Ignore Ctrl-C, as workers do: a KeyboardInterrupt is then the activation's own."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGINT, before)


def register(name: str, function: Callable[[Tensor], Any]) -> None:
    @afbench.activation(name.replace(" ", "_"), version=7)
    class Does(nn.Module):
        """Any function."""

        def forward(self, x: Tensor) -> Any:
            return function(x)


@pytest.fixture(scope="module", autouse=True)
def entries() -> Iterator[None]:
    """Register the broken activations and a task for the length of this module."""
    before = [(r, dict(r.entries), dict(r.aliases)) for r in (ACTIVATIONS, TASKS) if r.names()]

    @afbench.task("attempted")
    class Attempted(afbench.Task):
        """The sign of a sum, MLP 2-6-2."""

        version = 3
        epochs: int = 2

        def data(self, rng: torch.Generator) -> afbench.Splits:
            points = torch.randn(20, 2, generator=rng)
            batch = points, (points.sum(1) > 0).long()
            return afbench.Splits(batch, batch, batch)

        def network(self, act: MakeActivation) -> nn.Module:
            return mlp(2, 6, 2, act=act)

    for name, (function, _, _) in BROKEN.items():
        register(name, function)
    yield
    for registry, known, aliases in before:
        registry.entries, registry.aliases = known, aliases


def at(activation: str, seed: int = 0, **settings: Any) -> Record:
    record, _ = attempt(Attempt(Trial("attempted", activation.replace(" ", "_"), seed, settings), "here", 2, 5))
    return record


@pytest.mark.parametrize("name", BROKEN)
def test_a_failure_is_a_record_whose_reason_says_what_it_was(name: str) -> None:
    _, status, reason = BROKEN[name]
    record = at(name)
    assert reason in record.reason
    assert record.status is status
    assert record.metrics == {}


def test_a_training_that_diverges_is_no_error() -> None:
    record = at("relu", lr=1e30, batch_size=10)
    assert record.status is Status.DIVERGED
    assert record.reason.startswith("diverged at step 2 (loss ")


def test_a_reason_is_one_line_and_the_traceback_names_the_users_own() -> None:
    record = at("raises")
    assert "\n" not in record.reason
    assert record.error is not None
    assert record.error["type"] == "ValueError"
    assert "test_attempt.py" in record.error["traceback"]


@pytest.mark.parametrize("name", BROKEN)
def test_a_reason_breaks_no_terminal_and_a_record_can_be_read_by_any_parser(name: str) -> None:
    record = at(name)
    assert record.error is not None
    assert record.reason.isprintable()
    assert len(record.reason) < 400
    assert record.error["traceback"].replace("\n", "").isprintable()
    assert json.loads(record.to_json().encode("utf-8"))["error"] == record.error


def test_what_a_reason_leaves_out_is_in_the_traceback() -> None:
    record = at("long")
    assert record.error is not None
    assert "x" * 14_000 in record.error["traceback"]


def test_a_record_that_cannot_be_kept_is_an_error() -> None:
    @afbench.task("odd")
    class Odd(TASKS.entries["attempted"].target):  # type: ignore[misc]
        """Declares what no file can hold."""

        target = object()

    record, _ = attempt(Attempt(Trial("odd", "relu", 0)))
    assert record.status is Status.ERROR
    assert record.reason.startswith("its record cannot be kept: TypeError")
    assert Record.from_json(record.to_json()) == record


@pytest.mark.parametrize("name", BROKEN)
def test_a_failure_knows_what_was_tried(name: str) -> None:
    record = at(name, epochs=3)
    assert (record.environment, record.concurrency, record.attempt) == ("here", 2, 5)
    assert (record.versions["task"], record.versions["activation"]) == (3, 7)
    assert record.resolved["task"]["epochs"] == 3
    assert record.about["metric"] == "accuracy"


@pytest.mark.parametrize("name", BROKEN)
def test_a_failure_can_be_kept(name: str) -> None:
    record = at(name)
    assert Record.from_json(record.to_json()) == record


def test_the_others_go_on_with_the_same_bits() -> None:
    before = at("relu")
    threads = torch.get_num_threads()
    for name in BROKEN:
        at(name)
    assert at("relu").metrics == before.metrics
    assert torch.get_num_threads() == threads
    assert before.status is Status.OK


def test_an_ok_record_holds_metrics_parameters_and_everything_resolved() -> None:
    record = at("prelu", epochs=3)
    assert record.status is Status.OK
    assert record.error is None
    assert 0 <= record.metrics["accuracy"] <= 100
    assert record.parameters == {"activation": 1, "trainable": 33, "total": 33}  # 2*6 + 6 + 1 + 6*2 + 2
    assert record.resolved["task"]["epochs"] == 3
    assert record.resolved["task"]["lr"] == 1e-3
    assert record.resolved["activation"]["a"] == 0.25
    assert record.seconds > 0
    assert datetime.fromisoformat(record.started).utcoffset() is not None
    assert json.loads(record.to_json())["about"]["headline"] == "The sign of a sum, MLP 2-6-2"


def test_curve_and_shape_come_with_an_ok_record_and_nothing_with_a_failure() -> None:
    _, arrays = attempt(Attempt(Trial("attempted", "relu", 0)))
    assert {name.partition("/")[0] for name in arrays} == {"curve", "shape"}
    _, arrays = attempt(Attempt(Trial("attempted", "raises", 0)))
    assert arrays == {}


@pytest.mark.parametrize(
    ("task", "activation", "said"),
    [("atempted", "relu", "unknown task 'atempted'"), ("attempted", "rellu", "unknown activation 'rellu'")],
)
def test_what_cannot_be_found_here_is_a_failure_too(task: str, activation: str, said: str) -> None:
    record, _ = attempt(Attempt(Trial(task, activation, 0)))
    assert record.status is Status.ERROR
    assert said in record.reason


def test_ctrl_c_is_no_failure_of_the_activation() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    register("interrupted", lambda x: fail(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        at("interrupted")


def test_the_record_of_an_attempt_that_told_nothing_is_lost() -> None:
    trial = Trial("attempted", "relu", 1)
    record = blank(Attempt(trial, "here", 2, 5), message="its process died")
    assert (record.trial, record.status, record.reason) == (trial, Status.LOST, "its process died")
    assert (record.environment, record.concurrency, record.attempt) == ("here", 2, 5)
