"""What an item left behind: the stacks of torch are read by names of its own, which a torch may not have."""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from afbench.engines import witness


def test_a_torch_without_the_private_names_has_nothing_to_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch._C._autograd, "_top_saved_tensors_default_hooks")
    monkeypatch.delattr(torch._C, "_nn")
    assert witness.saved_hooks() == []
    assert witness.stack_of("overrides._no_such_stack")() == []
    assert torch.nn in list(witness.spaces())


def test_stacks_hold_what_was_entered() -> None:
    read = witness.stack_of("utils._python_dispatch._get_current_dispatch_mode_stack")
    with torch.autograd.graph.saved_tensors_hooks(lambda x: x, lambda x: x), TorchDispatchMode() as mode:
        assert read() == [mode]
        assert len(witness.saved_hooks()) == 1
    assert witness.saved_hooks() == []
