# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Recorded demonstrations replayed from where they began, their actions executed without looking."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch

from cohoff.replay.demos import Demonstrations

if TYPE_CHECKING:
    from .env import ManipulationEnv

GRACE = 20
"""Control steps that the robot stands still after the recorded actions, in which a late success still counts."""


@torch.no_grad()
def replay(
    env: ManipulationEnv,
    demos: Demonstrations,
    initial_states: dict[str, Any],
    progress: Callable[[int, int], None] | None = None,
) -> torch.Tensor:
    """Put the environments where the demonstrations began and execute the recorded actions.

    Only the state of the scene is recorded. Randomised friction and mass are not, so demonstrations recorded with them are
    replayed with other ones.

    Args:
        env: The environment, N copies; it takes N demonstrations at a time.
        demos: Demonstrations of E episodes.
        initial_states: From :func:`cohoff.replay.demos.load_initial_states`, of the same file.
        progress: Called with the number of replayed demonstrations and E.

    Returns:
        Whether each demonstration succeeded, bool, shape [E].
    """
    n, total = env.num_envs, demos.num_episodes
    success = torch.zeros(total, dtype=torch.bool, device=env.device)
    for start in range(0, total, n):
        # The last round is filled up with its last demonstration.
        rows = torch.arange(start, start + n, device=env.device).clamp(max=total - 1)
        success[rows] = _replay_rows(env, demos, initial_states, rows)
        if progress is not None:
            progress(min(start + n, total), total)
    return success


def _replay_rows(
    env: ManipulationEnv, demos: Demonstrations, initial_states: dict[str, Any], rows: torch.Tensor
) -> torch.Tensor:
    """Success of the demonstrations ``rows`` [N], one in each environment, bool, shape [N]."""
    env.reset_to(_rows(initial_states, rows), is_relative=True)
    succeeded = torch.zeros_like(rows, dtype=torch.bool)
    ended = torch.zeros_like(succeeded)
    lengths = demos.lengths[rows]
    for step in range(int(lengths.max()) + GRACE):
        actions = demos.actions[demos.starts[rows] + lengths.sub(1).clamp(max=step)].clone()
        # Standing still with the hand as it was: the last entry of an action is the hand's.
        actions[:, :-1].masked_fill_((lengths <= step)[:, None], 0.0)
        _, _, terminated, truncated, extras = env.step(actions)
        # What follows an end is another episode.
        succeeded |= extras["success"] & ~ended
        ended |= terminated | truncated | (lengths + GRACE <= step + 1)
    return succeeded


def _rows(state: dict[str, Any], rows: torch.Tensor) -> dict[str, Any]:
    return {key: value[rows] if isinstance(value, torch.Tensor) else _rows(value, rows) for key, value in state.items()}
