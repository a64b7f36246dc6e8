# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Configurations that are derived for every task when Isaac Lab looks them up.

Isaac Lab looks up a configuration by a string ``module:name``. A name in this module consists of a task and a kind:

- ``Square_camera_env`` is ``SquareEnvCfg`` with cameras.
- ``Square_csil`` is the agent ``csil`` of :data:`.registration.AGENTS` with the experiment name ``cohoff_square``.
"""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import Any

import gymnasium as gym

from .cameras_cfg import with_cameras
from .registration import AGENTS, task_id


def __getattr__(name: str) -> Any:
    task, _, kind = name.partition("_")
    if task_id(task) not in gym.registry or (kind != "camera_env" and kind not in AGENTS):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    env_cfg = gym.spec(task_id(task)).kwargs["env_cfg_entry_point"]
    if kind == "camera_env":
        return with_cameras(_load(env_cfg))
    # The package is cohoff_tasks.<folder>.env_cfg.
    return partial(_load(AGENTS[kind]), experiment_name=f"cohoff_{env_cfg.split('.')[1]}")


def _load(entry_point: str) -> Any:
    module, _, name = entry_point.partition(":")
    return getattr(import_module(module), name)
