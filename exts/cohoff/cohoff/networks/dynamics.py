# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What follows an action, learned: an ensemble of probabilistic networks."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn

from cohoff.networks.blocks import EnsembleLinear
from cohoff.networks.normalized import NormalizedInput

LOG_STD_RANGE = (-5.0, 1.0)
"""Bounds on the logarithm of a change's standard deviation, in units of the changes' own."""


class DynamicsEnsemble(NormalizedInput):
    """E networks that predict the change of an observation, the reward and whether the step succeeds.

    Args:
        obs_dim: Size D of an observation.
        action_dim: Size A of an action.
        hidden_dims: Widths of the hidden layers.
        num_members: Number of networks E.
    """

    change_mean: Tensor
    change_std: Tensor

    def __init__(self, obs_dim: int, action_dim: int, hidden_dims: tuple[int, ...], num_members: int):
        super().__init__(obs_dim)
        self.num_members = num_members
        sizes = (obs_dim + action_dim, *hidden_dims, 2 * obs_dim + 2)
        self.layers = nn.ModuleList(EnsembleLinear(num_members, *pair, bias=True) for pair in itertools.pairwise(sizes))
        self.register_buffer("change_mean", torch.zeros(obs_dim))
        self.register_buffer("change_std", torch.ones(obs_dim))

    def fit_changes(self, change: Tensor) -> None:
        """Predict changes in units of those of [M, D]."""
        self.change_mean.copy_(change.mean(0))
        self.change_std.copy_(change.std(0).clamp_min(1e-6))

    def forward(self, obs: Tensor, action: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Mean and log standard deviation of the scaled change [E, B, D], reward and logit of a success [E, B]."""
        x = torch.cat([self.normalize(obs), action], dim=-1).expand(self.num_members, -1, -1)
        *hidden, last = self.layers
        for layer in hidden:
            x = torch.nn.functional.silu(layer(x))
        mean, log_std, reward, success = last(x).split((self.obs_dim, self.obs_dim, 1, 1), dim=-1)
        return mean, log_std.clamp(*LOG_STD_RANGE), reward[..., 0], success[..., 0]

    def loss(self, obs: Tensor, action: Tensor, change: Tensor, reward: Tensor, success: Tensor) -> Tensor:
        """Negative log likelihood of changes [B, D], squared error of rewards [B], cross-entropy of successes [B]."""
        mean, log_std, predicted, logit = self(obs, action)
        z = ((change - self.change_mean) / self.change_std - mean) * torch.exp(-log_std)
        likelihood = (0.5 * z.square() + log_std).sum(-1).mean(1)
        error = (predicted - reward).square().mean(1)
        entropy = nn.functional.binary_cross_entropy_with_logits(
            logit, success.float().expand_as(logit), reduction="none"
        ).mean(1)
        return (likelihood + error + entropy).sum()

    def predict(self, obs: Tensor, action: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Next observation [B, D], reward, probability of success and uncertainty [B], drawn from a random member.

        The uncertainty is the largest norm of a member's standard deviation, in units of the changes' own. MOPO (arXiv
        2005.13239).
        """
        mean, log_std, reward, logit = self(obs, action)
        rows = torch.arange(len(obs), device=obs.device)
        member = torch.randint(self.num_members, (len(obs),), device=obs.device)
        std = log_std.exp()
        scaled = mean[member, rows] + std[member, rows] * torch.randn_like(obs)
        uncertainty = torch.linalg.vector_norm(std, dim=-1).amax(0)
        following = obs + self.change_mean + self.change_std * scaled
        return following, reward[member, rows], logit[member, rows].sigmoid(), uncertainty
