# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Observation, reward, event and termination terms shared by the tasks.

Frames: everything is in the robot's base frame, which is the environment's frame (see :mod:`.scene_cfg`). The action manager of
a task holds the terms ``arm`` (:class:`.actions.DeltaPoseAction`) and ``gripper`` (:class:`.actions.GripperAction`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import torch
from isaaclab.managers import ManagerTermBase, TerminationTermCfg

from .actions import DeltaPoseAction, GripperAction
from .geometry import quat_mul, x_axis, y_axis

if TYPE_CHECKING:
    from isaaclab.assets import Articulation, RigidObject
    from isaaclab.envs import ManagerBasedRLEnv


def arm(env: ManagerBasedRLEnv) -> DeltaPoseAction:
    """The arm's action term."""
    return cast(DeltaPoseAction, env.action_manager.get_term("arm"))


def gripper(env: ManagerBasedRLEnv) -> GripperAction:
    """The hand's action term."""
    return cast(GripperAction, env.action_manager.get_term("gripper"))


def object_pose(env: ManagerBasedRLEnv, name: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Pose of the rigid object ``name``: position [m] [N, 3] and orientation (x, y, z, w) [N, 4]."""
    pose = cast("RigidObject", env.scene[name]).data.root_link_pose_w.torch
    return pose[:, :3] - env.scene.env_origins, pose[:, 3:7]


# Observations.


def tool_position(env: ManagerBasedRLEnv, center: tuple[float, float, float]) -> torch.Tensor:
    """Position of the tool centre point relative to ``center`` [m], shape [N, 3]."""
    position, _ = arm(env).tool_pose()
    return position - torch.tensor(center, device=position.device)


def tool_axes(env: ManagerBasedRLEnv) -> torch.Tensor:
    """The hand's x and y axes, the continuous 6D representation of its orientation (Zhou et al., 2019), shape [N, 6]."""
    _, quat = arm(env).tool_pose()
    return torch.cat((x_axis(quat), y_axis(quat)), dim=1)


def tool_velocity(env: ManagerBasedRLEnv) -> torch.Tensor:
    """Linear velocity of the tool centre point [m/s], shape [N, 3]."""
    return arm(env).tool_velocity()[0]


def tool_angular_velocity(env: ManagerBasedRLEnv) -> torch.Tensor:
    """Angular velocity of the hand [rad/s], shape [N, 3]."""
    return arm(env).tool_velocity()[1]


def target_translation(env: ManagerBasedRLEnv) -> torch.Tensor:
    """How far the controller's target is ahead of the tool centre point [m], shape [N, 3]."""
    return arm(env).target_error()[0]


def target_rotation(env: ManagerBasedRLEnv) -> torch.Tensor:
    """How far the controller's target is turned ahead of the hand, a rotation vector [rad], shape [N, 3]."""
    return arm(env).target_error()[1]


def gripper_opening(env: ManagerBasedRLEnv) -> torch.Tensor:
    """Distance between the finger pads minus half of its range [m], shape [N, 1]."""
    term = gripper(env)
    return term.opening() - term.cfg.open_position


def gripper_velocity(env: ManagerBasedRLEnv) -> torch.Tensor:
    """Rate of change of the distance between the finger pads [m/s], shape [N, 1]."""
    return gripper(env).opening_velocity()


def gripper_command(env: ManagerBasedRLEnv) -> torch.Tensor:
    """Last command to the hand, 1 closed and -1 open, shape [N, 1]."""
    return gripper(env).command


def object_velocity(env: ManagerBasedRLEnv, name: str) -> torch.Tensor:
    """Linear velocity of the rigid object ``name`` [m/s], shape [N, 3]."""
    return cast("RigidObject", env.scene[name]).data.root_link_vel_w.torch[:, :3]


# Events.


def reset_robot(env: ManagerBasedRLEnv, env_ids: torch.Tensor, joint_noise: float) -> None:
    """Put the robot in its default posture, each arm joint off by up to ``joint_noise`` [rad], at rest, the hand open."""
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
    """Put the rigid object ``name`` at rest around its default pose.

    Args:
        env: The environment.
        env_ids: Environments to reset.
        name: The object.
        half_range: Half of the box that the position is drawn from, uniformly, along x and y [m].
        half_yaw: Half of the interval that the heading is drawn from, uniformly [rad].
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


# Terminations and the reward.


class Held(ManagerTermBase):
    """True where a condition has held on ``steps`` consecutive control steps.

    Parameters of the term: ``condition``, a function from the environment to [N] bool, ``steps``, and keyword arguments of the
    condition under ``condition_params``.
    """

    def __init__(self, cfg: TerminationTermCfg, env: ManagerBasedRLEnv):
        super().__init__(cfg, env)
        self._count = torch.zeros(self.num_envs, dtype=torch.int32, device=self.device)

    def reset(self, env_ids=None):
        """Start counting again in ``env_ids`` (all of them by default)."""
        self._count[slice(None) if env_ids is None else env_ids] = 0

    def __call__(self, env: ManagerBasedRLEnv, condition, steps: int, condition_params: dict) -> torch.Tensor:
        """Count this step and compare, shape [N] bool."""
        holds = condition(env, **condition_params)
        self._count.add_(1).mul_(holds)
        return self._count >= steps


def non_finite(env: ManagerBasedRLEnv, max_joint_velocity: float, max_object_speed: float) -> torch.Tensor:
    """True where the simulation of an environment has broken down, shape [N].

    That is a state of the robot or of a rigid object that is not finite, or faster than anything that can happen in the task, or joint
    targets that are not finite, as a non-finite action makes them.

    Args:
        env: The environment.
        max_joint_velocity: Bound on the joints' speed [rad/s, m/s].
        max_object_speed: Bound on the objects' linear speed, per axis [m/s].
    """
    robot = cast("Articulation", env.scene["robot"]).data
    # NaN compares false, so a bound that must hold also catches it.
    fine = (robot.joint_vel.torch.abs() < max_joint_velocity).all(dim=1)
    fine &= torch.isfinite(robot.joint_pos.torch).all(dim=1)
    fine &= torch.isfinite(arm(env).processed_actions).all(dim=1)
    for asset in env.scene.rigid_objects.values():
        fine &= (asset.data.root_link_vel_w.torch[:, :3].abs() < max_object_speed).all(dim=1)
        fine &= torch.isfinite(asset.data.root_link_vel_w.torch[:, 3:]).all(dim=1)
        fine &= torch.isfinite(asset.data.root_link_pose_w.torch).all(dim=1)
    return ~fine


def success_reward(env: ManagerBasedRLEnv) -> torch.Tensor:
    """1 where the episode ends in success, else 0, shape [N]."""
    terminations = env.termination_manager
    return (terminations.get_term("success") & ~terminations.get_term("non_finite")).float()
