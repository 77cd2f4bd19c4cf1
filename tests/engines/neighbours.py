"""A plugin of bad neighbours: activations that change the process they run in, and a small task to run them in."""

import decimal
import gc
import importlib
import locale
import os
import random
import signal
import sys
import threading
import warnings

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

import afbench
from afbench.models import mlp
from afbench.registry.entries import ACTIVATIONS, TASKS


@afbench.task("street")
class Street(afbench.Task):
    """The sign of a product, MLP 2-8-8-2 with dropout."""

    epochs: int = 2
    batch_size: int = 20

    def data(self, rng):
        points = torch.randn(140, 2, generator=rng)
        labels = (points.prod(1) > 0).long()
        return afbench.Splits(*((points[i : i + n], labels[i : i + n]) for i, n in ((0, 60), (60, 40), (100, 40))))

    def network(self, act):
        return nn.Sequential(mlp(2, 8, 8, act=act), act(channels=8), nn.Dropout(0.2), nn.Linear(8, 2))


class Doubling(TorchFunctionMode):
    def __torch_function__(self, function, types, args=(), kwargs=None):
        out = function(*args, **(kwargs or {}))
        return out * 2 if function is torch.relu else out


class Watching(TorchDispatchMode):
    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        return function(*args, **(kwargs or {}))


STOP = threading.Event()


def draw_for_ever():
    while not STOP.is_set():
        torch.rand(1)


def steal_the_name():
    del ACTIVATIONS.entries["relu"]
    afbench.activation("relu")(type("Relu", (nn.Module,), {"forward": lambda self, x: x * 1.5}))


def forget_modules():
    sys.path[:] = [folder for folder in sys.path if "site-packages" not in folder]
    sys.modules["scipy"] = sys.modules["afbench.kernels.rational"] = sys.modules["math"]


SEEN = []

LASTING = {
    "default_dtype": lambda: torch.set_default_dtype(torch.float64),
    "default_tensor_type": lambda: torch.set_default_tensor_type(torch.DoubleTensor),
    "default_device": lambda: torch.set_default_device("meta"),
    "autocast": lambda: torch.set_autocast_enabled("cpu", True),
    "no_grad": lambda: torch.set_grad_enabled(False),
    "layer_hook": lambda: nn.modules.module.register_module_forward_hook(lambda module, inputs, out: out * 1.01),
    "optimizer_hook": lambda: torch.optim.optimizer.register_optimizer_step_pre_hook(lambda *_: (_ for _ in ())),
    "step": lambda: setattr(torch.optim.Adam, "step", lambda self, closure=None: None),
    "functions": lambda: [
        setattr(space, "relu", lambda x, *_: x.clamp(min=-0.1)) for space in (torch, F, torch.Tensor)
    ],
    "loss": lambda: setattr(F, "cross_entropy", lambda output, target: output.square().mean()),
    "linear": lambda: setattr(nn.Linear, "forward", lambda self, x: x @ self.weight.T),
    "threads": lambda: torch.set_num_threads(2),
    "onednn": lambda: setattr(torch.backends.mkldnn, "enabled", False),
    "deterministic": lambda: torch.use_deterministic_algorithms(True),
    "denormals": lambda: torch.set_flush_denormal(True),
    "precision": lambda: torch.set_float32_matmul_precision("medium"),
    "generators": lambda: (torch.manual_seed(0), np.random.seed(0), random.seed(0)),
    "entry": steal_the_name,
    "task": lambda: setattr(TASKS.entries["street"].target, "loss", lambda self, output, target: output.mean()),
    "task_default": lambda: setattr(TASKS.entries["street"].target, "batch_size", 7),
    "modules": forget_modules,
    "environment": lambda: os.environ.update(OMP_NUM_THREADS="7", AFBENCH_KERNELS="plain", HOME="/nowhere"),
    "warnings": lambda: warnings.simplefilter("error"),
    "function_mode": lambda: Doubling().__enter__(),
    "dispatch_mode": lambda: Watching().__enter__(),
    "anomaly": lambda: torch.autograd.set_detect_anomaly(True),
    "saved": lambda: torch.autograd.graph.saved_tensors_hooks(lambda x: x * 1.01, lambda x: x).__enter__(),
    "collector": gc.disable,
    "recursion": lambda: sys.setrecursionlimit(200),
    "signals": lambda: [signal.signal(n, signal.SIG_IGN) for n in (signal.SIGTERM, signal.SIGCHLD)],
    "locale": lambda: (locale.setlocale(locale.LC_ALL, "C"), decimal.getcontext().__setattr__("prec", 3)),
    "errors": lambda: np.seterr(all="raise"),
    "folder": lambda: (os.chdir("/"), os.umask(0o777)),
    "reload": lambda: importlib.reload(sys.modules["afbench.activations.fixed"]),
    "quiet": lambda: None,
}
"""What stays changed in its process, by name; ``quiet`` is a good one."""

ENDING = {
    "thread": lambda: threading.Thread(target=draw_for_ever, daemon=True).start(),
    "limits": lambda: __import__("resource").setrlimit(__import__("resource").RLIMIT_NOFILE, (8, 8)),
    "files": lambda: os.closerange(3, 256),
    "orphan": lambda: os.fork() or [os.setsid(), os.fork() and os._exit(0), draw_for_ever()],
    "exit": lambda: os._exit(0),
    "abort": os.abort,
    "keeper": lambda: os.kill(os.getppid(), signal.SIGTERM),
}
"""What only a process of its own survives, by name."""


def register(name, do):
    @afbench.activation(f"bad_{name}")
    class Bad(nn.Module):
        """Changes its process at its first call."""

        done = False

        def forward(self, x):
            if not self.done:
                self.done = True
                do()
            return x.tanh()


for kind in (LASTING, ENDING):
    for each, what in kind.items():
        register(each, what)


@afbench.activation("bad_born")
class Born(nn.Module):
    """Changes its process where it is built, which planning does too."""

    def __init__(self):
        super().__init__()
        LASTING["functions"]()
        LASTING["default_dtype"]()

    def forward(self, x):
        return x.tanh()
