"""Parameters and inputs that are spread over processes: on a mesh of one process here, of two in a slow test."""

from __future__ import annotations

import pytest
import torch
import torch.multiprocessing
from torch import distributed

import afbench

SPECS = [
    "ditac",
    "inf_ditac[method=exact]",
    "pau",
    "opau",
    "hp1[safe=false]",
    "swish",
    "prelu",
    "pelu",
    "acon_c",
    "hard_swish",
]


def _check(rank, size, path):
    distributed.init_process_group("gloo", init_method=f"file://{path}", rank=rank, world_size=size)
    try:
        from torch.distributed.tensor import Replicate, Shard, distribute_module, distribute_tensor, init_device_mesh

        mesh = init_device_mesh("cpu", (size,))
        for spec in SPECS:
            torch.manual_seed(0)
            module, x = afbench.create(spec, 3), torch.randn(4, 3, 5)
            leaf = x.clone().requires_grad_()
            y = module(leaf)
            (y.square().sum() + afbench.penalty(module)).backward()
            wanted = [leaf.grad, *(p.grad for p in module.parameters())]
            for placement in (Shard(0), Shard(1), Replicate()):
                torch.manual_seed(0)
                other = afbench.create(spec, 3)
                other = distribute_module(other, mesh)  # its parameters are DTensors, replicated
                spread = distribute_tensor(x, mesh, [placement]).requires_grad_()
                z = other(spread)
                assert z.shape == y.shape
                torch.testing.assert_close(z.full_tensor(), y)
                (z.square().sum().full_tensor() + afbench.penalty(other)).backward()
                got = [spread.grad.full_tensor(), *(p.grad.full_tensor() for p in other.parameters())]
                for one, right in zip(got, wanted, strict=True):
                    torch.testing.assert_close(one, right, rtol=1e-4, atol=1e-5)
    finally:
        distributed.destroy_process_group()


def test_on_a_mesh_of_one(tmp_path):
    if not distributed.is_available() or distributed.is_initialized():
        pytest.skip("no process group of its own")
    _check(0, 1, tmp_path / "rendezvous")


@pytest.mark.slow
def test_on_a_mesh_of_two(tmp_path):
    torch.multiprocessing.spawn(_check, (2, tmp_path / "rendezvous"), nprocs=2)


def _reset(rank, size, path):
    """Built without memory, sharded, given memory, started anew: as FSDP2's own documentation builds large networks."""
    distributed.init_process_group("gloo", init_method=f"file://{path}", rank=rank, world_size=size)
    try:
        from torch.distributed.fsdp import fully_shard
        from torch.distributed.tensor import init_device_mesh

        mesh = init_device_mesh("cpu", (size,))
        for spec in ("ditac", "ditac[init=identity]", "pau[per=channel]", "opau", "hp1[safe=false]", "pelu", "acon_b"):
            torch.manual_seed(0)
            wanted = afbench.create(spec, 3)
            with torch.device("meta"):
                layer = afbench.create(spec, 3)
            fully_shard(layer, mesh=mesh)
            layer.to_empty(device="cpu")
            torch.manual_seed(rank)  # all have the draws of process 0
            layer.reset_parameters()
            for part, right in zip(layer.parameters(), wanted.parameters(), strict=True):
                torch.testing.assert_close(part.full_tensor(), right)
            torch.testing.assert_close(layer(torch.ones(2, 3)), wanted(torch.ones(2, 3)))
    finally:
        distributed.destroy_process_group()


def test_reset_on_a_mesh_of_one(tmp_path):
    if not distributed.is_available() or distributed.is_initialized():
        pytest.skip("no process group of its own")
    _reset(0, 1, tmp_path / "rendezvous")


@pytest.mark.slow
def test_reset_on_a_mesh_of_two(tmp_path):
    torch.multiprocessing.spawn(_reset, (2, tmp_path / "rendezvous"), nprocs=2)


@pytest.mark.slow
def test_fully_sharded(tmp_path):
    """FSDP2: the penalty is asked of parameters that each process holds a part of."""
    from torch.distributed.fsdp import fully_shard
    from torch.distributed.tensor import init_device_mesh

    distributed.init_process_group("gloo", init_method=f"file://{tmp_path}/rendezvous", rank=0, world_size=1)
    try:
        torch.manual_seed(0)
        net = torch.nn.Sequential(torch.nn.Linear(3, 3), afbench.create("ditac"))
        x = torch.randn(4, 3)
        (net(x).sum() + afbench.penalty(net)).backward()
        wanted = [p.grad.clone() for p in net.parameters()]
        net.zero_grad()
        fully_shard(net, mesh=init_device_mesh("cpu", (1,)))
        (net(x).sum() + afbench.penalty(net)).backward()
        for p, right in zip(net.parameters(), wanted, strict=True):
            torch.testing.assert_close(p.grad.full_tensor(), right)
    finally:
        distributed.destroy_process_group()
