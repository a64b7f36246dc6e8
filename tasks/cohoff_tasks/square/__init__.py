# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Square: put a square nut with a handle over a square peg."""

import gymnasium as gym

gym.register(
    id="Cohoff-Square-Franka",
    entry_point="cohoff.isaac.env:ManipulationEnv",
    disable_env_checker=True,
    kwargs={
        "env_cfg_entry_point": "cohoff_tasks.square.env_cfg:SquareEnvCfg",
        "rsl_rl_csil_cfg_entry_point": "cohoff_tasks.square.agents.rsl_rl_csil_cfg:SquareCsilRunnerCfg",
        "expert_entry_point": "cohoff_tasks.square.expert:SquareExpert",
    },
)
