# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Configuration of Coffee: put the pod into the machine's holder and close the lid."""

from __future__ import annotations

import math

from isaaclab.assets import ArticulationCfg, RigidObjectCfg
from isaaclab.managers import EventTermCfg
from isaaclab.utils import configclass

from cohoff_tasks.assets.parts import turned
from cohoff_tasks.common import events
from cohoff_tasks.common import observations_cfg as observe
from cohoff_tasks.common.env_cfg import ManipulationEnvCfg, TerminationsCfg, held
from cohoff_tasks.common.events_cfg import ManipulationEventsCfg, by_preset, reset_on_table
from cohoff_tasks.common.scene_cfg import TableSceneCfg, mechanism_cfg, object_cfg
from cohoff_tasks.common.state import tool

from . import mdp
from .layout import LAYOUT


@configclass
class CoffeeSceneCfg(TableSceneCfg):
    """A pod and a coffee machine on the table."""

    pod: RigidObjectCfg = object_cfg("Pod", LAYOUT.pod.usd(), LAYOUT.pod_position)
    """The pod, by default at the center of the box in which it starts."""

    machine: ArticulationCfg = mechanism_cfg(
        "Machine",
        LAYOUT.machine.usd(),
        LAYOUT.machine_position,
        "hinge",
        LAYOUT.lid_angle,
        damping=0.05,
        # The lid stays open by itself, and falls shut once it is half closed.
        friction=0.03,
        rotation=turned("z", LAYOUT.machine_heading),
    )
    """The machine, fixed on the table."""


@configclass
class CoffeeObsCfg(observe.RobotObsCfg):
    """Observations of the policy, [N, 50].

    The 24 entries of :class:`~cohoff_tasks.common.observations_cfg.RobotObsCfg`, then

    ======  ================================================================  ============  =====
    index   quantity                                                          unit          scale
    ======  ================================================================  ============  =====
    24-26   tool to the grip on the pod                                       m             10
    27-29   pod's center to its seat in the holder                            m             10
    30-32   tool to where it pushes the lid                                   m             10
    33-34   angle and angular velocity of the lid                             rad, rad/s    1
    35-37   pod's z axis                                                      1             1
    38-40   velocity of the pod                                               m/s           2
    41-43   24-26 within 2 cm                                                 m             100
    44-46   27-29 within 2 cm                                                 m             100
    47-49   30-32 within 2 cm                                                 m             100
    ======  ================================================================  ============  =====
    """

    grip_from_tool = observe.vector(tool, mdp.grip)
    seat_from_pod = observe.vector(mdp.pod, mdp.seat)
    lid_from_tool = observe.vector(tool, mdp.lid)
    lid_joint = observe.joint(mdp.MACHINE)
    pod_up = observe.up(mdp.POD)
    pod_velocity = observe.velocity(mdp.POD)
    grip_from_tool_fine = observe.fine_vector(tool, mdp.grip)
    seat_from_pod_fine = observe.fine_vector(mdp.pod, mdp.seat)
    lid_from_tool_fine = observe.fine_vector(tool, mdp.lid)


@configclass
class CoffeeEventsCfg(ManipulationEventsCfg):
    """Initial states: the lid open, the pod upright anywhere in a box."""

    reset_machine = EventTermCfg(func=events.reset_joints, mode="reset", params={"name": mdp.MACHINE})
    reset_pod = reset_on_table(mdp.POD, by_preset((0.03, 0.03), (0.10, 0.08)), 0.0)


@configclass
class CoffeeEnvCfg(ManipulationEnvCfg):
    """Coffee on a Franka Panda."""

    instruction: str = "put the pod into the coffee machine and close the lid"
    scene: CoffeeSceneCfg = CoffeeSceneCfg()
    observations: observe.ObservationsCfg = observe.ObservationsCfg(policy=CoffeeObsCfg())
    events: CoffeeEventsCfg = CoffeeEventsCfg()
    terminations: TerminationsCfg = TerminationsCfg(
        success=held(mdp.pod_under_lid, max_offset=0.004, max_height=0.004, min_up=0.98, max_angle=math.radians(15.0))
    )
