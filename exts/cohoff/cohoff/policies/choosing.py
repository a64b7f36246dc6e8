# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A policy whose critic chooses between the base action and its own."""

from __future__ import annotations

import torch
from torch import Tensor

from cohoff.networks.gaussian import GaussianPolicy
from cohoff.networks.scalar_critic import ScalarCritic
from cohoff.policies.acting import StepPolicy


class ChosenPolicy(StepPolicy):
    """Executes the base action or the policy action, whichever the critic values more. IBRL (arXiv 2311.02198).

    A value is the minimum over all members of the critic, so that the choice is deterministic. The base acts where both
    are worth the same.

    Args:
        actor: Its ``mean`` is the policy action before tanh.
        critic: Reads the actor's observation.
    """

    def __init__(self, actor: GaussianPolicy, critic: ScalarCritic):
        super().__init__(actor)
        self.critic = critic

    def forward(self, actor_obs: Tensor, base_action: Tensor) -> Tensor:
        """Executed action [B, A]."""
        return self.choose(actor_obs, base_action, torch.tanh(self.actor.mean(actor_obs)))

    def choose(self, actor_obs: Tensor, base_action: Tensor, policy_action: Tensor) -> Tensor:
        """The better of two actions [B, A] each in its row."""
        base_value, policy_value = (self.critic(actor_obs, action).amin(0) for action in (base_action, policy_action))
        return torch.where((policy_value > base_value)[:, None], policy_action, base_action)
