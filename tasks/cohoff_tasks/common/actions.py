# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Action terms of the arm and the gripper."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import torch
from isaaclab.assets import Articulation
from isaaclab.managers import ActionTerm
from isaaclab.utils.math import quat_apply

from .geometry import quat_from_rotvec, quat_mul, rotvec_between

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedEnv

    from .actions_cfg import DeltaPoseActionCfg, GripperActionCfg


class DeltaPoseAction(ActionTerm):
    """Moves a target pose of the tool center point by small steps and tracks it with the arm.

    The action has shape [N, 6] and is clamped to [-1, 1]: a translation times ``position_scale`` and a rotation vector
    times ``rotation_scale``, both in the robot's base frame. It moves the target pose, not the measured pose, so that a
    constant load does not make the tool drift. The target stays within a bounded distance of the tool. Once per control
    step, damped least squares with the measured Jacobian gives the joint targets that the drives hold until the next
    step.
    """

    cfg: DeltaPoseActionCfg
    _asset: Articulation

    def __init__(self, cfg: DeltaPoseActionCfg, env: ManagerBasedEnv):
        super().__init__(cfg, env)
        self._joint_ids = cast("list[int]", self._asset.find_joints(cfg.joint_names)[0])
        self._hand = self._asset.find_bodies(cfg.body_name)[0][0]
        # The Jacobian of a fixed-base robot has no row for the base.
        self._jacobian_row = self._hand - 1 if self._asset.is_fixed_base else self._hand
        self._joints = slice(self._joint_ids[0], self._joint_ids[-1] + 1)

        n = self.num_envs
        self._offset = torch.tensor(cfg.tool_offset, device=self.device).repeat(n, 1)
        self._scale = torch.tensor([cfg.position_scale] * 3 + [cfg.rotation_scale] * 3, device=self.device)
        self._damping = torch.eye(6, device=self.device) * cfg.damping**2
        self._action = torch.zeros(n, 6, device=self.device)
        self._jacobian = torch.zeros(n, 6, len(self._joint_ids), device=self.device)
        self._joint_target = torch.zeros(n, len(self._joint_ids), device=self.device)
        self._target_pos = torch.zeros(n, 3, device=self.device)
        self._target_quat = torch.zeros(n, 4, device=self.device)
        self.reset()

    @property
    def action_dim(self) -> int:
        """Size of the action."""
        return 6

    @property
    def raw_actions(self) -> torch.Tensor:
        """The last action, clamped to [-1, 1], shape [N, 6]."""
        return self._action

    @property
    def processed_actions(self) -> torch.Tensor:
        """Joint targets [rad], shape [N, J]."""
        return self._joint_target

    @property
    def target_pose(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Target pose of the tool center point, base frame: position [m] [N, 3], orientation (x, y, z, w) [N, 4]."""
        return self._target_pos, self._target_quat

    def tool_pose(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Measured pose of the tool center point, base frame: position [m] [N, 3], orientation (x, y, z, w) [N, 4]."""
        pose = self._asset.data.body_link_pose_w.torch[:, self._hand]
        quat = pose[:, 3:7]
        return pose[:, :3] + quat_apply(quat, self._offset) - self._env.scene.env_origins, quat

    def joint_positions(self) -> torch.Tensor:
        """Measured positions of the joints [rad], shape [N, J]."""
        return self._asset.data.joint_pos.torch[:, self._joints]

    def tool_velocity(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Measured velocity of the tool center point, base frame: linear [m/s] [N, 3], angular [rad/s] [N, 3]."""
        velocity = self._asset.data.body_link_vel_w.torch[:, self._hand]
        linear, angular = velocity[:, :3], velocity[:, 3:]
        return linear + torch.linalg.cross(angular, self._arm_vector()), angular

    def target_error(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Target relative to measured pose, base frame: translation [m] [N, 3], rotation vector [rad] [N, 3]."""
        position, quat = self.tool_pose()
        return self._target_pos - position, rotvec_between(quat, self._target_quat)

    def process_actions(self, actions: torch.Tensor):
        """Move the target by ``actions`` [N, 6] and set the joint targets of this control step."""
        torch.clamp(actions, -1.0, 1.0, out=self._action)
        step = self._action * self._scale
        position, quat = self.tool_pose()

        limit = self.cfg.max_position_error
        error_pos = (self._target_pos + step[:, :3] - position).clamp_(-limit, limit)
        torch.add(position, error_pos, out=self._target_pos)

        error_rot = rotvec_between(quat, quat_mul(quat_from_rotvec(step[:, 3:]), self._target_quat))
        angle = torch.linalg.vector_norm(error_rot, dim=1, keepdim=True)
        error_rot *= (self.cfg.max_rotation_error / angle.clamp(min=1e-9)).clamp(max=1.0)
        self._target_quat.copy_(quat_mul(quat_from_rotvec(error_rot), quat))

        self._solve(torch.cat((error_pos, error_rot), dim=1))

    def apply_actions(self):
        """Do nothing: the drives hold the joint targets of the control step."""

    def reset(self, env_ids: Sequence[int] | torch.Tensor | slice | None = None):
        """Set the target to the measured pose in ``env_ids`` (all environments by default)."""
        ids = slice(None) if env_ids is None else env_ids
        position, quat = self.tool_pose()
        self._target_pos[ids] = position[ids]
        self._target_quat[ids] = quat[ids]
        self._action[ids] = 0.0

    def _arm_vector(self) -> torch.Tensor:
        """Vector from the link's origin to the tool center point, base frame [m], shape [N, 3]."""
        return quat_apply(self._asset.data.body_link_pose_w.torch[:, self._hand, 3:7], self._offset)

    def _solve(self, error: torch.Tensor):
        """Set joint targets that reduce the pose error [N, 6], base frame [m] and [rad]."""
        link_jacobian = self._asset.data.body_link_jacobian_w.torch[:, self._jacobian_row, :, self._joints]
        jacobian = self._jacobian
        jacobian.copy_(link_jacobian)
        # The tool center point moves with the link and around its origin.
        arm = self._arm_vector().unsqueeze(-1).expand(-1, -1, jacobian.shape[-1])
        jacobian[:, :3] += torch.linalg.cross(link_jacobian[:, 3:], arm, dim=1)

        transposed = jacobian.transpose(1, 2)
        gram = torch.baddbmm(self._damping.expand(jacobian.shape[0], 6, 6), jacobian, transposed)
        # cholesky_ex does not wait for the device; the termination term ``non_finite`` catches a failed factorization.
        factor, _ = torch.linalg.cholesky_ex(gram)
        step = transposed @ torch.cholesky_solve(error.unsqueeze(-1), factor)

        data = self._asset.data
        limits = data.soft_joint_pos_limits.torch[:, self._joints]
        torch.add(data.joint_pos.torch[:, self._joints], step.squeeze(-1), out=self._joint_target)
        torch.clamp(self._joint_target, limits[..., 0], limits[..., 1], out=self._joint_target)
        self._asset.actuators.target_command.set_position_index(value=self._joint_target, joint_ids=self._joint_ids)


class GripperAction(ActionTerm):
    """Opens the fingers where the action [N, 1] is at most 0, and closes them where it is above 0."""

    cfg: GripperActionCfg
    _asset: Articulation

    def __init__(self, cfg: GripperActionCfg, env: ManagerBasedEnv):
        super().__init__(cfg, env)
        self._joint_ids = cast("list[int]", self._asset.find_joints(cfg.joint_names)[0])
        self._joints = slice(self._joint_ids[0], self._joint_ids[-1] + 1)
        self._action = torch.zeros(self.num_envs, 1, device=self.device)
        self._target = torch.full((self.num_envs, len(self._joint_ids)), cfg.open_position, device=self.device)
        self._command = torch.full((self.num_envs, 1), -1.0, device=self.device)

    @property
    def action_dim(self) -> int:
        """Size of the action."""
        return 1

    @property
    def raw_actions(self) -> torch.Tensor:
        """The last action, clamped to [-1, 1], shape [N, 1]."""
        return self._action

    @property
    def processed_actions(self) -> torch.Tensor:
        """Finger joint targets [m], shape [N, F]."""
        return self._target

    @property
    def command(self) -> torch.Tensor:
        """The last command, 1 to close and -1 to open, shape [N, 1]. An episode starts with -1."""
        return self._command

    def opening(self) -> torch.Tensor:
        """Distance between the finger pads [m], shape [N, 1]."""
        return self._asset.data.joint_pos.torch[:, self._joints].sum(dim=1, keepdim=True)

    def opening_velocity(self) -> torch.Tensor:
        """Rate of change of the opening [m/s], shape [N, 1]."""
        return self._asset.data.joint_vel.torch[:, self._joints].sum(dim=1, keepdim=True)

    def process_actions(self, actions: torch.Tensor):
        """Set the finger targets of this control step from ``actions`` [N, 1]."""
        torch.clamp(actions, -1.0, 1.0, out=self._action)
        close = (self._action > 0.0).float()
        self._command.copy_(close).mul_(2.0).sub_(1.0)
        goal = (1.0 - close) * self.cfg.open_position
        fingers = self._asset.data.joint_pos.torch[:, self._joints]
        torch.clamp(goal, fingers - self.cfg.max_error, fingers + self.cfg.max_error, out=self._target)
        self._asset.actuators.target_command.set_position_index(value=self._target, joint_ids=self._joint_ids)

    def apply_actions(self):
        """Do nothing: the drives hold the finger targets of the control step."""

    def reset(self, env_ids: Sequence[int] | torch.Tensor | slice | None = None):
        """Clear the last command in ``env_ids`` (all environments by default)."""
        ids = slice(None) if env_ids is None else env_ids
        self._action[ids] = 0.0
        self._command[ids] = -1.0
