# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Clock for benchmarks, and the processor that they run on."""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable

import torch


def clock(device: str) -> float:
    """Current time [s], after everything queued on the device has run.

    On a CPU with one thread it is the CPU time of this process, so that other programs on a busy machine do not count.
    """
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)
    return time.process_time() if device == "cpu" and torch.get_num_threads() == 1 else time.perf_counter()


def processor(device: str) -> str:
    """Name of the device."""
    if device.startswith("cuda"):
        return torch.cuda.get_device_name(device)
    return platform.processor() or platform.machine()


def milliseconds(device: str, call: Callable[[], object], calls: int, warm_up: int = 1, rounds: int = 3) -> float:
    """Time of one call [ms]: the median over ``rounds`` of the mean over ``calls``, after some that do not count.

    The device is waited for once in a round, so that what it runs while the host prepares the next call is not lost.
    """
    for _ in range(warm_up):
        call()
    times = []
    for _ in range(rounds):
        start = clock(device)
        for _ in range(calls):
            call()
        times.append(1e3 * (clock(device) - start) / calls)
    return statistics.median(times)
