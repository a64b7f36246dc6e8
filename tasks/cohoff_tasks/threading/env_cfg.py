# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Configuration of Threading: grasp the needle by its grip block and put it through the ring."""

from __future__ import annotations

import math

from isaaclab.assets import RigidObjectCfg
from isaaclab.utils import configclass

from cohoff_tasks.common import observations_cfg as observe
from cohoff_tasks.common.env_cfg import ManipulationEnvCfg, TerminationsCfg, held
from cohoff_tasks.common.events_cfg import ManipulationEventsCfg, by_preset, reset_on_table
from cohoff_tasks.common.scene_cfg import TableSceneCfg, object_cfg
from cohoff_tasks.common.state import tool

from . import mdp
from .layout import LAYOUT


@configclass
class ThreadingSceneCfg(TableSceneCfg):
    """A needle and a ring on a tripod on the table."""

    needle: RigidObjectCfg = object_cfg("Needle", LAYOUT.needle.usd(), LAYOUT.needle_position)
    """The needle, by default at the center of the box in which it starts."""

    tripod: RigidObjectCfg = object_cfg("Tripod", LAYOUT.tripod.usd(), LAYOUT.tripod_position)
    """The ring on its tripod, which is not fixed to the table."""


@configclass
class ThreadingObsCfg(observe.RobotObsCfg):
    """Observations of the policy, [N, 58].

    The 24 entries of :class:`~cohoff_tasks.common.observations_cfg.RobotObsCfg`, then

    ======  ================================================================  ========  =====
    index   quantity                                                          unit      scale
    ======  ================================================================  ========  =====
    24-26   tool to the center of the needle's grip block                     m         10
    27-29   needle's tip to the center of the ring                            m         10
    30-31   sin, cos of the hand's heading relative to the needle             1         1
    32-33   sin, cos of the needle's heading                                  1         1
    34-35   sin, cos of the ring's heading                                    1         1
    36      height of the needle's grip block                                 m         10
    37-39   needle's z axis                                                   1         1
    40-42   tripod's z axis                                                   1         1
    43-45   velocity of the needle                                            m/s       2
    46-48   24-26 within 2 cm                                                 m         100
    49-51   27-29 within 2 cm                                                 m         100
    52-54   needle's tip to the ring's axis within 2 cm                       m         100
    55-57   center of the needle's grip block to the ring's axis within 2 cm  m         100
    ======  ================================================================  ========  =====
    """

    grip_from_tool = observe.vector(tool, mdp.grip)
    aperture_from_tip = observe.vector(mdp.tip, mdp.aperture)
    grasp_heading = observe.hand_heading_on(mdp.NEEDLE, fold=1)
    needle_heading = observe.heading(mdp.NEEDLE)
    ring_heading = observe.heading(mdp.TRIPOD)
    grip_height = observe.height(mdp.grip)
    needle_up = observe.up(mdp.NEEDLE)
    tripod_up = observe.up(mdp.TRIPOD)
    needle_velocity = observe.velocity(mdp.NEEDLE)
    grip_from_tool_fine = observe.fine_vector(tool, mdp.grip)
    aperture_from_tip_fine = observe.fine_vector(mdp.tip, mdp.aperture)
    axis_from_tip_fine = observe.fine_vector(mdp.tip, mdp.tip_on_axis)
    axis_from_grip_fine = observe.fine_vector(mdp.grip, mdp.grip_on_axis)


@configclass
class ThreadingEventsCfg(ManipulationEventsCfg):
    """Initial states: the needle anywhere in a box, pointing roughly in the direction of the ring's axis.

    The ring is always in the same place in D0. In D1 it is anywhere in its own box, turned to either side.
    """

    reset_needle = reset_on_table(
        mdp.NEEDLE, by_preset((0.075, 0.05), (0.10, 0.08)), by_preset(math.pi / 6, math.pi / 4)
    )
    reset_tripod = reset_on_table(mdp.TRIPOD, by_preset((0.0, 0.0), (0.05, 0.05)), by_preset(0.0, math.pi / 6))


@configclass
class ThreadingEnvCfg(ManipulationEnvCfg):
    """Threading on a Franka Panda."""

    instruction: str = "put the needle through the ring of the tripod"
    scene: ThreadingSceneCfg = ThreadingSceneCfg()
    observations: observe.ObservationsCfg = observe.ObservationsCfg(policy=ThreadingObsCfg())
    events: ThreadingEventsCfg = ThreadingEventsCfg()
    terminations: TerminationsCfg = TerminationsCfg(success=held(mdp.needle_through_ring, min_depth=0.015, min_up=0.97))
