# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Policies that act without a base policy, on what was learned from recorded data."""

from __future__ import annotations

import torch
from torch import Tensor

from cohoff.networks.gaussian import GaussianPolicy
from cohoff.networks.mixture import MixturePolicy
from cohoff.networks.scalar_critic import ScalarCritic
from cohoff.policies.acting import StepPolicy


class ConditionedPolicy(StepPolicy):
    """Asks an actor that reads a return for the best one that was recorded. RvS (arXiv 2112.10751).

    Args:
        actor: Reads the observation and the return, [B, D + 1].
        wanted: The return that is asked for, a scalar.
    """

    def __init__(self, actor: GaussianPolicy, wanted: Tensor):
        super().__init__(actor)
        self.wanted = wanted

    @property
    def observation_dim(self) -> int:
        """Size D of the actor's observation, without the return."""
        return super().observation_dim - 1

    def forward(self, actor_obs: Tensor, base_action: Tensor) -> Tensor:
        """Executed action [B, A]."""
        wanted = self.wanted.expand(len(actor_obs), 1)
        return torch.tanh(self.actor.mean(torch.cat([actor_obs, wanted], dim=-1)))


class BestSamplePolicy(StepPolicy):
    """Executes the best of K actions of a clone, judged by the critics' minimum. Their noise is always the same.

    Args:
        clone: Density of the recorded actions.
        critic: Judges; it reads the actor's observation.
        num_samples: Number of samples K.
    """

    def __init__(self, clone: MixturePolicy, critic: ScalarCritic, num_samples: int):
        super().__init__(clone)  # pyright: ignore[reportArgumentType]
        self.clone, self.critic = clone, critic
        generator = torch.Generator().manual_seed(0)
        device = clone.obs_mean.device
        uniform = torch.rand(num_samples, 1, clone.num_components, generator=generator).clamp(1e-9, 1.0 - 1e-7)
        self.gumbel = -torch.log(-torch.log(uniform)).to(device)
        self.noise = torch.randn(num_samples, 1, clone.action_dim, generator=generator).to(device)

    def forward(self, actor_obs: Tensor, base_action: Tensor) -> Tensor:
        """Executed action [B, A]."""
        action = self.clone.sample(actor_obs, self.gumbel, self.noise)
        values = self.critic(actor_obs.repeat(len(action), 1), action.flatten(0, 1)).unflatten(1, action.shape[:2])
        chosen = values.amin(0).argmax(0)
        return action.gather(0, chosen[None, :, None].expand(1, -1, action.shape[-1]))[0]
