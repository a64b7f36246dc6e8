# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A density of actions with several modes."""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor, nn

from cohoff.networks.normalized import NormalizedInput

STD_RANGE = (0.05, 1.0)
"""Bounds on the standard deviation of a component, in units of the action range [-1, 1]."""


class MixturePolicy(NormalizedInput):
    """Mixture density network: a mixture of C normal densities over actions, each with a mean and a spread.

    Args:
        obs_dim: Size D of the input.
        action_dim: Size A of an action.
        hidden_dims: Widths of the hidden layers.
        num_components: Number of components C.
    """

    def __init__(self, obs_dim: int, action_dim: int, hidden_dims: tuple[int, ...], num_components: int):
        super().__init__(obs_dim)
        self.action_dim, self.num_components = action_dim, num_components
        layers: list[nn.Module] = []
        for sizes in itertools.pairwise((obs_dim, *hidden_dims)):
            layers += [nn.Linear(*sizes), nn.ReLU()]
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(hidden_dims[-1], num_components * (1 + 2 * action_dim))

    def forward(self, obs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits [B, C], means and standard deviations [B, C, A] at observations [B, D]."""
        out = self.head(self.body(self.normalize(obs)))
        logits, rest = out.split((self.num_components, out.shape[1] - self.num_components), dim=1)
        mean, raw = rest.unflatten(1, (self.num_components, -1)).chunk(2, dim=2)
        low, high = STD_RANGE
        return logits, torch.tanh(mean), low + (high - low) * torch.sigmoid(raw)

    def log_prob(self, obs: Tensor, action: Tensor) -> Tensor:
        """Log density [B] of actions [B, A]."""
        logits, mean, std = self(obs)
        z = (action[:, None] - mean) / std
        components = (-0.5 * z.square() - std.log() - 0.5 * math.log(2.0 * math.pi)).sum(-1)
        return (logits.log_softmax(-1) + components).logsumexp(-1)

    def sample(self, obs: Tensor, gumbel: Tensor, noise: Tensor) -> Tensor:
        """K actions within [-1, 1] at each of B observations [B, D], shape [K, B, A].

        Args:
            obs: Observations.
            gumbel: Gumbel noise that chooses the components, [K, B or 1, C].
            noise: Standard normal noise within them, [K, B or 1, A].
        """
        logits, mean, std = self(obs)
        chosen = (logits + gumbel).argmax(-1)[..., None, None].expand(-1, -1, 1, self.action_dim)
        pick = [value.expand(len(gumbel), -1, -1, -1).gather(2, chosen)[:, :, 0] for value in (mean, std)]
        return (pick[0] + pick[1] * noise).clamp(-1.0, 1.0)


def gumbel_noise(*shape: int, device: torch.device) -> Tensor:
    """Standard Gumbel noise: the largest of logits plus it is a draw from their softmax."""
    return -torch.log(-torch.log(torch.rand(*shape, device=device).clamp(1e-9, 1.0 - 1e-7)))
