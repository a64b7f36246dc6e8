# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Offline reinforcement learning with continuous actions, as a product of small choices."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn

from cohoff.algorithms.common import temporal_difference as td
from cohoff.algorithms.common.constant import constant
from cohoff.algorithms.offline import anchors, backups, rollouts
from cohoff.algorithms.offline.cloning import train_mixture
from cohoff.algorithms.offline.policies import BestSamplePolicy, ConditionedPolicy
from cohoff.errors import InputError
from cohoff.networks.dynamics import DynamicsEnsemble
from cohoff.networks.gaussian import GaussianPolicy
from cohoff.networks.mixture import MixturePolicy
from cohoff.networks.scalar_critic import ScalarCritic
from cohoff.offpolicy.batch import Batch, State
from cohoff.offpolicy.finite import step_if_finite
from cohoff.offpolicy.learner import Metrics, PolicyKind, Problem
from cohoff.offpolicy.transitions import Corrections, Transitions
from cohoff.policies.acting import CombinedPolicy, StepPolicy
from cohoff.policies.combine import make_combination

COMPONENTS = 5
"""Components of the clone's mixture."""

DYNAMICS_MEMBERS = 5
"""Networks of the model, where one is used."""


class OfflineModel(nn.Module):
    """Actor and critics with their targets; a value network; clone, model and wanted return where they are used."""

    wanted: Tensor
    discount: Tensor
    bounds: Tensor

    def __init__(self, problem: Problem, hidden: tuple[int, ...], num_members: int, uses_clone: bool, data: str):
        super().__init__()
        self.conditioned = data == "conditioned"
        obs_dim, action_dim = problem.actor_dim, problem.action_dim
        self.actor = GaussianPolicy(obs_dim + self.conditioned, action_dim, hidden)
        self.target_actor = copy.deepcopy(self.actor).requires_grad_(False)
        self.critic = ScalarCritic(problem.critic_dim, action_dim, hidden, num_members)
        self.critic.start_at_zero()
        self.target = copy.deepcopy(self.critic).requires_grad_(False)
        self.value = ScalarCritic(problem.critic_dim, 0, hidden, 1)
        self.value.start_at_zero()
        self.clone = MixturePolicy(obs_dim, action_dim, hidden, COMPONENTS) if uses_clone else None
        self.dynamics = DynamicsEnsemble(obs_dim, action_dim, hidden, DYNAMICS_MEMBERS) if data == "model" else None
        self.register_buffer("wanted", torch.zeros(()))
        self.register_buffer("discount", torch.zeros(()))
        self.register_buffer("bounds", torch.zeros(2))

    def actor_input(self, state: State) -> Tensor:
        """What the actor reads, [B, ·]: the observation and, where it is conditioned, the rewards that followed."""
        if not self.conditioned:
            return state.actor
        return torch.cat([state.actor, state.features[backups.RETURN_TO_GO][:, None]], dim=-1)

    def state_value(self, state: State) -> Tensor:
        """Value [B] of states, whatever the action."""
        return self.value(state.critic, state.critic[:, :0])[0]


class OfflineContinuous:
    """Learner of a product of choices; see :class:`~cohoff.algorithms.offline.offline_cfg.ContinuousCfg`."""

    uses_base = relabels = False
    fixed_settings = ("data", "hidden_dims", "backup", "anchor")
    fixed_for_training = ("num_members",)

    def __init__(
        self,
        problem: Problem,
        *,
        backup: str,
        anchor: str,
        data: str,
        alpha: float,
        expectile: float,
        inverse_temperature: float,
        num_samples: int,
        decay_start: float,
        final_anchor_share: float,
        clone_steps: int,
        dynamics_steps: int,
        rollout_steps: int,
        penalty: float,
        hidden_dims: tuple[int, ...],
        num_members: int,
        target_rate: float,
    ):
        """Allocate networks and optimizers."""
        check(backup, anchor, data)
        self.anchor, self.backup = anchors.ANCHORS[anchor], backups.BACKUPS.get(backup)
        self.acts_by_samples = anchor == "samples"
        self.uses_value = backup == "expectile" or self.anchor.uses_advantage
        self.alpha, self.expectile, self.inverse_temperature = alpha, expectile, inverse_temperature
        self.num_samples, self.clone_steps, self.target_rate = num_samples, clone_steps, target_rate
        self.decay_start, self.final_anchor_share = decay_start, final_anchor_share
        self.dynamics_steps, self.rollout_steps, self.penalty = dynamics_steps, rollout_steps, penalty
        uses_clone = self.anchor.uses_clone or backup == "best_of"
        with problem.device:
            self.modules = self.model = OfflineModel(problem, tuple(hidden_dims), num_members, uses_clone, data)
        capturable = problem.device.type == "cuda"
        self.optimizers = {
            name: torch.optim.Adam(network.parameters(), fused=True, capturable=capturable)
            for name, network in (
                ("critic", self.model.critic), ("value", self.model.value), ("actor", self.model.actor),
            )
        }  # fmt: skip
        self.anchor_weight = torch.ones((), device=problem.device)
        self.critic_learns = self.backup is not None

    def schedule(self, share: float) -> None:
        """Set the weight of the anchor for the ``share`` of the updates that is over.

        A decaying anchor decays over a critic that has finished learning (arXiv 2211.11802).
        """
        if self.anchor.decays:
            self.anchor_weight.fill_(anchors.decayed(share, self.decay_start, self.final_anchor_share))
            self.critic_learns = self.backup is not None and share <= self.decay_start

    def features(self, actor_obs: Tensor) -> dict[str, Tensor]:
        """Nothing is computed of a state."""
        return {}

    @torch.no_grad()
    def act(self, state: State, explore: Tensor) -> Tensor:
        """Actions of the policy [B, A]; it does not explore."""
        policy = self.policy("trained")
        assert policy is not None
        return policy(state.actor, state.base_action)

    @torch.no_grad()
    def value(self, state: State, action: Tensor) -> Tensor:
        """Value [B] of executing actions [B, A]."""
        return self.model.critic(state.critic, action).mean(0)

    def policy(self, kind: PolicyKind) -> StepPolicy | None:
        """The policy ``trained``; there is no base at ``step0`` and no separate ``clone``."""
        if kind != "trained":
            return None
        if self.acts_by_samples:
            assert self.model.clone is not None
            return BestSamplePolicy(self.model.clone, self.model.critic, self.num_samples)
        if self.model.conditioned:
            return ConditionedPolicy(self.model.actor, self.model.wanted)
        return CombinedPolicy(self.model.actor, make_combination("policy"))

    def prepare(
        self, demonstrations: Transitions, corrections: Corrections | None, discount: float, progress: Any
    ) -> dict[str, dict[str, float]]:
        """Normalize inputs, remember the best return, and train the clone; from all transitions, failures included."""
        model, now = self.model, demonstrations.now
        model.actor.fit_normalization(model.actor_input(now))
        for critic in (model.critic, model.value):
            critic.fit_normalization(now.critic)
        model.target_actor.load_state_dict(model.actor.state_dict())
        model.target.load_state_dict(model.critic.state_dict())
        if model.conditioned:
            model.wanted.copy_(now.features[backups.RETURN_TO_GO].max())
        model.discount.fill_(discount)
        if self.backup is not None:
            model.bounds.copy_(torch.stack(now.features[backups.MONTE_CARLO].aminmax()))
        measured = {}
        if model.clone is not None:
            with progress("density", self.clone_steps, "steps") as advance:
                measured["density"] = train_mixture(
                    model.clone, now.actor, demonstrations.action, self.clone_steps, 256, advance
                )
            model.clone.requires_grad_(False)
        if model.dynamics is not None:
            with progress("dynamics", self.dynamics_steps, "steps") as advance:
                measured["dynamics"] = rollouts.train_dynamics(
                    model.dynamics, demonstrations, self.dynamics_steps, advance
                )
            model.dynamics.requires_grad_(False)
        return measured

    def reward(self, actor_obs: Tensor, action: Tensor, success: Tensor) -> Tensor:
        """1 at success, else 0, [B]."""
        return success.float()

    def update(self, batch: Batch, num_demonstrations: int, with_actor: bool) -> Metrics:
        """Critic, value and target while they learn; the actor if ``with_actor``."""
        metrics: Metrics = {}
        if self.model.dynamics is not None:
            batch = rollouts.extend(
                batch, self.model.dynamics, self._explore, self.rollout_steps, self.penalty, self.model.discount
            )
        if self.critic_learns:
            metrics |= self.update_critic(batch)
        if with_actor and not self.acts_by_samples:
            metrics |= self.update_actor(batch)
        return metrics

    def _explore(self, obs: Tensor) -> Tensor:
        action = torch.tanh(self.model.actor.mean(obs))
        return td.noisy_action(action, torch.randn_like(action), *backups.SMOOTHING)

    def update_critic(self, batch: Batch) -> Metrics:
        """One step of the critics toward the backup; of the value network before, where the backup reads it."""
        model, metrics = self.model, {}
        assert self.backup is not None
        if self.uses_value:
            metrics |= self.update_value(batch)
        with torch.no_grad():
            # No return can be outside of what was ever recorded (ours): bootstrapped errors would grow there.
            target = self.backup(model, batch, self.num_samples).clamp(*model.bounds)
        values = model.critic(batch.now.critic, batch.action)
        loss = td.scalar_td_loss(values, target, batch.weight)
        metrics |= {"critic_loss": loss.detach(), "q_replay": values.detach().mean()}
        metrics["skipped_critic"] = step_if_finite(self.optimizers["critic"], loss)
        model.target.track_(model.critic, self.target_rate)
        return metrics

    def update_value(self, batch: Batch) -> Metrics:
        """One step of the value network toward the expectile of the critics' minimum over recorded actions."""
        model = self.model
        with torch.no_grad():
            target = model.target(batch.now.critic, batch.action).amin(0)
        loss = backups.expectile_loss(model.state_value(batch.now), target, self.expectile)
        return {"value_loss": loss.detach(), "skipped_value": step_if_finite(self.optimizers["value"], loss)}

    def update_actor(self, batch: Batch) -> Metrics:
        """One step of the actor: down the anchor and, where it does not forbid it, up the critic."""
        model = self.model
        action = torch.tanh(model.actor.mean(model.actor_input(batch.now)))
        loss = torch.zeros_like(batch.returns)
        metrics: Metrics = {}
        if self.anchor.loss is not None:
            weight = self.recorded_weight(batch) if self.anchor.uses_advantage else None
            anchor = self.anchor.loss(model, batch, action, weight)
            loss = loss + self.anchor_weight * anchor
            metrics["anchor"] = anchor.detach().mean()
        if self.anchor.improves and self.backup is not None:
            with constant(model.critic):
                value = model.critic(batch.now.critic, action).amin(0)
            loss = loss - self.alpha * anchors.improvement(value)
            metrics["q_actor"] = value.detach().mean()
        if model.conditioned:
            loss = loss + self.conservatism(batch)
        metrics["skipped_actor"] = step_if_finite(self.optimizers["actor"], (loss * batch.weight).mean())
        model.target_actor.track_(model.actor, self.target_rate)
        return metrics

    @torch.no_grad()
    def recorded_weight(self, batch: Batch) -> Tensor:
        """Weight [B] of the recorded actions by their advantage."""
        advantage = self.model.target(batch.now.critic, batch.action).amin(0) - self.model.state_value(batch.now)
        return anchors.advantage_weight(advantage, self.inverse_temperature)

    def conservatism(self, batch: Batch) -> Tensor:
        """Squared error [B] of the best recorded actions under returns that are too high. CWBC (arXiv 2210.05158).

        The excess is uniform up to the best return, and the best episodes are those that reach it (ours).
        """
        returns = batch.now.features[backups.RETURN_TO_GO]
        excess = self.model.wanted * torch.rand_like(returns)
        obs = torch.cat([batch.now.actor, (self.model.wanted + excess)[:, None]], dim=-1)
        action = torch.tanh(self.model.actor.mean(obs))
        return (returns >= self.model.wanted).float() * anchors.squared_error(action, batch.action)

    def constants(self) -> dict[str, float]:
        """None beside the networks."""
        return {}

    def load_constants(self, constants: dict[str, float]) -> None:
        """Nothing to take up."""


def check(backup: str, anchor: str, data: str) -> None:
    """Raise InputError where choices exclude each other."""
    if data == "model" and (backup == "monte_carlo" or anchor == "samples"):
        raise InputError("data=model adds what an actor would do, which has no recorded return; set backup=minimum")
    found = anchors.ANCHORS[anchor]
    if backup == "none" and anchor != "squared_error":
        raise InputError(f"anchor={anchor} needs a critic, which backup=none does not learn; set anchor=squared_error")
    if anchor == "samples" and backup == "minimum":
        raise InputError("backup=minimum asks an actor, which anchor=samples does not learn; set backup=best_of")
    if data == "conditioned" and (found.loss is None or (found.improves and backup != "none")):
        raise InputError("data=conditioned clones what followed a return; set backup=none or anchor=advantage")
