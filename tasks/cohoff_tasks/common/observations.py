# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Observation terms shared by the tasks. Frames and points are those of :mod:`.state`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from .geometry import x_axis, y_axis, yaw_of, z_axis
from .state import (
    Point,
    arm,
    constant,
    gripper,
    joint_position,
    joint_velocity,
    object_pose,
    tool,
)

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedRLEnv


def tool_position(env: ManagerBasedRLEnv, center: tuple[float, float, float]) -> torch.Tensor:
    """Position of the tool center point relative to ``center`` [m], shape [N, 3]."""
    position = tool(env)
    return position - constant(center, position.device)


def tool_axes(env: ManagerBasedRLEnv) -> torch.Tensor:
    """The hand's x and y axes, a continuous representation of its orientation (Zhou et al., 2019), shape [N, 6]."""
    _, quat = arm(env).tool_pose()
    return torch.cat((x_axis(quat), y_axis(quat)), dim=1)


def tool_velocity(env: ManagerBasedRLEnv) -> torch.Tensor:
    """Linear velocity of the tool center point [m/s], shape [N, 3]."""
    return arm(env).tool_velocity()[0]


def tool_angular_velocity(env: ManagerBasedRLEnv) -> torch.Tensor:
    """Angular velocity of the hand [rad/s], shape [N, 3]."""
    return arm(env).tool_velocity()[1]


def target_translation(env: ManagerBasedRLEnv) -> torch.Tensor:
    """Vector from the tool center point to the controller's target [m], shape [N, 3]."""
    return arm(env).target_error()[0]


def target_rotation(env: ManagerBasedRLEnv) -> torch.Tensor:
    """Rotation vector from the hand to the controller's target [rad], shape [N, 3]."""
    return arm(env).target_error()[1]


def joint_positions(env: ManagerBasedRLEnv) -> torch.Tensor:
    """Positions of the joints of the arm [rad], shape [N, 7]."""
    return arm(env).joint_positions()


def gripper_opening(env: ManagerBasedRLEnv) -> torch.Tensor:
    """Distance between the finger pads minus half its range [m], shape [N, 1]."""
    term = gripper(env)
    return term.opening() - term.cfg.open_position


def gripper_velocity(env: ManagerBasedRLEnv) -> torch.Tensor:
    """Rate of change of the distance between the finger pads [m/s], shape [N, 1]."""
    return gripper(env).opening_velocity()


def gripper_command(env: ManagerBasedRLEnv) -> torch.Tensor:
    """Last command to the gripper, 1 to close and -1 to open, shape [N, 1]."""
    return gripper(env).command


def between(env: ManagerBasedRLEnv, source: Point, target: Point) -> torch.Tensor:
    """Vector from the point ``source`` to the point ``target`` [m], shape [N, 3]."""
    return target(env) - source(env)


def height(env: ManagerBasedRLEnv, point: Point) -> torch.Tensor:
    """Height of ``point`` over the table [m], shape [N, 1]."""
    return point(env)[:, 2:3]


def object_up(env: ManagerBasedRLEnv, name: str) -> torch.Tensor:
    """The z axis of the rigid object ``name``, shape [N, 3]."""
    return z_axis(object_pose(env, name)[1])


def object_heading(env: ManagerBasedRLEnv, name: str, fold: int) -> torch.Tensor:
    """Sine and cosine of ``fold`` times the heading of the rigid object ``name``, shape [N, 2].

    ``fold`` is the number of equivalent headings, all of which give the same observation.
    """
    return _sine_cosine(fold * yaw_of(object_pose(env, name)[1]))


def hand_heading(env: ManagerBasedRLEnv, fold: int) -> torch.Tensor:
    """Sine and cosine of ``fold`` times the hand's heading, shape [N, 2]."""
    return _sine_cosine(fold * yaw_of(arm(env).tool_pose()[1]))


def hand_heading_on(env: ManagerBasedRLEnv, name: str, fold: int) -> torch.Tensor:
    """Sine and cosine of ``fold`` times the hand's heading relative to the rigid object ``name``, shape [N, 2]."""
    _, hand = arm(env).tool_pose()
    return _sine_cosine(fold * (yaw_of(hand) - yaw_of(object_pose(env, name)[1])))


def joint(env: ManagerBasedRLEnv, name: str) -> torch.Tensor:
    """Position [m] or [rad] and velocity of the only joint of the articulation ``name``, shape [N, 2]."""
    return torch.stack((joint_position(env, name), joint_velocity(env, name)), dim=1)


def _sine_cosine(angle: torch.Tensor) -> torch.Tensor:
    return torch.stack((torch.sin(angle), torch.cos(angle)), dim=1)
