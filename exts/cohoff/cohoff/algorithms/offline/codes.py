# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Offline reinforcement learning over learned codes of actions. SAQ (arXiv 2310.11731)."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn

from cohoff.algorithms.common import temporal_difference as td
from cohoff.algorithms.offline.backups import MONTE_CARLO, expectile_loss
from cohoff.networks.action_codes import ActionCodes
from cohoff.networks.blocks import EnsembleLinear
from cohoff.networks.scalar_critic import ScalarCritic
from cohoff.offpolicy.batch import Batch, State
from cohoff.offpolicy.finite import step_if_finite
from cohoff.offpolicy.learner import Metrics, PolicyKind, Problem
from cohoff.offpolicy.transitions import Corrections, Transitions
from cohoff.policies.acting import StepPolicy

REPORT_EVERY = 250
"""Optimizer steps between two reports; each costs a host read."""

CODE_DIM = 16
"""Size of a code's vector."""


class CodeCritic(ScalarCritic):
    """Critics of all K codes at once: values [E, B, K] of observations [B, D]."""

    def __init__(self, obs_dim: int, hidden_dims: tuple[int, ...], num_members: int, num_codes: int):
        super().__init__(obs_dim, 0, hidden_dims, num_members)
        self.head = EnsembleLinear(num_members, hidden_dims[-1], num_codes, bias=True)
        self.start_at_zero()


class CodeModel(nn.Module):
    """Codes, critics of the codes, their target, and a value network."""

    spread: Tensor
    bounds: Tensor

    def __init__(self, problem: Problem, hidden: tuple[int, ...], num_members: int, num_codes: int, score: CodeScore):
        super().__init__()
        self.codes = ActionCodes(problem.actor_dim, problem.action_dim, hidden, num_codes, CODE_DIM)
        self.critic = CodeCritic(problem.actor_dim, hidden, num_members, num_codes)
        self.target = copy.deepcopy(self.critic).requires_grad_(False)
        self.value = ScalarCritic(problem.actor_dim, 0, hidden, 1)
        self.value.start_at_zero()
        self.register_buffer("spread", torch.ones(()))
        self.register_buffer("bounds", torch.zeros(2))
        self.score = score

    def state_value(self, obs: Tensor) -> Tensor:
        """Value [B] of observations [B, D], whatever the action."""
        return self.value(obs, obs[:, :0])[0]

    def values(self, critic: CodeCritic, obs: Tensor) -> Tensor:
        """Values [E, B, K] of all codes."""
        return critic(obs, obs[:, :0])


class CodeScore:
    """How a policy weighs codes: their value, and their likelihood in the data under the anchor.

    Args:
        anchor: See :class:`~cohoff.algorithms.offline.offline_cfg.CodesCfg`.
        inverse_temperature: Of the advantage, in units of its spread.
        temperature: Worth of a divergence of 1 nat from the data.
    """

    def __init__(self, anchor: str, inverse_temperature: float, temperature: float):
        self.factor = {"reverse_kl": 1.0 / temperature, "advantage": inverse_temperature}.get(anchor)
        self.in_spreads = anchor == "advantage"
        self.temperature = temperature if anchor == "reverse_kl" else None

    def __call__(self, values: Tensor, log_prior: Tensor, spread: Tensor) -> Tensor:
        """Scores [B, K] of codes with values and log probabilities [B, K]; the highest is chosen.

        Under an anchor, they are the log of the best policy under a divergence from the data, but for a constant.
        """
        if self.factor is None:
            return values
        return log_prior + self.factor * (values / spread if self.in_spreads else values)

    def state_value(self, values: Tensor, log_prior: Tensor, spread: Tensor) -> Tensor:
        """Value [B] of states: of the chosen code, or of the best policy, less its divergence from the data."""
        score = self(values, log_prior, spread)
        if self.temperature is not None:
            return self.temperature * score.logsumexp(-1)
        return values.gather(1, score.argmax(1, keepdim=True))[:, 0]


def conservative_penalty(values: Tensor, code: Tensor) -> Tensor:
    """Log sum exp of values [E, B, K] over codes less the value of the recorded code [B], mean, scalar.

    CQL (arXiv 2006.04779), exact over codes.
    """
    recorded = values.gather(2, code[None, :, None].expand(len(values), -1, 1))[..., 0]
    return (values.logsumexp(-1) - recorded).mean()


class CodePolicy(StepPolicy):
    """Chooses a code by its score and decodes it."""

    def __init__(self, model: CodeModel):
        super().__init__(model.codes)  # pyright: ignore[reportArgumentType]
        self.model = model

    def forward(self, actor_obs: Tensor, base_action: Tensor) -> Tensor:
        """Executed action [B, A]."""
        model = self.model
        values = model.values(model.critic, actor_obs).amin(0)
        chosen = model.score(values, model.codes.log_prior(actor_obs), model.spread).argmax(1)
        return model.codes.decode(actor_obs, model.codes.codebook[chosen])


class OfflineCodes:
    """Learner of a choice of backup and anchor over codes; see
    :class:`~cohoff.algorithms.offline.offline_cfg.CodesCfg`. There is no actor: the best policy over codes is known.
    """

    uses_base = relabels = False
    fixed_settings = ("hidden_dims", "num_codes", "anchor")
    fixed_for_training = ("num_members", "backup")

    def __init__(
        self,
        problem: Problem,
        *,
        backup: str,
        anchor: str,
        num_codes: int,
        code_steps: int,
        conservatism: float,
        expectile: float,
        inverse_temperature: float,
        temperature: float,
        hidden_dims: tuple[int, ...],
        num_members: int,
        target_rate: float,
    ):
        """Allocate networks and optimizers."""
        score = CodeScore(anchor, inverse_temperature, temperature)
        with problem.device:
            self.modules = self.model = CodeModel(problem, tuple(hidden_dims), num_members, num_codes, score)
        self.uses_value = backup == "expectile"
        self.conservatism = conservatism if anchor == "conservative" else 0.0
        self.code_steps, self.expectile, self.target_rate = code_steps, expectile, target_rate
        capturable = problem.device.type == "cuda"
        self.optimizers = {
            name: torch.optim.Adam(network.parameters(), fused=True, capturable=capturable)
            for name, network in (("critic", self.model.critic), ("value", self.model.value))
        }

    def features(self, actor_obs: Tensor) -> dict[str, Tensor]:
        """Nothing is computed of a state."""
        return {}

    @torch.no_grad()
    def act(self, state: State, explore: Tensor) -> Tensor:
        """Actions of the policy [B, A]; it does not explore."""
        return CodePolicy(self.model)(state.actor, state.base_action)

    def policy(self, kind: PolicyKind) -> CodePolicy | None:
        """The policy ``trained``; there is no base at ``step0`` and no separate ``clone``."""
        return CodePolicy(self.model) if kind == "trained" else None

    def prepare(
        self, demonstrations: Transitions, corrections: Corrections | None, discount: float, progress: Any
    ) -> dict[str, dict[str, float]]:
        """Normalize inputs and learn the codes, from all transitions, failures included."""
        model, obs, action = self.model, demonstrations.now.actor, demonstrations.action
        for network in (model.codes, model.critic, model.target, model.value):
            network.fit_normalization(obs)
        model.bounds.copy_(torch.stack(demonstrations.now.features[MONTE_CARLO].aminmax()))
        rows = torch.randperm(len(obs), device=obs.device)[: len(model.codes.codebook)]
        model.codes.start_from(obs[rows], action[rows])
        optimizer = torch.optim.Adam(model.codes.parameters(), 1e-3, fused=True)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, self.code_steps)
        with progress("codes", self.code_steps, "steps") as advance:
            for step in range(1, self.code_steps + 1):
                rows = torch.randint(len(obs), (256,), device=obs.device)
                loss, error = model.codes.loss(obs[rows], action[rows])
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                optimizer.step()
                schedule.step()
                if step % REPORT_EVERY == 0 or step == self.code_steps:
                    advance(step, f"squared error {float(error):.4f}")
        model.codes.requires_grad_(False)
        codes = model.codes.encode(obs, action)
        error = (model.codes.decode(obs, model.codes.codebook[codes]) - action).square().mean()
        return {"codes": {"squared_error": float(error), "used": float(len(codes.unique()))}}

    def reward(self, actor_obs: Tensor, action: Tensor, success: Tensor) -> Tensor:
        """1 at success, else 0, [B]."""
        return success.float()

    def update(self, batch: Batch, num_demonstrations: int, with_actor: bool) -> Metrics:
        """One step of the critics of all codes, before it of the value network where the backup reads it."""
        model, obs = self.model, batch.now.actor
        code = model.codes.encode(obs, batch.action)
        metrics: Metrics = {}
        if self.uses_value:
            metrics |= self.update_value(obs, code)
        with torch.no_grad():
            # No return can be outside of what was ever recorded (ours): bootstrapped errors would grow there.
            target = td.td_target(batch.returns, batch.discount, self.next_value(batch.next.actor)).clamp(*model.bounds)
        values = model.values(model.critic, obs)
        recorded = values.gather(2, code[None, :, None].expand(len(values), -1, 1))[..., 0]
        loss = td.scalar_td_loss(recorded, target, batch.weight)
        metrics |= {"critic_loss": loss.detach(), "q_replay": recorded.detach().mean()}
        if self.conservatism > 0.0:
            penalty = conservative_penalty(values, code)
            metrics["conservative"] = penalty.detach()
            loss = loss + self.conservatism * penalty
        metrics["skipped_critic"] = step_if_finite(self.optimizers["critic"], loss)
        model.target.track_(model.critic, self.target_rate)
        return metrics

    def next_value(self, obs: Tensor) -> Tensor:
        """Value [B] after a window, by the value network or by the policy's choice among codes."""
        model = self.model
        if self.uses_value:
            return model.state_value(obs)
        values = model.values(model.target, obs).amin(0)
        return model.score.state_value(values, model.codes.log_prior(obs), model.spread)

    def update_value(self, obs: Tensor, code: Tensor) -> Metrics:
        """One step of the value network toward the expectile of the recorded codes' values."""
        model = self.model
        with torch.no_grad():
            target = model.values(model.target, obs).amin(0).gather(1, code[:, None])[:, 0]
        value = model.state_value(obs)
        model.spread.lerp_((target - value.detach()).std().clamp_min(1e-6), 0.01)
        loss = expectile_loss(value, target, self.expectile)
        return {"value_loss": loss.detach(), "skipped_value": step_if_finite(self.optimizers["value"], loss)}

    def constants(self) -> dict[str, float]:
        """None beside the networks."""
        return {}

    def load_constants(self, constants: dict[str, float]) -> None:
        """Nothing to take up."""
