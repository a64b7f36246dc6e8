# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Configuration shared by the cleanup tasks: the cabinet in the scene, its reset and the observations."""

from __future__ import annotations

from isaaclab.assets import ArticulationCfg
from isaaclab.managers import EventTermCfg
from isaaclab.utils import configclass

from cohoff_tasks.assets.cabinet import SLIDE

from . import drawer, events
from . import observations_cfg as observe
from .events_cfg import ManipulationEventsCfg
from .scene_cfg import TableSceneCfg, mechanism_cfg
from .state import Point, tool


@configclass
class DrawerSceneCfg(TableSceneCfg):
    """A cabinet on the table, its drawer closed."""

    cabinet: ArticulationCfg = mechanism_cfg(
        "Cabinet", drawer.MODEL.usd(), drawer.CABINET_POSITION, SLIDE, 0.0, damping=10.0, friction=1.5
    )
    """The cabinet. Friction keeps its drawer in place."""


def drawer_obs_cfg(name: str, grip: Point, middle: Point) -> observe.RobotObsCfg:
    """Observation group ``policy`` of a cleanup task, [N, 54].

    The 24 entries of :class:`.observations_cfg.RobotObsCfg`, then

    ======  ================================================================  ========  =====
    index   quantity                                                          unit      scale
    ======  ================================================================  ========  =====
    24-26   tool to the gap behind the drawer's handle                        m         10
    27-29   24-26 within 2 cm                                                 m         100
    30      position of the drawer: 0 closed, below 0 open                    m         10
    31      velocity of the drawer                                            m/s       2
    32-34   tool to the grip of the object's handle                           m         10
    35-37   32-34 within 2 cm                                                 m         100
    38-40   object's middle to the middle of the drawer's floor               m         10
    41-43   38-40 within 2 cm                                                 m         100
    44-45   sin, cos of twice the hand's heading relative to the handle       1         1
    46-47   sin, cos of the object's heading                                  1         1
    48-50   object's z axis                                                   1         1
    51-53   velocity of the object                                            m/s       2
    ======  ================================================================  ========  =====

    Args:
        name: The rigid object that goes into the drawer.
        grip: Where its handle is grasped.
        middle: Point on its underside that goes to the middle of the drawer's floor.
    """

    @configclass
    class DrawerObsCfg(observe.RobotObsCfg):
        hook_from_tool = observe.vector(tool, drawer.hook)
        hook_from_tool_fine = observe.fine_vector(tool, drawer.hook)
        drawer_joint = observe.joint(drawer.CABINET, scale=(10.0, 2.0))
        grip_from_tool = observe.vector(tool, grip)
        grip_from_tool_fine = observe.fine_vector(tool, grip)
        floor_from_object = observe.vector(middle, drawer.floor)
        floor_from_object_fine = observe.fine_vector(middle, drawer.floor)
        grasp_heading = observe.hand_heading_on(name, fold=2)
        object_heading = observe.heading(name)
        object_up = observe.up(name)
        object_velocity = observe.velocity(name)

    return DrawerObsCfg()


@configclass
class DrawerEventsCfg(ManipulationEventsCfg):
    """Initial state: the drawer closed, the arm slightly off its default posture."""

    reset_drawer = EventTermCfg(func=events.reset_joints, mode="reset", params={"name": drawer.CABINET})
