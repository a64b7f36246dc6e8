# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""CSIL++ from pictures: the recipe of the state policy, on the features of a frozen encoder and the robot's state."""

from __future__ import annotations

from isaaclab.utils import configclass

from .rsl_rl_csil_cfg import ManipulationCsilRunnerCfg


@configclass
class ManipulationCsilVisionRunnerCfg(ManipulationCsilRunnerCfg):
    """Reads no object pose; for tasks named -Camera-."""

    obs_groups: dict[str, list[str]] = {"actor": ["vision", "robot"], "critic": ["vision", "robot"]}
    """Features of the pictures, and the state of the robot."""
