# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What the tasks with a drawer configure the same way: its place in the scene, its reset, and what is observed of it."""

from __future__ import annotations

from isaaclab.assets import ArticulationCfg
from isaaclab.managers import EventTermCfg
from isaaclab.utils import configclass

from cohoff_tasks.assets.cabinet import SLIDE

from . import drawer, events
from . import observations_cfg as observe
from .randomization_cfg import RandomizationEventsCfg
from .scene_cfg import TableSceneCfg, mechanism_cfg
from .state import tool


@configclass
class DrawerSceneCfg(TableSceneCfg):
    """A cabinet on the table, its drawer closed."""

    cabinet: ArticulationCfg = mechanism_cfg(
        "Cabinet", drawer.MODEL.usd(), drawer.CABINET_POSITION, SLIDE, 0.0, damping=10.0, friction=1.5
    )
    """The cabinet. Its drawer stays where it is left."""


@configclass
class DrawerObsCfg(observe.RobotObsCfg):
    """State of the robot and of the drawer, the first 32 entries of the ``policy`` group of a task with a drawer.

    The 24 entries of :class:`~cohoff_tasks.common.observations_cfg.RobotObsCfg`, then

    ======  ================================================================  ========  =====
    index   quantity                                                          unit      scale
    ======  ================================================================  ========  =====
    24-26   tool to the room behind the drawer's handle                       m         10
    27-29   24-26 within 2 cm                                                 m         100
    30      position of the drawer: 0 closed, below 0 open                    m         10
    31      velocity of the drawer                                            m/s       2
    ======  ================================================================  ========  =====
    """

    hook_from_tool = observe.vector(tool, drawer.hook)
    hook_from_tool_fine = observe.fine_vector(tool, drawer.hook)
    drawer_joint = observe.joint(drawer.CABINET, scale=(10.0, 2.0))


@configclass
class DrawerEventsCfg(RandomizationEventsCfg):
    """The drawer closed, the arm slightly off its default posture."""

    reset_robot = EventTermCfg(func=events.reset_robot, mode="reset", params={"joint_noise": 0.03})
    reset_drawer = EventTermCfg(func=events.reset_joints, mode="reset", params={"name": drawer.CABINET})
