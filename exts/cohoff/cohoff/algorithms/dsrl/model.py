# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The networks of DSRL in one module, which is what a checkpoint holds."""

from __future__ import annotations

import copy
import math

import torch
from torch import Tensor, nn

from cohoff.networks.gaussian import GaussianPolicy
from cohoff.networks.scalar_critic import ScalarCritic


class DsrlModel(nn.Module):
    """Actor over noise, critics over noise, critics over plans where noise is aliased, targets, and the temperature.

    The targets are of those critics that learn from rewards.

    Args:
        actor_dim: Size D of the actor's observation.
        critic_dim: Size C of the critics' observation.
        noise_dim: Size K of the noise of a plan.
        actor_dims: Widths of the actor's hidden layers.
        critic_dims: Widths of the critics' hidden layers.
        num_critics: Number of critics.
        temperature: Weight of the entropy at the start.
        plan_dim: Number of action values of a plan, if there are critics over plans; 0 leaves them out.
    """

    def __init__(
        self, actor_dim: int, critic_dim: int, noise_dim: int, actor_dims: tuple[int, ...],
        critic_dims: tuple[int, ...], num_critics: int, temperature: float, plan_dim: int = 0,
    ):  # fmt: skip
        super().__init__()
        self.actor = GaussianPolicy(actor_dim, noise_dim, actor_dims, zero_mean=True)
        self.initial_actor = copy.deepcopy(self.actor).requires_grad_(False)
        self.critic = ScalarCritic(critic_dim, noise_dim, critic_dims, num_critics)
        self.plan_critic = ScalarCritic(critic_dim, plan_dim, critic_dims, num_critics) if plan_dim > 0 else None
        self.target = copy.deepcopy(self.plan_critic or self.critic).requires_grad_(False)
        self.log_temperature = nn.Parameter(torch.tensor(math.log(temperature)))

    @property
    def temperature(self) -> Tensor:
        """Weight of the entropy, scalar, without gradient."""
        return self.log_temperature.detach().exp()

    def normalize_inputs(self, actor_obs: Tensor, critic_obs: Tensor) -> None:
        """Normalize the inputs by what observations [M, D] and [M, C] contain."""
        for actor in (self.actor, self.initial_actor):
            actor.fit_normalization(actor_obs)
        for critic in (self.critic, self.plan_critic, self.target):
            if critic is not None:
                critic.fit_normalization(critic_obs)
