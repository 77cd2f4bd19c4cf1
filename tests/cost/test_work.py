"""Plans of costs: what is in a batch, and which costs of a store count."""

import pytest

from afbench.cost.case import Case
from afbench.cost.work import plan_alone
from afbench.records.environment import versions
from afbench.registry.selecting import select

CASE = Case((4, 3, 5, 7))


def test_batches_are_small_and_hold_each_activation_once():
    choices = select("all")[:19]
    jobs = plan_alone(choices, [CASE], "here", {}, rounds=7).jobs
    assert [len(job.activations) for job in jobs] == [8, 8, 3]
    assert [name for job in jobs for name in job.activations] == [choice.spec for choice in choices]
    assert {job.rounds for job in jobs} == {7}


def test_batches_of_millions_of_elements_hold_two():
    jobs = plan_alone(select("all")[:5], [Case((10**7,))], "here", {}).jobs
    assert [len(job.activations) for job in jobs] == [2, 2, 1]


@pytest.mark.parametrize(
    ("changes", "counts"),
    [
        ({}, True),
        ({"status": "error"}, True),
        ({"status": "oom"}, False),
        ({"status": "lost"}, False),
        ({"source": "activation=9f3c"}, False),
        ({"versions": {"activation": 0}}, False),
    ],
)
def test_a_cost_counts_if_this_code_gave_it_and_it_is_no_failure_that_may_pass(changes, counts):
    (choice,) = select("gelu")
    (job,) = plan_alone([choice], [CASE], "here", {}).jobs
    cost = job.blank("gelu").with_(**{"versions": versions(choice.entry), **changes})
    plan = plan_alone([choice], [CASE], "here", {cost.key: cost})
    assert (plan.stored == [cost], bool(plan.jobs)) == (counts, not counts)
