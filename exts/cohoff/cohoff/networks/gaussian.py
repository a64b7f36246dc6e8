# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A tanh-Gaussian policy on a plain perceptron."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn

from cohoff.networks.normalized import NormalizedInput

LOG_STD_RANGE = (-5.0, 2.0)
"""Bounds on the logarithm of the standard deviation before tanh, as in SAC."""


class GaussianPolicy(NormalizedInput):
    """Perceptron with two heads: mean and standard deviation before tanh.

    Args:
        obs_dim: Size D of the input.
        action_dim: Size A of an action.
        hidden_dims: Widths of the hidden layers.
        layer_norm: Whether a layer norm follows each hidden layer.
        zero_mean: Whether the mean is 0 at the start, as a residual needs it.
        initial_std: Standard deviation before tanh at the start.
    """

    def __init__(
        self,
        obs_dim: int,
        action_dim: int,
        hidden_dims: tuple[int, ...],
        layer_norm: bool = False,
        zero_mean: bool = False,
        initial_std: float = 1.0,
    ):
        super().__init__(obs_dim)
        self.action_dim = action_dim
        layers: list[nn.Module] = []
        for inputs, outputs in itertools.pairwise((obs_dim, *hidden_dims)):
            layers += [nn.Linear(inputs, outputs), *([nn.LayerNorm(outputs)] if layer_norm else []), nn.ReLU()]
        self.body = nn.Sequential(*layers)
        self.mean_head = nn.Linear(hidden_dims[-1], action_dim)
        self.log_std_head = nn.Linear(hidden_dims[-1], action_dim)
        if zero_mean:
            nn.init.zeros_(self.mean_head.weight)
            nn.init.zeros_(self.mean_head.bias)
        nn.init.zeros_(self.log_std_head.weight)
        nn.init.constant_(self.log_std_head.bias, float(torch.tensor(initial_std).log()))

    @torch.no_grad()
    def set_spread(self, std: Tensor) -> None:
        """Set the standard deviation before tanh, [A], to the same everywhere."""
        self.log_std_head.weight.zero_()
        self.log_std_head.bias.copy_(std.log())

    def mean(self, obs: Tensor) -> Tensor:
        """Mean before tanh [B, A] at observations [B, D]."""
        return self.mean_head(self.body(self.normalize(obs)))

    def forward(self, obs: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation before tanh, [B, A] each, at observations [B, D]."""
        hidden = self.body(self.normalize(obs))
        return self.mean_head(hidden), self.log_std_head(hidden).clamp(*LOG_STD_RANGE).exp()
