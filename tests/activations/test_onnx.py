"""Layers that torch cannot export by itself: equal in onnxruntime, and no transpose that it refuses."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from afbench import create

LAYERS = ["squareplus", "smooth_relu[step=algebraic]", "glu", "maxout", "se"]


def exported(layer, x, path):
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    torch.onnx.export(nn.Sequential(layer).eval(), (x,), path, dynamo=True, verbose=False)
    session = onnxruntime.InferenceSession(path)
    return session.run(None, {session.get_inputs()[0].name: x.numpy()})[0]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("spec", LAYERS)
def test_equal_in_onnxruntime(spec, tmp_path):
    torch.manual_seed(0)
    layer, x = create(spec, 4), 3 * torch.randn(2, 4, 3, 5)
    got = exported(layer, x, str(tmp_path / "layer.onnx"))
    np.testing.assert_allclose(got, layer(x).detach().numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("spec", LAYERS)
def test_exported_values_are_those_of_eager(spec):
    torch.manual_seed(0)
    layer, x = create(spec, 4), torch.cat([3 * torch.randn(5, 4), torch.tensor([[0.0, -1e30, 1e30, 1e15]])])
    program = torch.export.export(layer.eval(), (x,)).module()
    torch.testing.assert_close(program(x), layer(x))
