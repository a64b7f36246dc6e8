# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What a base policy is, and how one is opened from its checkpoint."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol, runtime_checkable

import torch
from tensordict import TensorDict

from cohoff.errors import InputError
from cohoff.policies.base_checkpoint import read_metadata
from cohoff.policies.flow.policy import load_flow
from cohoff.policies.pi05.files import locate
from cohoff.policies.pi05.policy import load_pi05


@runtime_checkable
class ChunkPolicy(Protocol):
    """Policy that plans a chunk of actions from one observation."""

    horizon: int
    """Number of actions in a chunk, H."""

    action_dim: int
    """Number of action dimensions, A."""

    observations: tuple[str, ...]
    """Observations that :meth:`plan` reads, each a group or an entry of one as ``group/entry``."""

    def plan(self, obs: TensorDict) -> torch.Tensor:
        """Return the next H actions for each of B observations, in [-1, 1], shape [B, H, A], without gradient."""
        ...


_LOADERS = {"flow": load_flow}

KINDS = (*_LOADERS, "pi05")
"""Kinds of base policies, as options name them."""


def base_path(base: str | None, checkpoint: str | None) -> str | None:
    """Path of the base policy that the options ``base`` and ``base_checkpoint`` mean; None where there is none.

    Args:
        base: A path, or one of :data:`KINDS` with the path in ``checkpoint``.
        checkpoint: File or folder; for ``pi05`` also a name on the Hugging Face hub, which is downloaded at first use.

    Raises:
        InputError: The options contradict each other, or there are no weights.
    """
    if base in KINDS and checkpoint is None:
        raise InputError(f"base {base} needs its weights; give its file or folder as base_checkpoint")
    if checkpoint is None:
        return base
    if base is not None and base not in KINDS:
        raise InputError(f"base is {base!r} beside base_checkpoint {checkpoint!r}; use one of {', '.join(KINDS)}")
    if base == "pi05":
        return str(locate(checkpoint))
    if base == "flow" and Path(checkpoint).is_dir():
        raise InputError(f"base_checkpoint {checkpoint!r} is a folder; base flow is a file of scripts/pretrain.py")
    return checkpoint


def load_base(path: str | os.PathLike[str], task: str | None = None, device: torch.device | str = "cpu") -> ChunkPolicy:
    """Open the base policy at ``path``, frozen and in evaluation mode.

    Args:
        path: Checkpoint written by ``scripts/pretrain.py``, or the folder of a pi-0.5 checkpoint.
        task: Task the policy must have been trained for, where its checkpoint names one. None accepts any.
        device: Device of the policy and of its plans.

    Raises:
        InputError: the device or the checkpoint cannot be used: missing, truncated, of an unknown kind, of another task.
    """
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"device {str(device)!r} of the base policy cannot be used here; use cpu or cuda:N") from error
    if Path(path).is_dir():
        return load_pi05(path, device)
    metadata = read_metadata(path)
    if task is not None and metadata.get("task") != task:
        raise InputError(f"base checkpoint {str(path)!r} was trained for task {metadata.get('task')!r}, not {task!r}")
    kind = metadata["kind"]
    if kind not in _LOADERS:
        raise InputError(
            f"base checkpoint {str(path)!r} is of unknown kind {kind!r}; known kinds: {', '.join(_LOADERS)}"
        )
    return _LOADERS[kind](path, device)
