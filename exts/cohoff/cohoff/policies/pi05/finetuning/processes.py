# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Processes that train together, as torchrun starts them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.distributed


@contextmanager
def joined(device: str) -> Iterator[tuple[torch.device, int]]:
    """Join the processes that torchrun has started, if any, while the block runs.

    Args:
        device: Device of a single process; of several, the first one's, and the others follow in order.

    Yields:
        Device and rank of this process.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield torch.device(device), 0
        return
    kind = torch.device(device).type
    own = torch.device(f"cuda:{os.environ['LOCAL_RANK']}" if kind == "cuda" else "cpu")
    if kind == "cuda":
        torch.cuda.set_device(own)
    torch.distributed.init_process_group("nccl" if kind == "cuda" else "gloo")
    try:
        yield own, torch.distributed.get_rank()
    finally:
        torch.distributed.destroy_process_group()


def place() -> tuple[int, int]:
    """Return the rank of this process and the number of processes."""
    if not torch.distributed.is_initialized():
        return 0, 1
    return torch.distributed.get_rank(), torch.distributed.get_world_size()
