# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The interface of a base policy."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import torch
from tensordict import TensorDict


@runtime_checkable
class ChunkPolicy(Protocol):
    """Policy that plans a chunk of actions from one observation."""

    horizon: int
    """Number of actions in a chunk, H."""

    action_dim: int
    """Number of action dimensions, A."""

    observations: tuple[str, ...]
    """Observations that :meth:`plan` reads, each a group or an entry of one as ``group/entry``."""

    noise_dim: int
    """Number of noise values that one plan starts from; 0 for a deterministic policy."""

    def plan(self, obs: TensorDict, noise: torch.Tensor | None = None) -> torch.Tensor:
        """Return the next H actions for each of B observations, in [-1, 1], shape [B, H, A], without gradient.

        Args:
            obs: At least :attr:`observations`, batch size [B].
            noise: Standard normal noise, shape [B, noise_dim]. None draws it from torch's global random state.
        """
        ...
