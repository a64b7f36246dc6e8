# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Update, act, process_env_step, chunk engine and replay buffer stay on their device: no host read, no host tensor."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from device_loop import NothingFromTheHost, OnDeviceAlone
from torch import Tensor

PROGRAM = Path(__file__).with_name("device_loop.py")


@pytest.mark.parametrize("device", ["meta", "cuda:0"])
def test_the_loop_runs_where_no_tensor_has_data(device: str) -> None:
    process = subprocess.run([sys.executable, str(PROGRAM), device], capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
    assert process.stdout == f"ran on {device}\n"


@pytest.mark.parametrize(
    "operation",
    [
        lambda x: x * torch.tensor(2.0),
        lambda x: torch.where(x > 0.0, x, torch.zeros(())),
        lambda x: float(x.sum()),
        lambda x: x.sum() > 0.0 and x,
        lambda x: x[x > 0.0],
        lambda x: x.cpu(),
        lambda x: x * torch.tensor(2.0, device="meta"),
        lambda x: x + x.new_tensor([1.0, 2.0, 3.0]),
    ],
)
def test_what_a_graph_cannot_hold_is_refused(operation: Callable[[Tensor], object]) -> None:
    x = torch.ones(3, device="meta")
    with NothingFromTheHost(), OnDeviceAlone("meta"):
        assert (2.0 * x).shape == (3,)
        with pytest.raises((AssertionError, RuntimeError)):
            operation(x)
