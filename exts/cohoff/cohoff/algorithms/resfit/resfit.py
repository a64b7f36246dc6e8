# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""ResFiT: what differs from other off-policy algorithms."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from cohoff.algorithms.common.td3 import Td3Learner
from cohoff.networks.gaussian import GaussianPolicy
from cohoff.offpolicy.batch import State
from cohoff.offpolicy.learner import Problem
from cohoff.policies.acting import CombinedPolicy
from cohoff.policies.combine import Residual, make_combination


class ResFiT(Td3Learner):
    """TD3 of a residual on the frozen base. ResFiT (arXiv 2509.19301).

    Executed is ``clip(a_B + scale·tanh(f(s, a_B)))``, with f = 0 at the start. The critic sees (s, a_B) and what is
    executed. The settings are described in :class:`~cohoff.algorithms.resfit.resfit_cfg.ResfitAlgorithmCfg`.
    """

    fixed_settings = (*Td3Learner.fixed_settings, "residual_scale")

    def __init__(
        self,
        problem: Problem,
        *,
        residual_scale: float,
        actor: dict[str, Any],
        critic: dict[str, Any],
        target_members: int,
        target_rate: float,
        noise: dict[str, float],
    ):
        """Allocate networks and optimizers."""
        super().__init__(
            problem, problem.actor_dim + problem.action_dim, problem.critic_dim + problem.action_dim, zero_mean=True,
            actor=actor, critic=critic, target_members=target_members, target_rate=target_rate, noise=noise,
        )  # fmt: skip
        self.combination = Residual(residual_scale)

    def actor_obs(self, state: State) -> Tensor:
        """Observation and base action, [B, D + A]."""
        return torch.cat([state.actor, state.base_action], dim=-1)

    def critic_obs(self, state: State) -> Tensor:
        """Observation and base action, [B, C + A]: a plan goes on, so that its action says what follows."""
        return torch.cat([state.critic, state.base_action], dim=-1)

    def executed(self, actor: GaussianPolicy, state: State) -> Tensor:
        """The corrected base action, [B, A]."""
        return self.combination(state.base_action, torch.tanh(actor.mean(self.actor_obs(state))))

    def policy(self, kind: str) -> CombinedPolicy | None:
        """Mean policy: ``trained``, or the base at ``step0``."""
        if kind == "clone":
            return None
        combination = self.combination if kind == "trained" else make_combination("base")
        return CombinedPolicy(self.model.actor, combination, sees_base=True)
