# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The demonstrations as a replay buffer, which half of each batch is drawn from."""

from __future__ import annotations

import torch
from torch import Tensor

from cohoff.offpolicy.learner import Learner
from cohoff.offpolicy.replay_buffer import ReplayBuffer
from cohoff.offpolicy.transitions import Transitions


def demonstration_buffer(learner: Learner, transitions: Transitions, rewards: Tensor | None = None) -> ReplayBuffer:
    """A buffer of stride 1 that holds the demonstrations with the learner's features.

    The rewards are ``rewards`` [M], or the learner's where none are given.
    """
    transitions.add_features(learner.features)
    states, last_states = transitions.states, transitions.last_states
    if rewards is None:
        rewards = learner.reward(states["actor"], transitions.action, transitions.success)
    buffer = ReplayBuffer(len(transitions), 1, states, transitions.action.shape[1], num_ends=transitions.num_episodes)
    buffer.fill(
        states, last_states, action=transitions.action, success=transitions.success, done=transitions.done,
        reward=rewards, valid=torch.ones_like(transitions.done),
    )  # fmt: skip
    return buffer
