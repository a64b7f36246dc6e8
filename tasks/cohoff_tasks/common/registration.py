# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Registration of a task and its camera variant with Gymnasium."""

from __future__ import annotations

import gymnasium as gym

AGENTS = {
    "csil": "cohoff_tasks.agents.rsl_rl_csil_cfg:ManipulationCsilRunnerCfg",
    "csil_vision": "cohoff_tasks.agents.rsl_rl_csil_vision_cfg:ManipulationCsilVisionRunnerCfg",
    "csil2023": "cohoff_tasks.agents.rsl_rl_csil2023_cfg:ManipulationCsil2023RunnerCfg",
    "rlpd": "cohoff_tasks.agents.rsl_rl_rlpd_cfg:ManipulationRlpdRunnerCfg",
    "xqc": "cohoff_tasks.agents.rsl_rl_xqc_cfg:ManipulationXqcRunnerCfg",
    "dsrl": "cohoff_tasks.agents.rsl_rl_dsrl_cfg:ManipulationDsrlRunnerCfg",
    "resip": "cohoff_tasks.agents.rsl_rl_resip_cfg:ManipulationResipRunnerCfg",
    "dice": "cohoff_tasks.agents.rsl_rl_dice_cfg:ManipulationDiceRunnerCfg",
    "ibrl": "cohoff_tasks.agents.rsl_rl_ibrl_cfg:ManipulationIbrlRunnerCfg",
    "resfit": "cohoff_tasks.agents.rsl_rl_resfit_cfg:ManipulationResfitRunnerCfg",
}
"""Agent configurations of every task by the name of their algorithm.

``--agent rsl_rl_csil_cfg_entry_point`` selects ``csil``.
"""

DEFAULT_AGENT = "csil"
"""Agent of ``isaaclab train`` without ``--agent``."""


def task_id(task: str, variant: str = "") -> str:
    """Gymnasium id of a task: ``Cohoff-Square-Franka``, or ``Cohoff-Square-Camera-Franka`` for a variant."""
    return "-".join(filter(None, ("Cohoff", task, variant, "Franka")))


def register(task: str, package: str) -> None:
    """Register ``Cohoff-<task>-Franka`` and its variant with cameras, ``Cohoff-<task>-Camera-Franka``.

    Only strings are registered: nothing of a task is imported before the task is made. ``package`` contains

    - ``env_cfg`` with the environment configuration ``<task>EnvCfg``,
    - ``expert`` with the scripted expert ``<task>Expert``,
    - ``recipe`` with the training settings ``RECIPE``.

    The camera variant and the agents are derived, see :mod:`.derived_cfg`.

    Args:
        task: Name in CamelCase, ``MugCleanup``.
        package: Dotted name of the task's package.
    """
    derived = f"cohoff_tasks.common.derived_cfg:{task}"
    shared = {f"rsl_rl_{agent}_cfg_entry_point": f"{derived}_{agent}" for agent in AGENTS} | {
        "rsl_rl_cfg_entry_point": f"{derived}_{DEFAULT_AGENT}",
        "default_agent": "rsl_rl",
        "expert_entry_point": f"{package}.expert:{task}Expert",
        "recipe_entry_point": f"{package}.recipe:RECIPE",
    }
    for variant, env_cfg in (("", f"{package}.env_cfg:{task}EnvCfg"), ("Camera", f"{derived}_camera_env")):
        gym.register(
            id=task_id(task, variant),
            entry_point="cohoff.isaac.env:ManipulationEnv",
            disable_env_checker=True,
            kwargs={"env_cfg_entry_point": env_cfg, **shared},
        )
