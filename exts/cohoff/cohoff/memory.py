# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Memory that can still be allocated."""

from __future__ import annotations

from pathlib import Path

import psutil
import torch

GB = 1e9
"""Bytes."""


def free_memory(device: torch.device) -> int:
    """Memory [byte] that can still be allocated on ``device``, including torch's reserve."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return int(min(psutil.virtual_memory().available, left_in_group()))


def left_in_group(root: Path = Path("/sys/fs/cgroup"), process: Path = Path("/proc/self/cgroup")) -> float:
    """Memory [byte] that the control groups (v2) of this process leave it: a job's or a container's limit.

    Infinite without a limit.
    """
    lines = process.read_text(encoding="ascii").splitlines() if process.is_file() else []
    group = next((root / line.removeprefix("0::/") for line in lines if line.startswith("0::/")), root)
    left = float("inf")
    for folder in (group, *group.parents):
        limit = folder / "memory.max"
        if not limit.is_file() or (text := limit.read_text(encoding="ascii").strip()) == "max":
            continue
        counts = dict(line.split() for line in (folder / "memory.stat").read_text(encoding="ascii").splitlines())
        used = int((folder / "memory.current").read_text(encoding="ascii")) - int(counts["inactive_file"])
        left = min(left, int(text) - used)
    return left
