"""Exports of every entry: graphs of torch's own operators, and ONNX models with the same values in onnxruntime."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch

import afbench
from afbench.registry.entries import ACTIVATIONS

QUICK = {"ditac"}
MORE = ["inf_ditac[zero_boundary=false,cells=4]", "opau[basis=hermite_prob,safe=false]", "prelu[per=channel]", "pelu"]


def marked(names):
    return [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in names]


each = pytest.mark.parametrize("spec", marked([*afbench.list_activations(), *MORE]))


def build(spec):
    torch.manual_seed(0)
    return afbench.create(spec, channels=6, channel_dim=-1).eval()


def inputs(rows):
    """On and off the kinks."""
    x = 2 * torch.randn(rows, 5, 6, generator=torch.Generator().manual_seed(1))
    x[0, 0] = torch.tensor([0.0, -0.5, 2.0, 30.0, -30.0, 1.0])
    return x


def near(got, wanted):
    """A few roundings of float32, and the 1e-5 (b - a) that a compiled table of DiTAC's is off."""
    np.testing.assert_allclose(got, wanted.detach(), rtol=2e-5, atol=4e-5)


@each
def test_graphs_hold_operators_of_torch_alone(spec):
    module = build(spec)
    program = torch.export.export(module, (inputs(3),), dynamic_shapes=({0: torch.export.Dim("rows", min=2)},))
    for form in (program, program.run_decompositions()):
        targets = [str(node.target) for node in form.graph.nodes if node.op == "call_function"]
        assert not [target for target in targets if "afbench" in target]
        near(form.module()(inputs(4)).detach(), module(inputs(4)))


@each
@pytest.mark.filterwarnings("ignore")  # of the exporter's own
def test_onnxruntime_computes_the_same(spec, tmp_path):
    pytest.importorskip("onnxscript")
    onnxruntime = pytest.importorskip("onnxruntime")
    module, path = build(spec), str(tmp_path / "model.onnx")
    rows = ({0: torch.export.Dim("rows", min=2)},)
    torch.onnx.export(module, (inputs(3),), path, dynamo=True, verbose=False, dynamic_shapes=rows)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (got,) = session.run(None, {session.get_inputs()[0].name: inputs(7).numpy()})
    near(got, module(inputs(7)))


LOAD = """
import sys, torch
print(torch.export.load(sys.argv[1]).module()(torch.ones(2, 3)).shape)
assert "afbench" not in sys.modules
"""


@pytest.mark.slow
def test_a_saved_program_runs_where_afbench_is_not(tmp_path):
    path = str(tmp_path / "program.pt2")
    torch.export.save(torch.export.export(afbench.create("ditac"), (torch.ones(2, 3),)), path)
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", LOAD, path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_every_entry_is_here():
    assert {entry.name for entry in ACTIVATIONS} == set(afbench.list_activations()) >= QUICK
