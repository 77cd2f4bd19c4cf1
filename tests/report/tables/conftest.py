"""Tables that the tests of the grid and of the formats print."""

import math

import pytest

from afbench.report.summary import tables
from afbench.report.tables.rows import Published
from afbench.report.tables.task_grid import task_grid
from afbench.report.tables.wide import wide_grid, widen

NASTY = 'x_y & 50 % of $5 #1 {a} ~ ^ \\ [b] | <c> *d* `e` "f" -- α² é 漢 \x1b[1m'
LONG = ["ditac[a=-3,b=3,lambda_var=1,init_smooth=3]", "ditac[a=-4,b=4,cells=20,lambda_var=2,init_smooth=3]"]


@pytest.fixture
def nasty(store, put, put_cost, worked):
    """A table with everything in it: failures, extra metrics, costs, signs that formats use, a second group."""
    for seed in range(3):
        put('opau[basis=hermite_prob,text="a|b c"]', seed, metrics={"accuracy": 93.0 + seed, "mse": 1e-7 * (seed + 1)})
        put("broken", seed, status="error", message=NASTY)
        put("relu", seed, 80.0 + seed, settings={"note": "50%_a"})
    put_cost("pau")
    published = {"moons": Published("A & B 2020", {"pau": 99.5})}
    return tables(store, published=published)


@pytest.fixture
def table(store, put, put_cost):
    """Five activations over five seeds, with a further metric and costs; two have long specs."""
    means = {"relu": 90.0, "gelu": 91.0, LONG[0]: 93.0, LONG[1]: 92.0, "pau": 92.5}
    sizes = {"relu": 0, "gelu": 0, LONG[0]: 18, LONG[1]: 42, "pau": 10}
    for name, mean in means.items():
        for seed in range(5):
            metrics = {"accuracy": mean + math.sin(7 * seed + mean), "mse": 1 / mean}
            put(name, seed, metrics=metrics, parameters={"activation": sizes[name]}, task="circles")
        ratio = {"relu": 1.0, "gelu": 1.2, "pau": 1.5}.get(name, 2.5)
        put_cost(name, ratio, key=f"{len(name)}{name[:2]}", task="circles")
    (made,) = (one for one in tables(store) if one.group.task == "circles")
    return made


@pytest.fixture
def grid(table):
    return task_grid(table)


@pytest.fixture
def wide(store, put):
    for task, shift in (("moons", 0.0), ("rings", -5.0)):
        for name in ("relu", "pau", LONG[0]):
            for seed in range(3):
                put(name, seed, 90.0 + shift + seed + len(name) / 50, task=task)
    return wide_grid(widen([one for one in tables(store) if one.group.task != "circles"]))
