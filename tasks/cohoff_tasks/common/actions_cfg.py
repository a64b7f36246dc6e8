# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Configuration of the action terms."""

from __future__ import annotations

from isaaclab.managers import ActionTermCfg
from isaaclab.utils import configclass

from .scene_cfg import FINGER_OPEN


@configclass
class DeltaPoseActionCfg(ActionTermCfg):
    """Small motions of the tool center point; see :class:`.actions.DeltaPoseAction`."""

    class_type: type | str = "{DIR}.actions:DeltaPoseAction"
    asset_name: str = "robot"

    joint_names: str = "panda_joint[1-7]"
    """Regular expression for the arm's joints."""
    body_name: str = "panda_hand"
    """Link that carries the tool."""
    tool_offset: tuple[float, float, float] = (0.0, 0.0, 0.1034)
    """Tool center point in the link's frame [m], between the finger pads."""
    position_scale: float = 0.02
    """Translation of the target by an action of 1 [m per control step]."""
    rotation_scale: float = 0.1
    """Rotation of the target by an action of 1 [rad per control step]."""
    max_position_error: float = 0.06
    """Maximum distance from the tool to the target along each axis [m]."""
    max_rotation_error: float = 0.4
    """Maximum angle between the tool and the target [rad]."""
    damping: float = 0.05
    """Damping of the least-squares inverse kinematics."""


@configclass
class GripperActionCfg(ActionTermCfg):
    """Opening and closing of the gripper; see :class:`.actions.GripperAction`."""

    class_type: type | str = "{DIR}.actions:GripperAction"
    asset_name: str = "robot"

    joint_names: str = "panda_finger_joint.*"
    """Regular expression for the finger joints."""
    open_position: float = FINGER_OPEN
    """Position of each finger joint when open [m]."""
    max_error: float = 0.01
    """Maximum distance from a finger to its target [m]. It limits the speed of the fingers and, with the
    stiffness of the drive, the grasp force, independently of the width of the object."""
