# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Registration of a task and its camera variant with Gymnasium."""

from __future__ import annotations

import gymnasium as gym


def register(task: str, package: str) -> None:
    """Register ``Cohoff-<task>-Franka`` and, with cameras, ``Cohoff-<task>-Camera-Franka``.

    Only names are registered; nothing of the task is imported before it is made. ``package`` holds

    - ``env_cfg`` with the environment configurations ``<task>EnvCfg`` and ``<task>CameraEnvCfg``,
    - ``expert`` with the scripted expert ``<task>Expert``,
    - ``agents.rsl_rl_csil_cfg`` with the learner's configuration ``<task>CsilRunnerCfg``.

    Args:
        task: Name in CamelCase, ``MugCleanup``.
        package: Dotted name of the task's package.
    """
    for variant in ("", "Camera"):
        gym.register(
            id="-".join(filter(None, ("Cohoff", task, variant, "Franka"))),
            entry_point="cohoff.isaac.env:ManipulationEnv",
            disable_env_checker=True,
            kwargs={
                "env_cfg_entry_point": f"{package}.env_cfg:{task}{variant}EnvCfg",
                "rsl_rl_csil_cfg_entry_point": f"{package}.agents.rsl_rl_csil_cfg:{task}CsilRunnerCfg",
                "expert_entry_point": f"{package}.expert:{task}Expert",
            },
        )
