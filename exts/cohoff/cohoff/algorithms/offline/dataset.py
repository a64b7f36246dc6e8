# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Recorded episodes as what batches are drawn from."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from cohoff.algorithms.offline.backups import MONTE_CARLO, RETURN_TO_GO, REWARD
from cohoff.algorithms.offline.samplers import Sampler, cumulative, draw_transitions
from cohoff.data.recording import Recording
from cohoff.offpolicy.batch import FEATURES, Batch, assemble
from cohoff.offpolicy.demonstration_buffer import demonstration_buffer
from cohoff.offpolicy.learner import Learner
from cohoff.offpolicy.transitions import Observe, Transitions


def rewards_to_go(rewards: Tensor, starts: Tensor, lengths: Tensor, discount: float) -> Tensor:
    """Discounted sum [M] of the rewards [M] from each transition to the end of its episode."""
    result = rewards.clone()
    for step in range(int(lengths.max()) - 2, -1, -1):
        rows = starts[step + 1 < lengths] + step
        result[rows] += discount * result[rows + 1]
    return result


def recorded_transitions(recording: Recording, observe: Observe, discount: float) -> Transitions:
    """Transitions of all episodes without a base policy; with the rewards that followed, where there are rewards."""
    last = recording.starts + recording.lengths - 1
    states = observe(recording.observations)
    last_states = observe({name: value[last] for name, value in recording.next_observations.items()})
    for fields in (states, last_states):
        fields["base_action"] = fields["actor"][:, :0]
    if recording.rewards is not None:
        for name, factor in ((MONTE_CARLO, discount), (RETURN_TO_GO, 1.0)):
            value = rewards_to_go(recording.rewards, recording.starts, recording.lengths, factor)
            states[FEATURES + name], last_states[FEATURES + name] = value, torch.zeros_like(value[last])
        states[FEATURES + REWARD], last_states[FEATURES + REWARD] = recording.rewards, torch.zeros_like(value[last])
    return Transitions(states, last_states, recording.actions, recording.lengths, recording.success)


def successes(transitions: Transitions, recording: Recording) -> Transitions:
    """The successful episodes of them.

    Raises:
        InputError: There is none.
    """
    recording.demonstrations()
    won = recording.success.nonzero()[:, 0]
    rows = recording.rows_of(won)
    return replace(
        transitions,
        states={name: value[rows] for name, value in transitions.states.items()},
        last_states={name: value[won] for name, value in transitions.last_states.items()},
        action=transitions.action[rows],
        lengths=transitions.lengths[won],
        won=None,
    )


class OfflineData:
    """Draws batches of n-step windows, whose first rows may be of the successes alone.

    Args:
        learner: Computes features of states, and rewards where the recorded ones are not given.
        transitions: All recorded transitions.
        successes: Those of the successes, from which a share is drawn; None without.
        rewards: Recorded rewards, [M].
    """

    def __init__(
        self, learner: Learner, transitions: Transitions, successes: Transitions | None, rewards: Tensor | None
    ):
        self.buffer = demonstration_buffer(learner, transitions, rewards)
        self.success_buffer = None if successes is None else demonstration_buffer(learner, successes)
        self.episode_of = torch.arange(len(transitions.lengths), device=self.buffer.device).repeat_interleave(
            transitions.lengths
        )

    def weigh(self, sampler: Sampler) -> None:
        """Draw by the sampler's weights from now on."""
        self.shares = cumulative(sampler.weights, self.episode_of)

    def draw(self, size: int, n_step: int, discount: float) -> Batch:
        """A batch by the weights, [size]."""
        start = draw_transitions(self.shares, size)[:, None]
        rows, mask = self.buffer.windows(start, torch.zeros_like(start), n_step)
        return assemble(self.buffer, rows, mask, self.buffer.transitions["reward"][rows], discount)

    def draw_successes(self, size: int, n_step: int, discount: float) -> Batch:
        """A batch of successes, all transitions alike, [size]."""
        buffer = self.success_buffer
        assert buffer is not None
        rows, mask = buffer.sample(size, n_step)
        return assemble(buffer, rows, mask, buffer.transitions["reward"][rows], discount)
