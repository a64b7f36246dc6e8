# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Inputs that are normalized by what the demonstrations contain."""

from __future__ import annotations

from typing import Self

import torch
from torch import Tensor, nn

MIN_OBS_STD = 0.05
"""Lower bound on the standard deviation that an entry of the input is normalized by."""


class NormalizedInput(nn.Module):
    """Base class of networks whose input [B, D] is normalized by a fixed mean and standard deviation."""

    def __init__(self, obs_dim: int):
        super().__init__()
        self.obs_mean: Tensor
        self.obs_std: Tensor
        self.register_buffer("obs_mean", torch.zeros(obs_dim))
        self.register_buffer("obs_std", torch.ones(obs_dim))

    @property
    def obs_dim(self) -> int:
        """Size D of the input."""
        return self.obs_mean.numel()

    def set_normalization(self, mean: Tensor, std: Tensor) -> None:
        """Fix the input normalization, both [D], from the demonstrations."""
        self.obs_mean.copy_(mean)
        self.obs_std.copy_(std)

    def fit_normalization(self, obs: Tensor) -> None:
        """Normalize inputs by mean and standard deviation of the demonstrated ones ``obs`` [M, D]."""
        self.set_normalization(obs.mean(0), obs.std(0).clamp_min(MIN_OBS_STD))

    def normalize(self, obs: Tensor) -> Tensor:
        """Normalized input [B, D]."""
        return (obs - self.obs_mean) / self.obs_std

    @torch.no_grad()
    def track_(self, online: Self, rate: float) -> None:
        """Move this target network towards ``online`` by ``rate``; the normalization is copied."""
        torch._foreach_lerp_(list(self.parameters()), list(online.parameters()), rate)
        torch._foreach_copy_(list(self.buffers()), list(online.buffers()))
