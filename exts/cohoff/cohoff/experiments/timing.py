# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The clock of the benchmarks."""

from __future__ import annotations

import time

import torch


def clock(device: str) -> float:
    """Seconds, after everything queued on the device.

    On a CPU with one thread they are the process's own, so that others on a busy machine do not count.
    """
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)
    return time.process_time() if device == "cpu" and torch.get_num_threads() == 1 else time.perf_counter()
