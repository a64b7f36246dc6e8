# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Configuration of mug cleanup: open the drawer, put the mug into it, close it."""

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
class MugCleanupSceneCfg(DrawerSceneCfg):
    """A mug and a cabinet on the table."""

    mug: RigidObjectCfg = object_cfg("Mug", LAYOUT.mug.usd(), LAYOUT.mug_position)
    """The mug, by default in the middle of the box that it starts in."""


@configclass
class PolicyObsCfg(DrawerObsCfg):
    """State for the learner, [N, 54].

    The 32 entries of :class:`~cohoff_tasks.common.drawer_cfg.DrawerObsCfg`, then

    ======  ================================================================  ========  =====
    index   quantity                                                          unit      scale
    ======  ================================================================  ========  =====
    32-34   tool to the middle of the mug's handle                            m         10
    35-37   32-34 within 2 cm                                                 m         100
    38-40   mug's middle to the middle of the drawer's floor                  m         10
    41-43   38-40 within 2 cm                                                 m         100
    44-45   sin, cos of twice the hand's heading relative to the handle       1         1
    46-47   sin, cos of the mug's heading                                     1         1
    48-50   mug's z axis                                                      1         1
    51-53   velocity of the mug                                               m/s       2
    ======  ================================================================  ========  =====
    """

    grip_from_tool = observe.vector(tool, mdp.grip)
    grip_from_tool_fine = observe.fine_vector(tool, mdp.grip)
    floor_from_mug = observe.vector(mdp.middle, drawer.floor)
    floor_from_mug_fine = observe.fine_vector(mdp.middle, drawer.floor)
    grasp_heading = observe.hand_heading_on(mdp.MUG, fold=2)
    mug_heading = observe.heading(mdp.MUG)
    mug_up = observe.up(mdp.MUG)
    mug_velocity = observe.velocity(mdp.MUG)


@configclass
class ObservationsCfg:
    """Observation groups."""

    policy: PolicyObsCfg = PolicyObsCfg()


@configclass
class EventsCfg(DrawerEventsCfg):
    """Initial states: the drawer closed; the mug upright anywhere in a box, any heading."""

    reset_mug = EventTermCfg(
        func=events.reset_object_on_table,
        mode="reset",
        params={
            "name": mdp.MUG,
            "half_range": preset(default=(0.07, 0.07), d0=(0.07, 0.07), d1=(0.12, 0.12)),
            "half_yaw": math.pi,
        },
    )


@configclass
class MugCleanupTerminationsCfg(TerminationsCfg):
    """Ends of an episode of mug cleanup."""

    success: TerminationTermCfg = held(mdp.mug_put_away, max_opening=0.008, min_up=0.98)


@configclass
class MugCleanupEnvCfg(ManipulationEnvCfg):
    """Mug cleanup on a Franka Panda."""

    instruction: str = "open the drawer, put the mug into it and close it"
    scene: MugCleanupSceneCfg = MugCleanupSceneCfg(num_envs=64, env_spacing=2.5)
    observations: ObservationsCfg = ObservationsCfg()
    events: EventsCfg = EventsCfg()
    terminations: MugCleanupTerminationsCfg = MugCleanupTerminationsCfg()
    episode_length_s: float = 500 * CONTROL_DT
