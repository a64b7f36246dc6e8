# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What a base policy is, and how one is opened from its checkpoint."""

from __future__ import annotations

import os
from typing import Protocol, runtime_checkable

import torch
from tensordict import TensorDict

from cohoff.errors import InputError
from cohoff.policies.checkpoint import read_metadata
from cohoff.policies.flow import load_flow


@runtime_checkable
class ChunkPolicy(Protocol):
    """Policy that plans a chunk of actions from one observation."""

    horizon: int
    """Number of actions in a chunk, H."""

    action_dim: int
    """Number of action dimensions, A."""

    def plan(self, obs: TensorDict) -> torch.Tensor:
        """Return the next H actions for each of B observations, in [-1, 1], shape [B, H, A], without gradient."""
        ...


_LOADERS = {"flow": load_flow}


def load_base(path: str | os.PathLike[str], task: str | None = None, device: torch.device | str = "cpu") -> ChunkPolicy:
    """Open the base policy at ``path``, frozen and in evaluation mode.

    Args:
        path: Checkpoint written by ``scripts/pretrain.py``.
        task: Task the policy must have been trained for. None accepts any.
        device: Device of the policy and of its plans.

    Raises:
        InputError: the file is missing, truncated, no base checkpoint, of an unknown kind, or of another task.
    """
    metadata = read_metadata(path)
    if task is not None and metadata.get("task") != task:
        raise InputError(f"base checkpoint {str(path)!r} was trained for task {metadata.get('task')!r}, not {task!r}")
    kind = metadata["kind"]
    if kind not in _LOADERS:
        raise InputError(
            f"base checkpoint {str(path)!r} is of unknown kind {kind!r}; known kinds: {', '.join(_LOADERS)}"
        )
    return _LOADERS[kind](path, device)
