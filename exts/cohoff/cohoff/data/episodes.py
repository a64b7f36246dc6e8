# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Recorded episodes in memory."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import torch
from torch import Tensor

POLICY = "policy"
"""Observation group that every recorded episode has."""


@dataclass
class Episodes:
    """Recorded episodes, laid end to end: transition ``starts[e] + t`` is step ``t`` of episode ``e``."""

    observations: dict[str, Tensor]
    """Observation groups before each action, float32, shape [M, D] each; ``policy`` is always there."""
    actions: Tensor
    """Executed actions, execution noise included, in [-1, 1], float32, shape [M, A]."""
    intended: Tensor
    """Actions as they would have been without a disturbance; the executed ones where none was recorded, [M, A]."""
    next_observations: dict[str, Tensor]
    """The same groups after each action and before any reset."""
    lengths: Tensor
    """Number of transitions of each episode, int64, shape [E]."""
    task: str
    """Id of the task."""
    file: str | None = None
    """File that also holds the other observations; None where there is none."""
    episodes: tuple[str, ...] = ()
    """Name of each episode in the file."""
    starts: Tensor = field(init=False)
    """Index of the first transition of each episode, int64, shape [E]."""
    episode_of: Tensor = field(init=False)
    """Episode of each transition, int64, shape [M]."""
    step_of: Tensor = field(init=False)
    """Step of each transition within its episode, int64, shape [M]."""

    def __post_init__(self) -> None:
        device = self.lengths.device
        self.starts = self.lengths.cumsum(0) - self.lengths
        self.episode_of = torch.arange(self.num_episodes, device=device).repeat_interleave(self.lengths)
        self.step_of = torch.arange(len(self.episode_of), device=device) - self.starts[self.episode_of]

    @property
    def obs(self) -> Tensor:
        """The group ``policy`` before each action, shape [M, D]."""
        return self.observations[POLICY]

    @property
    def next_obs(self) -> Tensor:
        """The group ``policy`` after each action, shape [M, D]."""
        return self.next_observations[POLICY]

    @property
    def num_episodes(self) -> int:
        """Number of episodes E."""
        return len(self.lengths)

    @property
    def num_transitions(self) -> int:
        """Number of transitions M."""
        return len(self.actions)

    def fingerprint(self) -> str:
        """Short hash of actions and lengths: the same for the same demonstrations, wherever their file is."""
        digest = hashlib.sha256()
        for value in (self.lengths, self.actions):
            digest.update(value.cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()[:16]

    def rows_of(self, episode_ids: Tensor) -> Tensor:
        """Transitions of the episodes ``episode_ids``, in their order, [M']."""
        lengths = self.lengths[episode_ids]
        offsets = self.starts[episode_ids] - (lengths.cumsum(0) - lengths)
        return offsets.repeat_interleave(lengths) + torch.arange(int(lengths.sum()), device=lengths.device)
