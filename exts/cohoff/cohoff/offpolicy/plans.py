# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Learning from whole plans of the base policy: a semi-Markov decision process with one action for each plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tensordict import TensorDict
from torch import Tensor

from cohoff.offpolicy.batch import FEATURES
from cohoff.offpolicy.finite import finite_or_zero
from cohoff.offpolicy.learner import NoiseLearner
from cohoff.offpolicy.replay_buffer import Fields, ReplayBuffer

NOISE = "noise"
"""Feature of a state: what the chunk in use was planned from."""

AGE = "steps_since_plan"
"""Feature of a state: 0 where its base action is the first of a plan."""


class LearnedNoise:
    """Chooses the noise of plans with a learner.

    Args:
        learner: Chooses.
        observe: Makes the actor's observation, under ``actor``, of the environment's groups.
        explores: Environments whose noise is sampled, [N] bool.
    """

    def __init__(self, learner: NoiseLearner, observe: Callable[[TensorDict], Mapping[str, Tensor]], explores: Tensor):
        self.learner, self.observe, self.explores = learner, observe, explores

    def __call__(self, obs: TensorDict, rows: Tensor) -> Tensor:
        """Noise [B, noise_dim] of the environments ``rows`` [B], whose observations are ``obs`` [B]."""
        return self.learner.choose_noise(finite_or_zero(self.observe(obs)["actor"]), self.explores[rows])


def plan_features(noise: Tensor, steps_since_plan: Tensor) -> Fields:
    """What is stored with each state [N] to find the plan that its base action is of."""
    return {FEATURES + NOISE: noise, FEATURES + AGE: steps_since_plan}


def sample_plans(buffer: ReplayBuffer, batch_size: int, interval: int) -> tuple[Tensor, Tensor]:
    """Draw the plans that transitions drawn uniformly belong to.

    A plan lasts until the next one of its environment or the end of its episode, at most ``interval`` steps: less after
    a reset, as the next plan is made at a fixed time.

    Returns:
        Rows [B, interval] and their mask as :meth:`ReplayBuffer.sample` returns them. The mask is empty where a part of
        the plan is not in the buffer, or is invalid.
    """
    ages = buffer.states[FEATURES + AGE]
    drawn, environment = buffer.draw_starts(batch_size)
    start = drawn - ages[buffer.rows(drawn, environment)]
    rows, mask = buffer.windows(start.clamp_min(0), environment, interval)
    mask[:, 1:] &= (ages[rows[:, 1:]] > 0).cumprod(1).bool()
    last = rows.gather(1, (mask.sum(1, keepdim=True) - 1).clamp_min(0))
    is_whole = buffer.transitions["done"][last] | (ages[buffer.successor[last]] == 0)
    return rows, mask & is_whole & (start >= 0)
