# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Termination terms and the sparse reward."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from isaaclab.managers import ManagerTermBase, TerminationTermCfg

from .state import arm

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedRLEnv


class Held(ManagerTermBase):
    """True where a condition has held for ``steps`` consecutive control steps.

    The parameters of the term are ``condition``, a function from the environment to [N] bool, ``steps``, and
    ``condition_params``, the keyword arguments of the condition.
    """

    def __init__(self, cfg: TerminationTermCfg, env: ManagerBasedRLEnv):
        super().__init__(cfg, env)
        self._count = torch.zeros(self.num_envs, dtype=torch.int32, device=self.device)

    def reset(self, env_ids=None):
        """Restart the count in ``env_ids`` (all environments by default)."""
        self._count[slice(None) if env_ids is None else env_ids] = 0

    def __call__(self, env: ManagerBasedRLEnv, condition, steps: int, condition_params: dict) -> torch.Tensor:
        """Count this step. True where the count has reached ``steps``, shape [N]."""
        holds = condition(env, **condition_params)
        self._count.add_(1).mul_(holds)
        return self._count >= steps


def non_finite(env: ManagerBasedRLEnv, max_joint_velocity: float, max_object_speed: float) -> torch.Tensor:
    """True where the simulation of an environment has diverged, shape [N].

    It has diverged if the state of an articulation or a rigid object is not finite or is faster than anything in the
    task, or if the joint targets are not finite, which a non-finite action causes.

    Args:
        env: The environment.
        max_joint_velocity: Bound on the joints' speed [rad/s, m/s].
        max_object_speed: Bound on the objects' linear speed, per axis [m/s].
    """
    fine = torch.isfinite(arm(env).processed_actions).all(dim=1)
    # NaN compares false, so a bound that must hold also catches it.
    for articulation in env.scene.articulations.values():
        fine &= (articulation.data.joint_vel.torch.abs() < max_joint_velocity).all(dim=1)
        fine &= torch.isfinite(articulation.data.joint_pos.torch).all(dim=1)
    for asset in env.scene.rigid_objects.values():
        fine &= (asset.data.root_link_vel_w.torch[:, :3].abs() < max_object_speed).all(dim=1)
        fine &= torch.isfinite(asset.data.root_link_vel_w.torch[:, 3:]).all(dim=1)
        fine &= torch.isfinite(asset.data.root_link_pose_w.torch).all(dim=1)
    return ~fine


def success_reward(env: ManagerBasedRLEnv) -> torch.Tensor:
    """1 where the episode ends in success, else 0, shape [N]."""
    terminations = env.termination_manager
    return (terminations.get_term("success") & ~terminations.get_term("non_finite")).float()
