# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Made-up results of ``cohoff evaluate``."""

from __future__ import annotations

from typing import Any

from cohoff.experiments.intervals import wilson_interval


def make_result(
    successes: int, episodes: int, env_steps: int | None = None, task: str = "Cohoff-Square-Franka"
) -> dict[str, Any]:
    """Result of a policy that was trained for ``env_steps``, or not trained online."""
    low, high = wilson_interval(successes, episodes)
    return {
        "task": task,
        "success": successes / episodes,
        "low": low,
        "high": high,
        "episodes": episodes,
        "successes": successes,
        "lengths": {"success": {"mean": 104.6}},
        "training": None if env_steps is None else {"env_steps": env_steps},
        "git_revision": "0123",
        "command": "cohoff evaluate",
    }
