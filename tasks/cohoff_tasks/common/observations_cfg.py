# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Observation group of the robot, and the terms from which a task adds its objects."""

from __future__ import annotations

from dataclasses import MISSING

from isaaclab.managers import ObservationGroupCfg, ObservationTermCfg
from isaaclab.utils import configclass

from . import observations
from .state import Point, object_linear_velocity

TOOL_CENTER = (0.45, 0.0, 0.15)
"""Center of the space in which the tool moves, in the base frame [m]."""


@configclass
class RobotObsCfg(ObservationGroupCfg):
    """State of the robot, the first 24 entries of the ``policy`` group of every task.

    All entries are float32, clipped, and scaled to a magnitude of about 1. Vectors are in the robot's base frame, like
    actions. The *tool* is the point between the finger pads, the *target* the pose to which the controller moves it.

    ======  ==============================================  ========  =====
    index   quantity                                        unit      scale
    ======  ==============================================  ========  =====
    0-2     tool position relative to ``TOOL_CENTER``       m         5
    3-8     hand's x axis, hand's y axis                    1         1
    9       distance between the finger pads minus 0.04     m         25
    10      rate of change of that distance                 m/s       5
    11      last command: 1 to close, -1 to open            1         1
    12-14   velocity of the tool                            m/s       2
    15-17   angular velocity of the hand                    rad/s     0.5
    18-20   tool to target, translation                     m         20
    21-23   tool to target, rotation vector                 rad       4
    ======  ==============================================  ========  =====
    """

    tool_position = ObservationTermCfg(
        func=observations.tool_position, params={"center": TOOL_CENTER}, clip=(-1.0, 1.0), scale=5.0
    )
    tool_axes = ObservationTermCfg(func=observations.tool_axes)
    gripper_opening = ObservationTermCfg(func=observations.gripper_opening, clip=(-0.1, 0.1), scale=25.0)
    gripper_velocity = ObservationTermCfg(func=observations.gripper_velocity, clip=(-0.5, 0.5), scale=5.0)
    gripper_command = ObservationTermCfg(func=observations.gripper_command)
    tool_velocity = ObservationTermCfg(func=observations.tool_velocity, clip=(-2.0, 2.0), scale=2.0)
    tool_angular_velocity = ObservationTermCfg(func=observations.tool_angular_velocity, clip=(-8.0, 8.0), scale=0.5)
    target_translation = ObservationTermCfg(func=observations.target_translation, clip=(-0.2, 0.2), scale=20.0)
    target_rotation = ObservationTermCfg(func=observations.target_rotation, clip=(-1.0, 1.0), scale=4.0)

    def __post_init__(self):
        self.concatenate_terms = True
        self.enable_corruption = False


@configclass
class JointsObsCfg(RobotObsCfg):
    """State of the robot with its joints and without any object, [N, 31]: the group ``robot`` of the camera variant.

    The 24 entries of :class:`RobotObsCfg`, then the positions of the seven joints of the arm [rad], scale 0.5.
    """

    joint_positions = ObservationTermCfg(func=observations.joint_positions, clip=(-4.0, 4.0), scale=0.5)


@configclass
class ObservationsCfg:
    """Observation groups. A task sets ``policy``, the camera variant adds ``images`` and ``robot``."""

    policy: RobotObsCfg = MISSING  # pyright: ignore[reportAssignmentType]


def vector(source: Point, target: Point) -> ObservationTermCfg:
    """Vector from ``source`` to ``target`` at the scale of the workspace: clipped to 50 cm, scale 10."""
    return ObservationTermCfg(
        func=observations.between, params={"source": source, "target": target}, clip=(-0.5, 0.5), scale=10.0
    )


def fine_vector(source: Point, target: Point) -> ObservationTermCfg:
    """Vector from ``source`` to ``target`` at the scale of a clearance: clipped to 2 cm, scale 100.

    At the scale of the workspace, a network hardly resolves a millimeter. On Square, a BC policy trained on 200
    demonstrations succeeds in 81% of 64 episodes with these terms, and in 28% without them.
    """
    return ObservationTermCfg(
        func=observations.between, params={"source": source, "target": target}, clip=(-0.02, 0.02), scale=100.0
    )


def height(point: Point) -> ObservationTermCfg:
    """Height of ``point`` over the table: clipped to 50 cm, scale 10."""
    return ObservationTermCfg(func=observations.height, params={"point": point}, clip=(-0.5, 0.5), scale=10.0)


def up(name: str) -> ObservationTermCfg:
    """The z axis of the rigid object ``name``."""
    return ObservationTermCfg(func=observations.object_up, params={"name": name})


def heading(name: str, fold: int = 1) -> ObservationTermCfg:
    """Sine and cosine of ``fold`` times the heading of the rigid object ``name``."""
    return ObservationTermCfg(func=observations.object_heading, params={"name": name, "fold": fold})


def hand_heading_on(name: str, fold: int) -> ObservationTermCfg:
    """Sine and cosine of ``fold`` times the hand's heading relative to the rigid object ``name``."""
    return ObservationTermCfg(func=observations.hand_heading_on, params={"name": name, "fold": fold})


def velocity(name: str) -> ObservationTermCfg:
    """Linear velocity of the rigid object ``name``: clipped to 2 m/s, scale 2."""
    return ObservationTermCfg(func=object_linear_velocity, params={"name": name}, clip=(-2.0, 2.0), scale=2.0)


def joint(name: str, scale: tuple[float, float] = (1.0, 1.0)) -> ObservationTermCfg:
    """Position and velocity of the only joint of the articulation ``name``: clipped to 3, times ``scale``."""
    return ObservationTermCfg(func=observations.joint, params={"name": name}, clip=(-3.0, 3.0), scale=scale)
