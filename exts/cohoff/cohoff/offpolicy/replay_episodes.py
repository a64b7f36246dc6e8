# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The episodes in the replay buffer of a run, for learning from recorded data alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from cohoff.errors import InputError
from cohoff.offpolicy.checkpoint import read_checkpoint

POLICY = ["policy"]
"""The observation groups of a run whose replay can be read as episodes."""


@dataclass
class ReplayEpisode:
    """T steps of an episode to its end. The first ones may be missing: the ring has overwritten them."""

    obs: Tensor
    """Before each action, [T, D]."""
    next_obs: Tensor
    """After it, before any reset, [T, D]."""
    action: Tensor
    """Executed actions, [T, A]."""
    success: bool
    """Whether it succeeded; otherwise it was ended by the time limit."""


def replay_episodes(run: str) -> tuple[list[ReplayEpisode], str]:
    """Episodes that have ended in the replay beside the newest checkpoint of a run, and the task's id.

    Episodes with invalid transitions are left out.

    Raises:
        InputError: There is no checkpoint or no replay, or the run observes other groups than ``policy``.
    """
    content, _ = read_checkpoint(run)
    meta = content["meta"]
    if any(names != POLICY for names in meta["obs_groups"].values()):
        raise InputError(f"the run {run!r} observes {meta['obs_groups']}; only the group policy alone can be exported")
    if meta["replay"] is None or not Path(meta["replay"]).is_file():
        raise InputError(f"the replay of the newest checkpoint in {run!r} is gone; train the run again")
    try:
        state = load_file(meta["replay"])
    except (SafetensorError, OSError) as error:
        raise InputError(f"replay {meta['replay']!r} is damaged; train the run again") from error
    return list(_split(state)), meta["task"]


def _split(state: dict[str, Tensor]) -> Iterator[ReplayEpisode]:
    """Cut the ring of each environment at the ends of episodes."""
    num_steps, stride, _ = state["shape"].tolist()
    slots, head, filled = num_steps + 1, int(state["head"]), int(state["filled"])
    observed = torch.cat([state["states/actor"], state["ends/actor"]])
    first_end, kept = slots * stride, len(state["states/actor"])
    rows = (head - filled + torch.arange(filled)) % slots * stride
    for environment in range(stride):
        mine = rows + environment
        ends = state["transitions/done"][mine].nonzero()[:, 0] + 1
        # What comes behind the last end has not ended.
        for episode in mine[: int(ends[-1]) if len(ends) else 0].tensor_split(ends[:-1]):
            if not len(episode) or not state["transitions/valid"][episode].all():
                continue
            after = state["successor"][episode]
            after = torch.where(after < first_end, after, after - first_end + kept)
            won = bool(state["transitions/success"][episode[-1]])
            action = state["transitions/action"][episode]
            yield ReplayEpisode(observed[episode], observed[after], action, won)
