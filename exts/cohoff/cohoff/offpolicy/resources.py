# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What a run uses of its machine."""

from __future__ import annotations

from importlib.util import find_spec

import psutil
import torch

from cohoff.memory import GB, free_memory


def resources(device: torch.device) -> dict[str, float]:
    """Memory [GB] of this process and what is left on ``device``; on CUDA what is in use there, and how busy it is.

    The memory of a GPU is that of all programs, the simulation included. How busy it is, in percent of the last second,
    needs the package ``nvidia-ml-py``; without it, the entry is missing.
    """
    used = {"memory_gb": psutil.Process().memory_info().rss / GB, "memory_left_gb": free_memory(device) / GB}
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        used["gpu_memory_gb"] = (total - free) / GB
        if find_spec("pynvml") is not None:
            used["gpu_use_percent"] = float(torch.cuda.utilization(device))
    return used
