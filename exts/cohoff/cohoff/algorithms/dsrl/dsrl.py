# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""DSRL: what differs from other off-policy algorithms."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from cohoff.algorithms.common import entropy, losses
from cohoff.algorithms.dsrl import updates
from cohoff.algorithms.dsrl.critics import NoiseCritics, Plan, PlanCritics
from cohoff.algorithms.dsrl.model import DsrlModel
from cohoff.errors import InputError
from cohoff.offpolicy.batch import Batch, State
from cohoff.offpolicy.finite import step_if_finite
from cohoff.offpolicy.learner import Metrics, Problem
from cohoff.offpolicy.transitions import Corrections, Transitions
from cohoff.policies.acting import CombinedPolicy, NoisePolicy


class DSRL:
    """Diffusion steering: the action is the noise that a frozen base policy plans from. DSRL (arXiv 2506.15799).

    What is executed is the base's plan. The settings are described in
    :class:`~cohoff.algorithms.dsrl.dsrl_cfg.DsrlAlgorithmCfg`.
    """

    uses_base = True
    relabels = False
    fixed_settings = ("actor_dims", "noise_bound", "noise_aliased")
    fixed_for_training = ("critic_dims", "num_critics")

    def __init__(
        self,
        problem: Problem,
        *,
        noise_bound: float,
        actor_dims: tuple[int, ...],
        critic_dims: tuple[int, ...],
        num_critics: int,
        target_rate: float,
        temperature: float,
        target_entropy: float | None,
        noise_aliased: bool,
    ):
        """Allocate networks and optimizers."""
        self.problem, self.noise_bound, self.target_rate = problem, noise_bound, target_rate
        self.target_entropy = -float(problem.noise_dim) if target_entropy is None else target_entropy
        with problem.device:
            self.modules = self.model = DsrlModel(
                problem.actor_dim, problem.critic_dim, problem.noise_dim, tuple(actor_dims), tuple(critic_dims),
                num_critics, temperature, problem.plan_dim if noise_aliased else 0,
            )  # fmt: skip
        capturable = problem.device.type == "cuda"
        parameters = {
            "critic": self.model.critic.parameters(),
            "actor": self.model.actor.parameters(),
            "temperature": [self.model.log_temperature],
        }
        if self.model.plan_critic is not None:
            parameters["plan_critic"] = self.model.plan_critic.parameters()
        self.optimizers = {
            name: torch.optim.Adam(values, fused=True, capturable=capturable) for name, values in parameters.items()
        }
        kind = PlanCritics if noise_aliased else NoiseCritics
        self.critics = kind(self.model, self.optimizers, noise_bound)
        if noise_aliased:  # the size of what the critics read
            self.fixed_for_training = (*self.fixed_for_training, "replan_interval")

    def features(self, actor_obs: Tensor) -> dict[str, Tensor]:
        """Nothing beside what the core stores of plans."""
        return {}

    @torch.no_grad()
    def choose_noise(self, actor_obs: Tensor, explore: Tensor) -> Tensor:
        """Noise of plans [B, K] at observations [B, D]: sampled where ``explore`` [B] bool holds, else the mean's."""
        mean, std = self.model.actor(actor_obs)
        noise = torch.randn_like(mean) * explore[:, None]
        return self.noise_bound * torch.tanh(torch.addcmul(mean, std, noise))

    def values_plans(self) -> bool:
        """Whether there are critics over plans."""
        return isinstance(self.critics, PlanCritics)

    def use_planner(self, plan: Plan) -> None:
        """Take what plans in updates."""
        assert isinstance(self.critics, PlanCritics)
        self.critics.plan = plan

    def act(self, state: State, explore: Tensor) -> Tensor:
        """The base's actions [B, A], whose plans come from :meth:`choose_noise`."""
        return state.base_action

    def policy(self, kind: str) -> CombinedPolicy | None:
        """The policy with its mean noise, ``trained`` or at ``step0``, where that is 0; there is no ``clone``."""
        if kind == "clone":
            return None
        return NoisePolicy(self.model.actor if kind == "trained" else self.model.initial_actor, self.noise_bound)

    def prepare(
        self, demonstrations: Transitions, corrections: Corrections | None, discount: float, progress: Any
    ) -> dict[str, dict[str, float]]:
        """Normalize the observations by the demonstrations; nothing else is learned from them.

        Raises:
            InputError: The base policy plans without noise.
        """
        if self.problem.noise_dim == 0:
            raise InputError(
                "the base policy plans without noise, so there is nothing to choose; give a flow or pi05 base"
            )
        states = demonstrations.states
        self.model.normalize_inputs(states["actor"], states.get("critic", states["actor"]))
        return {"plans": {"noise_dim": self.problem.noise_dim}}

    def reward(self, actor_obs: Tensor, action: Tensor, success: Tensor) -> Tensor:
        """Reward [B]: 1 at success."""
        return success.float()

    def update(self, batch: Batch, num_demonstrations: int, with_actor: bool) -> Metrics:
        """Critics, their targets and, if ``with_actor``, actor and temperature, on plans instead of steps."""
        metrics = self.critics.update(batch)
        self.model.target.track_(self.model.plan_critic or self.model.critic, self.target_rate)
        return metrics | self._update_actor(batch) if with_actor else metrics

    def _update_actor(self, batch: Batch) -> Metrics:
        mean, std = self.model.actor(batch.now.actor)
        action, log_prob = losses.sample_with_log_prob(mean, std, torch.randn_like(mean))
        self.model.critic.requires_grad_(False)
        values = self.model.critic(batch.now.critic, action)
        loss = updates.actor_loss(values, log_prob, self.model.temperature, batch.weight)
        skipped = step_if_finite(self.optimizers["actor"], loss)
        self.model.critic.requires_grad_(True)
        log_prob = log_prob.detach()
        temperature_loss = entropy.temperature_loss(self.model.log_temperature, log_prob, self.target_entropy)
        return {
            "q_actor": values.detach().mean(),
            "entropy": -log_prob.mean(),
            "temperature": self.model.temperature,
            "std": std.detach().mean(),
            "skipped_actor": skipped,
            "skipped_temperature": step_if_finite(self.optimizers["temperature"], temperature_loss),
        }

    def constants(self) -> dict[str, float]:
        """None."""
        return {}

    def load_constants(self, constants: dict[str, float]) -> None:
        """Nothing to take up."""
