"""The kernels in processes of their own: AFBENCH_KERNELS, an install without a compiler, data parallel training."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from afbench import create
from afbench.kernels import library

ROOT = Path(__file__).parents[2]
PLAIN = "import sys, runpy; runpy.run_path(sys.argv[1])['save'](sys.argv[2])"


def save(path):
    """Write the path that runs, and outputs and gradients of one layer of each kind."""
    torch.manual_seed(0)
    x, results = torch.randn(3, 4, 50), []
    for spec in ("ditac", "pau", "acon_c", "pelu"):
        module, leaf = create(spec, 4), x.clone().requires_grad_()
        y = module(leaf)
        y.square().sum().backward()
        results += [y.detach(), leaf.grad, *(p.grad for p in module.parameters())]
    torch.save((library.path(), results), path)


def python(*arguments, cwd=ROOT, **environment):
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=600,
    )


@pytest.mark.skipif(not library.available(), reason="no compiled kernels here")
def test_plain_and_native_agree(tmp_path):
    done = python("-W", "error", "-c", PLAIN, __file__, tmp_path / "plain", AFBENCH_KERNELS="plain")
    assert done.returncode == 0, done.stderr
    with library.using(library.available()[-1]):
        save(tmp_path / "native")
    (one, plain), (other, native) = torch.load(tmp_path / "plain"), torch.load(tmp_path / "native")
    assert one == "plain" and other.startswith("native-")
    for a, b in zip(native, plain, strict=True):
        torch.testing.assert_close(a, b, rtol=2e-4, atol=2e-4 * b.abs().max().item())


def test_nonsense_is_one_line():
    code = "from afbench.kernels import library; library.path()"
    done = python("-W", "error", "-c", code, AFBENCH_KERNELS="nonsense")
    *_, last = done.stderr.splitlines()
    assert last.endswith("UsageError: AFBENCH_KERNELS is 'nonsense'; it may be plain or native, or unset")
    assert done.returncode == 1


@pytest.mark.slow
def test_without_a_compiler(tmp_path):
    """The build succeeds, everything runs on the plain path, and that is said once."""
    ignore = shutil.ignore_patterns("*.so", "__pycache__")
    shutil.copytree(ROOT / "afbench", tmp_path / "afbench", ignore=ignore)
    for name in ("setup.py", "pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, tmp_path / name)
    environment = {**os.environ, "CC": "/bin/false", "CXX": "/bin/false"}
    build = [sys.executable, "setup.py", "build_ext", "--inplace"]
    done = subprocess.run(build, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "afbench/kernels/_native.so").exists()
    code = "from afbench import create; import torch; [create(s)(torch.ones(2, 3)) for s in ('ditac', 'pau', 'swish')]"
    done = python("-c", code, cwd=tmp_path, PYTHONPATH=str(tmp_path))
    assert done.returncode == 0 and done.stderr.count("runs without its compiled kernels") == 1, done.stderr


def _train(rank, path):
    from torch.nn.parallel import DistributedDataParallel

    from afbench import create

    torch.distributed.init_process_group("gloo", init_method=f"file://{path}/store", rank=rank, world_size=2)
    torch.manual_seed(0)
    layers = [create("ditac"), torch.nn.Linear(6, 6), create("pau"), create("acon_c", 6)]
    model = DistributedDataParallel(torch.nn.Sequential(*layers))
    x = torch.randn(8, 6)
    model(x[4 * rank : 4 * rank + 4]).square().sum().backward()
    alone = torch.nn.Sequential(*layers)
    shared = [p.grad.clone() for p in alone.parameters()]
    alone.zero_grad()
    alone(x).square().sum().backward()
    for one, p in zip(shared, alone.parameters(), strict=True):
        torch.testing.assert_close(2 * one, p.grad, rtol=1e-3, atol=1e-4)  # the mean of two halves
    torch.distributed.destroy_process_group()


DATA_PARALLEL = "import sys, runpy; runpy.run_path(sys.argv[1])['_train'](int(sys.argv[2]), sys.argv[3])"


@pytest.mark.slow
def test_data_parallel(tmp_path):
    start = [sys.executable, "-W", "ignore", "-c", DATA_PARALLEL, __file__]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ranks = [
        subprocess.Popen([*start, str(rank), str(tmp_path)], env=environment, stderr=subprocess.PIPE, text=True)
        for rank in (0, 1)
    ]
    for rank in ranks:
        error = rank.communicate(timeout=300)[1]
        assert rank.returncode == 0, error
