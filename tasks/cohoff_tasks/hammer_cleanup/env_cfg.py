# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Configuration of HammerCleanup: open the drawer, put the hammer into it and close it."""

from __future__ import annotations

import math

from isaaclab.assets import RigidObjectCfg
from isaaclab.utils import configclass

from cohoff_tasks.common import drawer
from cohoff_tasks.common import observations_cfg as observe
from cohoff_tasks.common.drawer_cfg import DrawerEventsCfg, DrawerSceneCfg, drawer_obs_cfg
from cohoff_tasks.common.env_cfg import CONTROL_DT, ManipulationEnvCfg, TerminationsCfg, held
from cohoff_tasks.common.events_cfg import by_preset, reset_on_table
from cohoff_tasks.common.scene_cfg import object_cfg

from . import mdp
from .layout import LAYOUT


@configclass
class HammerCleanupSceneCfg(DrawerSceneCfg):
    """A hammer and a cabinet on the table."""

    hammer: RigidObjectCfg = object_cfg("Hammer", LAYOUT.hammer.usd(), LAYOUT.hammer_position)
    """The hammer, by default at the center of the box in which it starts."""


@configclass
class HammerCleanupEventsCfg(DrawerEventsCfg):
    """Initial states: the drawer closed, the hammer anywhere in a box, its head away from the robot except in D1."""

    reset_hammer = reset_on_table(mdp.HAMMER, by_preset((0.04, 0.035), (0.12, 0.12)), by_preset(0.2, math.pi))


@configclass
class HammerCleanupEnvCfg(ManipulationEnvCfg):
    """HammerCleanup on a Franka Panda."""

    instruction: str = "open the drawer, put the hammer into it and close it"
    scene: HammerCleanupSceneCfg = HammerCleanupSceneCfg()
    observations: observe.ObservationsCfg = observe.ObservationsCfg(
        policy=drawer_obs_cfg(mdp.HAMMER, mdp.grip, mdp.middle)
    )
    events: HammerCleanupEventsCfg = HammerCleanupEventsCfg()
    terminations: TerminationsCfg = TerminationsCfg(success=held(drawer.put_away, point=mdp.middle, max_opening=0.008))
    episode_length_s: float = 500 * CONTROL_DT
