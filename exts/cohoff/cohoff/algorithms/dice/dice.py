# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""DICE-RL: what differs from other off-policy algorithms."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from cohoff.algorithms.dice.losses import anchored_loss
from cohoff.algorithms.resfit.resfit import ResFiT
from cohoff.offpolicy.batch import Batch
from cohoff.offpolicy.learner import Metrics, Problem


class Dice(ResFiT):
    """A residual as wide as the action range, which an anchor holds at the base. DICE-RL (arXiv 2603.10263).

    The settings are described in :class:`~cohoff.algorithms.dice.dice_cfg.DiceAlgorithmCfg`.
    """

    def __init__(
        self,
        problem: Problem,
        *,
        anchor_weight: float,
        residual_scale: float,
        actor: dict[str, Any],
        critic: dict[str, Any],
        target_members: int,
        target_rate: float,
        noise: dict[str, float],
    ):
        """Allocate networks and optimizers."""
        super().__init__(
            problem, residual_scale=residual_scale, actor=actor, critic=critic, target_members=target_members,
            target_rate=target_rate, noise=noise,
        )  # fmt: skip
        self.anchor_weight = anchor_weight

    def actor_loss(self, batch: Batch, num_demonstrations: int) -> tuple[Tensor, Metrics]:
        """Normalized −Q of collected states with the lowest critic, and the anchor at all states, scalar."""
        output = torch.tanh(self.model.actor.mean(self.actor_obs(batch.now)))
        action = self.combination(batch.now.base_action, output)
        # On demonstrations the anchor alone holds the residual at zero: the base has been trained on them.
        value = self.model.critic(self.critic_obs(batch.now), action)[:, num_demonstrations:].amin(0)
        residual = self.combination.scale * output
        metrics = {"q_actor": value.detach().mean(), "residual": residual.detach().abs().mean()}
        return anchored_loss(value, residual, self.anchor_weight), metrics
