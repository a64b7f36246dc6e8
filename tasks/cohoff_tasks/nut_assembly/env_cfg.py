# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Configuration of NutAssembly: put the square nut on the square peg and the round nut on the round peg."""

from __future__ import annotations

import math

from isaaclab.assets import AssetBaseCfg, RigidObjectCfg
from isaaclab.managers import EventTermCfg, ObservationTermCfg
from isaaclab.utils import configclass

from cohoff_tasks.common import observations_cfg as observe
from cohoff_tasks.common.env_cfg import CONTROL_DT, ManipulationEnvCfg, TerminationsCfg, held
from cohoff_tasks.common.events_cfg import ManipulationEventsCfg, by_preset, reset_on_table
from cohoff_tasks.common.scene_cfg import TableSceneCfg, fixture_cfg, object_cfg
from cohoff_tasks.common.state import tool

from . import mdp
from .layout import LAYOUT

SEATED = {"max_offset": 0.01, "max_lift": 0.008, "min_up": 0.98}
"""When a nut is on its peg; see :func:`.mdp.seated`."""


@configclass
class NutAssemblySceneCfg(TableSceneCfg):
    """Two nuts and two pegs on the table."""

    square_nut: RigidObjectCfg = object_cfg("SquareNut", LAYOUT.square_nut.usd(), LAYOUT.square_nut_position)
    """The square nut, by default at the center of the box in which it starts."""

    round_nut: RigidObjectCfg = object_cfg("RoundNut", LAYOUT.round_nut.usd(), LAYOUT.round_nut_position)
    """The round nut, by default at the center of the box in which it starts."""

    square_peg: AssetBaseCfg = fixture_cfg("SquarePeg", LAYOUT.square_peg.usd(), LAYOUT.square_peg_position)
    """The square peg, fixed on the table."""

    round_peg: AssetBaseCfg = fixture_cfg("RoundPeg", LAYOUT.round_peg.usd(), LAYOUT.round_peg_position)
    """The round peg, fixed on the table."""


@configclass
class NutAssemblyObsCfg(observe.RobotObsCfg):
    """Observations of the policy, [N, 72].

    The 24 entries of :class:`~cohoff_tasks.common.observations_cfg.RobotObsCfg`, then

    ======  ================================================================  ========  =====
    index   quantity                                                          unit      scale
    ======  ================================================================  ========  =====
    24-25   whether the square nut, the round nut is on its peg               1         1
    26-28   tool to the middle of the square nut's handle                     m         10
    29-31   square nut's center to its peg's base                             m         10
    32-33   sin, cos of twice the hand's heading relative to the handle       1         1
    34-35   sin, cos of the square nut's heading                              1         1
    36-37   sin, cos of four times the square nut's heading                   1         1
    38      height of the square nut's center                                 m         10
    39-41   square nut's z axis                                               1         1
    42-44   velocity of the square nut                                        m/s       2
    45-47   26-28 within 2 cm                                                 m         100
    48-50   29-31 within 2 cm                                                 m         100
    51-71   26-50 for the round nut, without its headings
    ======  ================================================================  ========  =====
    """

    seated = ObservationTermCfg(func=mdp.seated, params=SEATED)

    square_handle_from_tool = observe.vector(tool, mdp.square_handle)
    square_peg_from_nut = observe.vector(mdp.square_nut, mdp.square_peg)
    square_grasp_heading = observe.hand_heading_on(mdp.SQUARE_NUT, fold=2)
    square_nut_heading = observe.heading(mdp.SQUARE_NUT)
    square_nut_side_heading = observe.heading(mdp.SQUARE_NUT, fold=4)
    square_nut_height = observe.height(mdp.square_nut)
    square_nut_up = observe.up(mdp.SQUARE_NUT)
    square_nut_velocity = observe.velocity(mdp.SQUARE_NUT)
    square_handle_from_tool_fine = observe.fine_vector(tool, mdp.square_handle)
    square_peg_from_nut_fine = observe.fine_vector(mdp.square_nut, mdp.square_peg)

    round_handle_from_tool = observe.vector(tool, mdp.round_handle)
    round_peg_from_nut = observe.vector(mdp.round_nut, mdp.round_peg)
    round_grasp_heading = observe.hand_heading_on(mdp.ROUND_NUT, fold=2)
    round_nut_height = observe.height(mdp.round_nut)
    round_nut_up = observe.up(mdp.ROUND_NUT)
    round_nut_velocity = observe.velocity(mdp.ROUND_NUT)
    round_handle_from_tool_fine = observe.fine_vector(tool, mdp.round_handle)
    round_peg_from_nut_fine = observe.fine_vector(mdp.round_nut, mdp.round_peg)


def _reset_nut(name: str) -> EventTermCfg:
    return reset_on_table(name, by_preset((0.05, 0.055), (0.065, 0.09)), math.pi)


@configclass
class NutAssemblyEventsCfg(ManipulationEventsCfg):
    """Initial states: each nut anywhere in its own box, with any heading."""

    reset_square_nut = _reset_nut(mdp.SQUARE_NUT)
    reset_round_nut = _reset_nut(mdp.ROUND_NUT)


@configclass
class NutAssemblyEnvCfg(ManipulationEnvCfg):
    """NutAssembly on a Franka Panda."""

    instruction: str = "put the square nut over the square peg and the round nut over the round peg"
    scene: NutAssemblySceneCfg = NutAssemblySceneCfg()
    observations: observe.ObservationsCfg = observe.ObservationsCfg(policy=NutAssemblyObsCfg())
    events: NutAssemblyEventsCfg = NutAssemblyEventsCfg()
    terminations: TerminationsCfg = TerminationsCfg(success=held(mdp.nuts_on_pegs, **SEATED, min_hand_distance=0.1))
    episode_length_s: float = 500 * CONTROL_DT
