# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Configuration of MugCleanup: open the drawer, put the mug into it and close it."""

from __future__ import annotations

import math

from isaaclab.assets import RigidObjectCfg
from isaaclab.utils import configclass

from cohoff_tasks.common import observations_cfg as observe
from cohoff_tasks.common.drawer_cfg import DrawerEventsCfg, DrawerSceneCfg, drawer_obs_cfg
from cohoff_tasks.common.env_cfg import CONTROL_DT, ManipulationEnvCfg, TerminationsCfg, held
from cohoff_tasks.common.events_cfg import by_preset, reset_on_table
from cohoff_tasks.common.scene_cfg import object_cfg

from . import mdp
from .layout import LAYOUT


@configclass
class MugCleanupSceneCfg(DrawerSceneCfg):
    """A mug and a cabinet on the table."""

    mug: RigidObjectCfg = object_cfg("Mug", LAYOUT.mug.usd(), LAYOUT.mug_position)
    """The mug, by default at the center of the box in which it starts."""


@configclass
class MugCleanupEventsCfg(DrawerEventsCfg):
    """Initial states: the drawer closed, the mug upright anywhere in a box, with any heading."""

    reset_mug = reset_on_table(mdp.MUG, by_preset((0.07, 0.07), (0.12, 0.12)), math.pi)


@configclass
class MugCleanupEnvCfg(ManipulationEnvCfg):
    """MugCleanup on a Franka Panda."""

    instruction: str = "open the drawer, put the mug into it and close it"
    scene: MugCleanupSceneCfg = MugCleanupSceneCfg()
    observations: observe.ObservationsCfg = observe.ObservationsCfg(
        policy=drawer_obs_cfg(mdp.MUG, mdp.grip, mdp.middle)
    )
    events: MugCleanupEventsCfg = MugCleanupEventsCfg()
    terminations: TerminationsCfg = TerminationsCfg(success=held(mdp.mug_put_away, max_opening=0.008, min_up=0.98))
    episode_length_s: float = 500 * CONTROL_DT
