# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Reset events, which set the initial state of an episode."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import torch

from .geometry import quat_mul
from .state import arm

if TYPE_CHECKING:
    from isaaclab.assets import Articulation, RigidObject
    from isaaclab.envs import ManagerBasedRLEnv


def reset_robot(env: ManagerBasedRLEnv, env_ids: torch.Tensor, joint_noise: float) -> None:
    """Reset the robot to its default posture at rest, with noise of up to ``joint_noise`` [rad] on each arm joint."""
    robot = cast("Articulation", env.scene["robot"])
    position = robot.data.default_joint_pos.torch[env_ids].clone()
    joints = arm(env).processed_actions.shape[1]
    position[:, :joints] += joint_noise * (2.0 * torch.rand(position.shape[0], joints, device=env.device) - 1.0)
    robot.write_joint_position_to_sim_index(position=position, env_ids=env_ids)
    robot.write_joint_velocity_to_sim_index(velocity=torch.zeros_like(position), env_ids=env_ids)


def reset_object_on_table(
    env: ManagerBasedRLEnv,
    env_ids: torch.Tensor,
    name: str,
    half_range: tuple[float, float],
    half_yaw: float,
) -> None:
    """Reset the rigid object ``name`` to a random pose around its default one, at rest.

    Args:
        env: The environment.
        env_ids: Environments to reset.
        name: Name of the object.
        half_range: Half the size along x and y of the box from which the position is drawn uniformly [m].
        half_yaw: Half the interval from which the heading is drawn uniformly [rad].
    """
    asset = cast("RigidObject", env.scene[name])
    pose = asset.data.default_root_pose.torch[env_ids].clone()
    sample = 2.0 * torch.rand(pose.shape[0], 3, device=env.device) - 1.0
    pose[:, :3] += env.scene.env_origins[env_ids]
    pose[:, 0] += half_range[0] * sample[:, 0]
    pose[:, 1] += half_range[1] * sample[:, 1]
    half_angle = 0.5 * half_yaw * sample[:, 2]
    turn = torch.zeros_like(pose[:, 3:7])
    turn[:, 2] = torch.sin(half_angle)
    turn[:, 3] = torch.cos(half_angle)
    pose[:, 3:7] = quat_mul(turn, pose[:, 3:7])
    asset.write_root_pose_to_sim_index(root_pose=pose, env_ids=env_ids)
    asset.write_root_velocity_to_sim_index(root_velocity=torch.zeros_like(pose[:, :6]), env_ids=env_ids)


def reset_joints(env: ManagerBasedRLEnv, env_ids: torch.Tensor, name: str) -> None:
    """Reset the joints of the articulation ``name`` to their default positions, at rest."""
    asset = cast("Articulation", env.scene[name])
    position = asset.data.default_joint_pos.torch[env_ids].clone()
    asset.write_joint_position_to_sim_index(position=position, env_ids=env_ids)
    asset.write_joint_velocity_to_sim_index(velocity=torch.zeros_like(position), env_ids=env_ids)
