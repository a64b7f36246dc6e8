# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Configuration of Square: grasp the square nut by its handle and put it on the square peg."""

from __future__ import annotations

import math

from isaaclab.assets import AssetBaseCfg, RigidObjectCfg
from isaaclab.utils import configclass

from cohoff_tasks.common import observations_cfg as observe
from cohoff_tasks.common.env_cfg import ManipulationEnvCfg, TerminationsCfg, held
from cohoff_tasks.common.events_cfg import ManipulationEventsCfg, by_preset, reset_on_table
from cohoff_tasks.common.scene_cfg import TableSceneCfg, fixture_cfg, object_cfg
from cohoff_tasks.common.state import tool

from . import mdp
from .layout import LAYOUT


@configclass
class SquareSceneCfg(TableSceneCfg):
    """A nut and a peg on the table."""

    nut: RigidObjectCfg = object_cfg("Nut", LAYOUT.nut.usd(), LAYOUT.nut_position)
    """The nut, by default at the center of the box in which it starts."""

    peg: AssetBaseCfg = fixture_cfg("Peg", LAYOUT.peg.usd(), LAYOUT.peg_position)
    """The peg, fixed on the table."""


@configclass
class SquareObsCfg(observe.RobotObsCfg):
    """Observations of the policy, [N, 49].

    The 24 entries of :class:`~cohoff_tasks.common.observations_cfg.RobotObsCfg`, then

    ======  ================================================================  ========  =====
    index   quantity                                                          unit      scale
    ======  ================================================================  ========  =====
    24-26   tool to the middle of the nut's handle                            m         10
    27-29   nut's center to the peg's base                                    m         10
    30-31   sin, cos of twice the hand's heading relative to the handle       1         1
    32-33   sin, cos of the nut's heading                                     1         1
    34-35   sin, cos of four times the nut's heading                          1         1
    36      height of the nut's center                                        m         10
    37-39   nut's z axis                                                      1         1
    40-42   velocity of the nut                                               m/s       2
    43-45   24-26 within 2 cm                                                 m         100
    46-48   27-29 within 2 cm                                                 m         100
    ======  ================================================================  ========  =====
    """

    handle_from_tool = observe.vector(tool, mdp.handle)
    peg_from_nut = observe.vector(mdp.nut, mdp.peg)
    grasp_heading = observe.hand_heading_on(mdp.NUT, fold=2)
    nut_heading = observe.heading(mdp.NUT)
    nut_side_heading = observe.heading(mdp.NUT, fold=4)
    nut_height = observe.height(mdp.nut)
    nut_up = observe.up(mdp.NUT)
    nut_velocity = observe.velocity(mdp.NUT)
    handle_from_tool_fine = observe.fine_vector(tool, mdp.handle)
    peg_from_nut_fine = observe.fine_vector(mdp.nut, mdp.peg)


@configclass
class SquareEventsCfg(ManipulationEventsCfg):
    """Initial states: the nut anywhere in a box, with any heading."""

    reset_nut = reset_on_table(mdp.NUT, by_preset((0.05, 0.05), (0.10, 0.13)), math.pi)


@configclass
class SquareEnvCfg(ManipulationEnvCfg):
    """Square on a Franka Panda."""

    instruction: str = "put the square nut over the square peg"
    scene: SquareSceneCfg = SquareSceneCfg()
    observations: observe.ObservationsCfg = observe.ObservationsCfg(policy=SquareObsCfg())
    events: SquareEventsCfg = SquareEventsCfg()
    terminations: TerminationsCfg = TerminationsCfg(
        success=held(
            mdp.nut_on_peg, max_offset=0.01, max_height=LAYOUT.seat + 0.008, min_up=0.98, min_hand_distance=0.1
        )
    )
