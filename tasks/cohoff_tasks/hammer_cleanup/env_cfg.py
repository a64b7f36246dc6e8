# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Configuration of hammer cleanup: open the drawer, put the hammer into it, close it."""

from __future__ import annotations

import math

from isaaclab.assets import RigidObjectCfg
from isaaclab.managers import EventTermCfg, TerminationTermCfg
from isaaclab.utils import configclass
from isaaclab_tasks.utils import preset

from cohoff_tasks.common import drawer, events
from cohoff_tasks.common import observations_cfg as observe
from cohoff_tasks.common.drawer_cfg import DrawerEventsCfg, DrawerObsCfg, DrawerSceneCfg
from cohoff_tasks.common.env_cfg import CONTROL_DT, ManipulationEnvCfg, TerminationsCfg, held
from cohoff_tasks.common.scene_cfg import object_cfg
from cohoff_tasks.common.state import tool

from . import mdp
from .layout import LAYOUT


@configclass
class HammerCleanupSceneCfg(DrawerSceneCfg):
    """A hammer and a cabinet on the table."""

    hammer: RigidObjectCfg = object_cfg("Hammer", LAYOUT.hammer.usd(), LAYOUT.hammer_position)
    """The hammer, by default in the middle of the box that it starts in."""


@configclass
class PolicyObsCfg(DrawerObsCfg):
    """State for the learner, [N, 54].

    The 32 entries of :class:`~cohoff_tasks.common.drawer_cfg.DrawerObsCfg`, then

    ======  ================================================================  ========  =====
    index   quantity                                                          unit      scale
    ======  ================================================================  ========  =====
    32-34   tool to the grip of the hammer's handle                           m         10
    35-37   32-34 within 2 cm                                                 m         100
    38-40   hammer's middle to the middle of the drawer's floor               m         10
    41-43   38-40 within 2 cm                                                 m         100
    44-45   sin, cos of twice the hand's heading relative to the handle       1         1
    46-47   sin, cos of the hammer's heading                                  1         1
    48-50   hammer's z axis                                                   1         1
    51-53   velocity of the hammer                                            m/s       2
    ======  ================================================================  ========  =====
    """

    grip_from_tool = observe.vector(tool, mdp.grip)
    grip_from_tool_fine = observe.fine_vector(tool, mdp.grip)
    floor_from_hammer = observe.vector(mdp.middle, drawer.floor)
    floor_from_hammer_fine = observe.fine_vector(mdp.middle, drawer.floor)
    grasp_heading = observe.hand_heading_on(mdp.HAMMER, fold=2)
    hammer_heading = observe.heading(mdp.HAMMER)
    hammer_up = observe.up(mdp.HAMMER)
    hammer_velocity = observe.velocity(mdp.HAMMER)


@configclass
class ObservationsCfg:
    """Observation groups."""

    policy: PolicyObsCfg = PolicyObsCfg()


@configclass
class EventsCfg(DrawerEventsCfg):
    """Initial states: the drawer closed; the hammer anywhere in a box, its head away from the robot."""

    reset_hammer = EventTermCfg(
        func=events.reset_object_on_table,
        mode="reset",
        params={
            "name": mdp.HAMMER,
            "half_range": preset(default=(0.04, 0.035), d0=(0.04, 0.035), d1=(0.12, 0.12)),
            "half_yaw": preset(default=0.2, d0=0.2, d1=math.pi),
        },
    )


@configclass
class HammerCleanupTerminationsCfg(TerminationsCfg):
    """Ends of an episode of hammer cleanup."""

    success: TerminationTermCfg = held(drawer.put_away, point=mdp.middle, max_opening=0.008)


@configclass
class HammerCleanupEnvCfg(ManipulationEnvCfg):
    """Hammer cleanup on a Franka Panda."""

    instruction: str = "open the drawer, put the hammer into it and close it"
    scene: HammerCleanupSceneCfg = HammerCleanupSceneCfg(num_envs=64, env_spacing=2.5)
    observations: ObservationsCfg = ObservationsCfg()
    events: EventsCfg = EventsCfg()
    terminations: HammerCleanupTerminationsCfg = HammerCleanupTerminationsCfg()
    episode_length_s: float = 500 * CONTROL_DT
