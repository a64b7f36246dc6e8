# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Demonstrations as an algorithm learns from them: transitions with base actions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from cohoff.data.demonstrations import Demonstrations
from cohoff.data.stored import stored_observations
from cohoff.offpolicy.batch import FEATURES, State
from cohoff.offpolicy.replay_buffer import Fields
from cohoff.policies.base import ChunkPolicy
from cohoff.policies.chunking import ChunkEngine

Observe = Callable[[Mapping[str, Tensor]], Fields]
"""Makes the observations of actor and critic, ``actor`` [B, D] and ``critic`` [B, C], of observation groups."""


@dataclass
class Transitions:
    """M transitions of E episodes, laid end to end; of successful ones, where nothing else is said."""

    states: Fields
    """States before each transition, [M]."""

    last_states: Fields
    """State after the last transition of each episode, [E]."""

    action: Tensor
    """Executed actions, [M, A]."""

    lengths: Tensor
    """Number of transitions of each episode, [E]."""

    won: Tensor | None = None
    """Whether each episode succeeded, [E] bool; the others ended by their time limit. None: all did."""

    def __post_init__(self) -> None:
        rows = torch.arange(len(self), device=self.lengths.device)
        self.first_rows = self.lengths.cumsum(0) - self.lengths
        self.last_rows = self.first_rows + self.lengths - 1
        self.done = torch.zeros(len(self), dtype=torch.bool, device=rows.device)
        self.done[self.last_rows] = True
        self.successor = rows + 1
        self.successor[self.last_rows] = len(self) + torch.arange(self.num_episodes, device=rows.device)
        self._take_states()

    def _take_states(self) -> None:
        self._all = {name: torch.cat([value, self.last_states[name]]) for name, value in self.states.items()}
        self.now = State.of(self.states)

    def add_features(self, features: Callable[[Tensor], Fields]) -> None:
        """Store with all states what ``features`` computes of the actor's observations [B, D], [B, ...] each."""
        for states in (self.states, self.last_states):
            states |= {FEATURES + name: value for name, value in features(states["actor"]).items()}
        self._take_states()

    def __len__(self) -> int:
        """Number of transitions M."""
        return len(self.action)

    @property
    def num_episodes(self) -> int:
        """Number of episodes E."""
        return len(self.lengths)

    @property
    def success(self) -> Tensor:
        """Transitions that succeed, [M] bool: the last of each successful episode."""
        return self.done if self.won is None else self.done & self.won.repeat_interleave(self.lengths)

    def state(self, rows: Tensor) -> State:
        """States before the transitions ``rows`` [B]."""
        return State.of({name: value[rows] for name, value in self.states.items()})

    def next_state(self, rows: Tensor) -> State:
        """States that the transitions ``rows`` [B] led to."""
        return State.of({name: value[self.successor[rows]] for name, value in self._all.items()})


@dataclass
class Corrections:
    """Where an expert was disturbed, and what it intended there."""

    obs: Tensor
    """Observations of the actor, [K, D]."""

    action: Tensor
    """Intended actions, [K, A]."""


@torch.no_grad()
def demonstrated_transitions(
    demonstrations: Demonstrations, observe: Observe, base: ChunkPolicy | None, replan_interval: int
) -> Transitions:
    """Read demonstrations as transitions, with the actions that the frozen base policy would have taken.

    The base follows all demonstrations side by side through the same chunk queue that drives environments, each queue
    empty at its demonstration's start. What the base reads beside ``policy`` is not recorded after the last step;
    there the observation before it stands in, for an action that no value follows from, as the episode has ended.

    Raises:
        InputError: The demonstrations lack an observation that the base reads.
    """
    count, device = demonstrations.num_episodes, demonstrations.lengths.device
    last_rows = demonstrations.starts + demonstrations.lengths - 1
    states = observe(demonstrations.observations)
    finals = {name: value[last_rows] for name, value in demonstrations.next_observations.items()}
    last_states = observe(finals)
    width = 0 if base is None else base.action_dim
    states["base_action"] = torch.zeros(demonstrations.num_transitions, width, device=device)
    last_states["base_action"] = torch.zeros(count, width, device=device)
    if base is not None:
        _follow(base, demonstrations, replan_interval, states["base_action"], last_states["base_action"])
    return Transitions(states, last_states, demonstrations.actions, demonstrations.lengths)


def _follow(
    base: ChunkPolicy, demonstrations: Demonstrations, replan_interval: int, current: Tensor, final: Tensor
) -> None:
    """Write the base's actions at all demonstrated states [M, A] and at the episodes' last states [E, A]."""
    count, device = demonstrations.num_episodes, demonstrations.lengths.device
    starts, lengths = demonstrations.starts, demonstrations.lengths
    engine = ChunkEngine(base, count, device, replan_interval)
    groups = set(demonstrations.observations)
    with stored_observations(demonstrations, [name for name in base.observations if name not in groups]) as read:
        for step in range(int(lengths.max()) + 1):
            rows = starts + torch.minimum(lengths - 1, torch.full_like(lengths, step))
            runs, ends = step < lengths, step == lengths
            obs = read(step)
            for name, value in demonstrations.observations.items():
                obs[name] = torch.where(runs[:, None], value[rows], demonstrations.next_observations[name][rows])
            action = engine.act(obs)
            current[rows[runs]] = action[runs]
            final[ends] = action[ends]
