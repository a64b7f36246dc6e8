# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""CSIL++: what differs from other off-policy algorithms."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from cohoff.algorithms.common import categorical_td, losses
from cohoff.algorithms.csil import preparation, updates
from cohoff.algorithms.csil.model import CsilModel
from cohoff.algorithms.csil.reward import REWARDS, CoherentReward, make_reward
from cohoff.offpolicy.batch import Batch, State
from cohoff.offpolicy.learner import Metrics, PolicyKind, Problem
from cohoff.offpolicy.transitions import Corrections, Transitions
from cohoff.policies.acting import CombinedPolicy
from cohoff.policies.combine import make_combination


class CSIL:
    """Coherent soft imitation learning with a frozen base policy. CSIL++ (arXiv 2606.02194).

    The settings are described in :class:`~cohoff.algorithms.csil.csil_cfg.CsilAlgorithmCfg`.
    """

    fixed_settings = ("combination", "residual_scale", "policy")
    fixed_for_training = ("critic", "reward")

    def __init__(
        self,
        problem: Problem,
        *,
        combination: str,
        residual_scale: float,
        reward: str,
        reward_floor: float,
        margin_share: float,
        refinement_learning_rate: float,
        policy: dict[str, Any],
        clone: dict[str, Any],
        critic: dict[str, Any],
        target_rate: float,
        beta: float,
        exploration_std: float,
        gradient_penalty: float,
    ):
        """Allocate networks and optimizers."""
        self.problem = problem
        self.combination = make_combination(combination, residual_scale)
        self.uses_base = self.combination.uses_base
        self.residual = combination == "residual"
        with problem.device:
            self.modules = self.model = CsilModel(
                problem.actor_dim, problem.critic_dim, problem.action_dim, self.combination, policy,
                categorical_td.critic_kwargs(critic, REWARDS[reward].lowest, REWARDS[reward].highest),
            )  # fmt: skip
        self.clone_cfg, self.critic_cfg = clone, critic
        self.target_rate, self.beta, self.gradient_penalty = target_rate, beta, gradient_penalty
        self.exploration_std = exploration_std
        self._reward = make_reward(reward, self.model.reward, reward_floor, margin_share)
        self.relabels = refinement_learning_rate > 0.0 and isinstance(self._reward, CoherentReward)
        # The core sets the learning rates of these two; the refinement keeps its own.
        capturable = problem.device.type == "cuda"
        self.optimizers = {
            "critic": torch.optim.Adam(self.model.critic.parameters(), fused=True, capturable=capturable),
            "actor": torch.optim.Adam(self.model.actor.parameters(), fused=True, capturable=capturable),
        }
        self._refinement = torch.optim.SGD(self.model.reward.parameters(), refinement_learning_rate)
        self.model.reward.requires_grad_(self.relabels)

    @torch.no_grad()
    def features(self, actor_obs: Tensor) -> dict[str, Tensor]:
        """Mean and spread of the frozen prior, [B, A] each: updates need them at every state that they draw."""
        mean, std = self.model.prior(actor_obs)
        return {"prior_mean": mean, "prior_std": std}

    @torch.no_grad()
    def act(self, state: State, explore: Tensor) -> Tensor:
        """Executed actions [B, A]: sampled where ``explore`` [B] bool holds, of the mean policy elsewhere."""
        mean, std = self.model.actor(state.actor)
        noise = torch.randn_like(mean) * explore[:, None]
        action = losses.sample_tanh_gaussian(mean, std.clamp_max(self.exploration_std), noise)
        return self.combination(state.base_action, action)

    def policy(self, kind: PolicyKind) -> CombinedPolicy:
        """Mean policy: ``trained``, at ``step0``, or the ``clone`` alone."""
        if kind == "clone":
            return CombinedPolicy(self.model.clone, make_combination("policy"))
        return CombinedPolicy(self.model.actor if kind == "trained" else self.model.prior, self.combination)

    def prepare(
        self, demonstrations: Transitions, corrections: Corrections | None, discount: float, progress: Any
    ) -> dict[str, dict[str, float]]:
        """Clone, read off the reward, and pre-train the critic."""
        return preparation.prepare(
            self.model, self._reward, demonstrations, corrections, discount, self.residual, self.clone_cfg,
            self.critic_cfg, self.gradient_penalty, progress,
        )  # fmt: skip

    def reward(self, actor_obs: Tensor, action: Tensor, success: Tensor) -> Tensor:
        """Scaled reward [B] of executed actions."""
        return self._reward(actor_obs, action, success)

    def update(self, batch: Batch, num_demonstrations: int, with_actor: bool) -> Metrics:
        """Critic, target and, if ``with_actor``, actor."""
        beta = self.beta * self._reward.step_worth
        noise = torch.randn_like(batch.action)
        target, next_action, metrics = updates.bootstrap_target(self.model, batch, noise, beta)
        metrics |= categorical_td.update_critic(
            self.model, self.optimizers["critic"], batch, target, next_action, num_demonstrations, self.gradient_penalty
        )
        self.model.target.track_(self.model.critic, self.target_rate)
        if with_actor:
            noise = torch.randn_like(batch.action)
            metrics |= updates.update_actor(self.model, self.optimizers["actor"], batch, noise, beta)
        if self.relabels:
            metrics |= updates.update_reward(self.model.reward, self._refinement, batch, num_demonstrations)
        return metrics

    def constants(self) -> dict[str, float]:
        """Scale and offsets of the reward."""
        return self._reward.constants()

    def load_constants(self, constants: dict[str, float]) -> None:
        """Take up :meth:`constants`; those of another reward are left out, as nothing can be trained with them."""
        for name in self._reward.constants().keys() & constants.keys():
            setattr(self._reward, name, constants[name])
