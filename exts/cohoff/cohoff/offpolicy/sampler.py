# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Draws what an update sees from what was collected and demonstrated."""

from __future__ import annotations

from torch import Tensor

from cohoff.offpolicy.batch import Batch, assemble, concatenate
from cohoff.offpolicy.learner import Learner, NoiseLearner
from cohoff.offpolicy.plans import sample_plans
from cohoff.offpolicy.replay_buffer import ReplayBuffer


class Sampler:
    """Batches of n-step transitions, or for a :class:`~.NoiseLearner` of whole plans.

    Args:
        learner: Gives the rewards, if it relabels.
        replay: What was collected.
        demonstrations: What was demonstrated.
        replan_interval: Control steps between two plans.
        n_step: Steps of reward before the bootstrap.
        discount: Discount of a control step.
    """

    def __init__(
        self,
        learner: Learner,
        replay: ReplayBuffer,
        demonstrations: ReplayBuffer,
        replan_interval: int,
        n_step: int,
        discount: float,
    ):
        self.learner, self.replay, self.demonstrations = learner, replay, demonstrations
        self.replan_interval, self.n_step, self.discount = replan_interval, n_step, discount

    def draw(self, size: int, num_demonstrations: int) -> Batch:
        """A batch of ``size`` rows, of which the first ``num_demonstrations`` are demonstrations."""
        demonstrated = self._draw(self.demonstrations, num_demonstrations) if num_demonstrations else None
        batch = self._draw(self.replay, size - num_demonstrations)
        return batch if demonstrated is None else concatenate(demonstrated, batch)

    def _draw(self, buffer: ReplayBuffer, size: int) -> Batch:
        rows, mask = self._sample(buffer, size)
        rewards = buffer.transitions["reward"][rows]
        if self.learner.relabels:
            flat = rows.flatten()
            action, success = buffer.transitions["action"][flat], buffer.transitions["success"][flat]
            rewards = self.learner.reward(buffer.states["actor"][flat], action, success).view_as(rows)
        return assemble(buffer, rows, mask, rewards, self.discount)

    def _sample(self, buffer: ReplayBuffer, size: int) -> tuple[Tensor, Tensor]:
        if not isinstance(self.learner, NoiseLearner):
            return buffer.sample(size, self.n_step)
        if buffer is self.demonstrations:  # what was demonstrated may be a plan from any state on
            return buffer.sample(size, self.replan_interval)
        return sample_plans(buffer, size, self.replan_interval)
