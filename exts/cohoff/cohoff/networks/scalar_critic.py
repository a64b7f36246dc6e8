# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""An ensemble of critics that predict the expected return alone, with layer norm."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn

from cohoff.networks.blocks import EnsembleLinear
from cohoff.networks.normalized import NormalizedInput


class ScalarCritic(NormalizedInput):
    """Critics Q(s, a): dense → layer norm → ReLU, and a linear head. The members share one batched product.

    The layer norm bounds what a critic can say about actions that it has not seen (RLPD, arXiv 2302.02948).
    """

    def __init__(self, obs_dim: int, action_dim: int, hidden_dims: tuple[int, ...], num_members: int):
        super().__init__(obs_dim)
        self.num_members = num_members
        dims = (obs_dim + action_dim, *hidden_dims)
        self.layers = nn.ModuleList(
            EnsembleLinear(num_members, *sizes, bias=True) for sizes in itertools.pairwise(dims)
        )
        self.gains = nn.ParameterList(torch.ones(num_members, 1, size) for size in hidden_dims)
        self.shifts = nn.ParameterList(torch.zeros(num_members, 1, size) for size in hidden_dims)
        self.head = EnsembleLinear(num_members, dims[-1], 1, bias=True)

    def forward(self, obs: Tensor, action: Tensor) -> Tensor:
        """Values [E, B] of actions [B, A] at observations [B, D]."""
        x = torch.cat([self.normalize(obs), action], dim=-1).expand(self.num_members, -1, -1)
        for layer, gain, shift in zip(self.layers, self.gains, self.shifts, strict=True):
            x = layer(x)
            x = torch.relu(nn.functional.layer_norm(x, x.shape[-1:]) * gain + shift)
        return self.head(x).squeeze(-1)

    @torch.no_grad()
    def start_at_zero(self) -> None:
        """Make all values 0, which random ones are far from where rewards are sparse."""
        for parameter in self.head.parameters():
            parameter.zero_()

    def value(self, obs: Tensor, action: Tensor) -> Tensor:
        """The same; a categorical critic's is the mean of its distribution."""
        return self(obs, action)
