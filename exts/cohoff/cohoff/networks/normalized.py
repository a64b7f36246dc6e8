# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Inputs that are normalized by what the demonstrations contain."""

from __future__ import annotations

import torch
from torch import Tensor, nn


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

    def normalize(self, obs: Tensor) -> Tensor:
        """Normalized input [B, D]."""
        return (obs - self.obs_mean) / self.obs_std
