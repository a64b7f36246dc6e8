# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Training episodes that end before the task's time limit."""

from __future__ import annotations

from typing import Any


def limit_episodes(env: Any, steps: int) -> None:
    """Let episodes of an Isaac Lab environment time out after ``steps`` control steps, unless they do so earlier."""
    # Half a step less, because the environment rounds up.
    env.cfg.episode_length_s = min(env.cfg.episode_length_s, (steps - 0.5) * env.step_dt)
