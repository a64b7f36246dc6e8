# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Learning from whole plans of the base policy: a semi-Markov decision process with one action for each plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from tensordict import TensorDict
from torch import Tensor

from cohoff.errors import InputError
from cohoff.offpolicy.batch import FEATURES
from cohoff.offpolicy.finite import finite_or_zero
from cohoff.offpolicy.learner import NoiseLearner
from cohoff.offpolicy.observing import Observer
from cohoff.offpolicy.replay_buffer import Fields, ReplayBuffer
from cohoff.offpolicy.transitions import Transitions
from cohoff.policies.base import ChunkPolicy
from cohoff.policies.chunking import ChunkEngine

NOISE = "noise"
"""Feature of a state: what the chunk in use was planned from."""

PLAN = "plan"
"""Feature of a state: what is executed of the chunk in use, [R * A]."""

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


class Planner:
    """Plans of the base policy at states in the replay buffer.

    Args:
        base: Plans.
        observe: Makes the actor's observation of the environment's groups.
        interval: Actions of a plan that are executed, R.

    Raises:
        InputError: The base reads what the actor does not, and what so is not stored.
    """

    def __init__(self, base: ChunkPolicy, observe: Observer, interval: int):
        self.base, self.interval = base, interval
        names = observe.groups["actor"]
        missing = [name for name in base.observations if name not in names]
        if missing:
            raise InputError(
                "agent.algorithm.noise_aliased plans at stored states, in which the base policy misses "
                f"{', '.join(missing)}; set it to false, or name them in agent.obs_groups.actor"
            )
        sizes = [observe.size(name) for name in names]
        self._split = dict(zip(names, sizes, strict=True))

    def __call__(self, actor_obs: Tensor, noise: Tensor) -> Tensor:
        """Actions [B, R * A] planned from observations [B, D] of the actor and noise [B, K]."""
        groups = dict(zip(self._split, actor_obs.split(list(self._split.values()), dim=1), strict=True))
        chunk = self.base.plan(TensorDict(groups, batch_size=len(noise)), noise)
        return chunk[:, : self.interval].flatten(1).to(noise)


def noise_features(engine: ChunkEngine) -> Fields:
    """What is stored with each state [N] to find the plan that its base action is of."""
    return {FEATURES + NOISE: engine.noise, FEATURES + AGE: engine.steps_since_plan}


def executed_features(engine: ChunkEngine) -> Fields:
    """The same, and what is executed of the plan."""
    return noise_features(engine) | {FEATURES + PLAN: engine.plans.flatten(1)}


def add_demonstrated_plans(transitions: Transitions, interval: int) -> None:
    """Store with each state of demonstrations the next ``interval`` actions, the last of an episode held to its end."""
    action, device = transitions.action, transitions.action.device
    last = transitions.last_rows.repeat_interleave(transitions.lengths)[:, None]
    rows = torch.arange(len(transitions), device=device)[:, None] + torch.arange(interval, device=device)
    transitions.states[FEATURES + PLAN] = action[torch.minimum(rows, last)].flatten(1)
    # No plan follows from an episode's last state.
    transitions.last_states[FEATURES + PLAN] = action.new_zeros(transitions.num_episodes, interval * action.shape[1])


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
