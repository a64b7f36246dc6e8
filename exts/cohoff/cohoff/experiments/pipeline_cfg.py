# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Configuration of a pipeline: one task, one agent, one seed."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class PipelineCfg:
    """What a pipeline runs, and the sizes of its stages."""

    task: str
    """Task id."""
    num_demonstrations: int
    """Demonstrations for the base policy, and as many others for the learner."""
    disturbance: float
    """Standard deviation of the execution noise of the learner's demonstrations."""
    agent: str = "csil"
    """Agent of the task, registered as ``rsl_rl_<agent>_cfg_entry_point``; the results are named after it."""
    label: str = "CSIL++"
    """Name of the agent in tables and figures."""
    experiment: str = "demo"
    """Folder of the training run under logs/rsl_rl."""
    seed: int = 0
    """Seed of training. The seeds of demonstrations, evaluations and video are derived from it."""
    device: str = "cpu"
    """Device of simulation and learning."""
    num_envs: int = 64
    """Environments of training."""
    pretrain_steps: int | None = None
    """Optimizer steps of the base policy; None takes the default of ``cohoff pretrain``."""
    max_iterations: int | None = None
    """Iterations of training; None takes the agent's configuration."""
    save_interval: int = 25
    """Iterations between checkpoints, each of which is evaluated."""
    episodes: int = 256
    """Episodes of the evaluations of the base, of what training starts from, and of the final policy, one in each of as
    many environments: then all of them begin in the same states."""
    checkpoint_episodes: int = 128
    """Episodes of the evaluations of the checkpoints in between."""
    video_envs: int = 3
    """Episodes in the video, side by side."""
    video_steps: int = 500
    """Longest video [control steps]."""
    base: str | None = None
    """Checkpoint of the base policy; None trains one on the demonstrations."""
    overrides: tuple[str, ...] = ()
    """Further settings in hydra's syntax: of the agent, ``agent.algorithm.beta=0.1``, for training only; of the task,
    ``presets=d1``, for all stages."""

    @property
    def collect_envs(self) -> int:
        """Environments that record: enough for all demonstrations in one episode each, although some episodes fail."""
        return min(math.ceil(1.25 * self.num_demonstrations), 320)

    @property
    def task_overrides(self) -> tuple[str, ...]:
        """The overrides that change the task."""
        return task_overrides(self.overrides)


def task_overrides(overrides: Iterable[str]) -> tuple[str, ...]:
    """Those of ``overrides`` that change the task, not training on it."""
    return tuple(override for override in overrides if not override.startswith("agent."))


QUICK: dict[str, Any] = {
    "num_envs": 4,
    "num_demonstrations": 4,
    "pretrain_steps": 20,
    "max_iterations": 3,
    "save_interval": 1,
    "episodes": 4,
    "checkpoint_episodes": 4,
    "video_envs": 1,
    "video_steps": 10,
}
"""Fields of a pipeline that runs through all stages without learning anything."""

QUICK_TRAINING = ("agent.algorithm.clone.steps=20", "agent.algorithm.critic.pretrain_steps=5")
"""Settings of training that go with :data:`QUICK`, for agents that have them."""
