# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Pieces of the scripted experts: a servo from goal poses to actions, and a machine of stages.

An expert is a demonstrator for policies that see only the present observation. Two rules follow. Commands are continuous functions
of the state: they fade out towards a goal, and intermediate waypoints are funnels (come down as the hand gets aligned) instead of
points to stop at. And a stage begins when the state calls for it (the fingers have stopped, the nut is low), not after a delay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from .geometry import rotvec_between
from .mdp import arm

if TYPE_CHECKING:
    from cohoff.isaac.env import ManipulationEnv


class StageMachine:
    """Stage of each environment, a small integer that starts at 0. All operations are on the device and in place."""

    def __init__(self, num_envs: int, device: str | torch.device):
        self.stage = torch.zeros(num_envs, dtype=torch.int8, device=device)
        """Present stages, shape [N]."""

    def reset(self, dones: torch.Tensor) -> None:
        """Put the environments in ``dones`` [N] bool back to stage 0."""
        self.stage.masked_fill_(dones, 0)

    def at(self, stage: int) -> torch.Tensor:
        """Where ``stage`` is the present one, [N] bool."""
        return self.stage == stage

    def move(self, stage: int, to: int, when: torch.Tensor) -> None:
        """Go from ``stage`` to ``to`` in the environments where ``when`` [N] bool."""
        self.stage.masked_fill_(self.at(stage) & when, to)


class PoseServo:
    """Turns goal poses of the tool centre point into actions.

    The command is proportional to the distance from the controller's target to the goal, so that it fades out at the goal and does
    not wind up against a load, and each part of it is bounded.

    Args:
        env: The environment, whose arm is a :class:`~cohoff_tasks.common.actions.DeltaPoseAction`.
        gain: Part of the remaining distance that a control step covers, in (0, 1].
        limit: Bound on the norm of the translation and of the rotation, in units of the action.
    """

    def __init__(self, env: ManipulationEnv, gain: float = 0.3, limit: float = 0.8):
        self._arm = arm(env)
        self._gain = gain
        self._limit = limit

    def __call__(self, goal_pos: torch.Tensor, goal_quat: torch.Tensor) -> torch.Tensor:
        """Actions [N, 6] towards positions [m] [N, 3] and orientations (x, y, z, w) [N, 4] in the base frame."""
        target_pos, target_quat = self._arm.target_pose
        translation = (goal_pos - target_pos) * (self._gain / self._arm.cfg.position_scale)
        rotation = rotvec_between(target_quat, goal_quat) * (self._gain / self._arm.cfg.rotation_scale)
        return torch.cat((self._bounded(translation), self._bounded(rotation)), dim=1)

    def _bounded(self, command: torch.Tensor) -> torch.Tensor:
        norm = torch.linalg.vector_norm(command, dim=1, keepdim=True)
        return command * (self._limit / norm.clamp(min=self._limit))


def funnel(error: torch.Tensor, tolerance: float, slope: float, depth: float) -> torch.Tensor:
    """Height to keep over a goal until the error is small: 0 within the tolerance, then rising with it up to ``depth``.

    Args:
        error: Misalignment, at least 0, shape [N].
        tolerance: Misalignment at which the goal may be reached.
        slope: Height per unit of misalignment.
        depth: Height of the funnel [m].
    """
    return ((error - tolerance) * slope).clamp(0.0, depth)
