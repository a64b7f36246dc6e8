# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Clock for benchmarks."""

from __future__ import annotations

import time

import torch


def clock(device: str) -> float:
    """Current time [s], after everything queued on the device has run.

    On a CPU with one thread it is the CPU time of this process, so that other programs on a busy machine do not count.
    """
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)
    return time.process_time() if device == "cpu" and torch.get_num_threads() == 1 else time.perf_counter()
