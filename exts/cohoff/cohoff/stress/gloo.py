# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Training in several processes on the CPU, with gloo in the place of NCCL."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import torch.distributed as dist

from cohoff.errors import InputError, exit_on_input_error
from cohoff.offpolicy.runner import OffPolicyRunner

patience = 60.0
"""Time that processes wait for each other [s]."""


def join(rank: int, size: int) -> None:
    """Make this process rank ``rank`` of ``size``, which meet at ``MASTER_ADDR`` and ``MASTER_PORT``.

    Raises:
        InputError: Not all of them came within :data:`patience`.
    """
    try:
        dist.init_process_group("gloo", timeout=timedelta(seconds=patience), rank=rank, world_size=size)
    except RuntimeError as error:
        raise InputError(
            f"not all {size} processes came to {os.environ['MASTER_ADDR']}:{os.environ['MASTER_PORT']} within "
            f"{patience:g} s; start all of them with the same address, port and WORLD_SIZE"
        ) from error


def rank_folder(folder: Path, rank: int) -> Path:
    """Folder of a rank in that of the run, as Isaac Lab lays it out."""
    return folder if rank == 0 else folder / f"rank_{rank}"


class GlooRunner(OffPolicyRunner):
    """The runner as ``torchrun`` starts it, on the CPU."""

    def _configure_multi_gpu(self) -> None:
        self.gpu_global_rank, self.gpu_world_size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
        self.gpu_local_rank, self.is_distributed = self.gpu_global_rank, True
        self.cfg["multi_gpu"] = {
            "global_rank": self.gpu_global_rank, "local_rank": self.gpu_local_rank, "world_size": self.gpu_world_size
        }  # fmt: skip
        if not dist.is_initialized():
            with exit_on_input_error():
                join(self.gpu_global_rank, self.gpu_world_size)
