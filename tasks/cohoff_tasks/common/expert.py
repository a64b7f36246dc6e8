# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Base of the scripted experts: a state machine of stages, a goal of the hand for each stage, and a servo.

The demonstrations train policies that see only the current observation, so an expert follows two rules:

- Commands are continuous functions of the state. They decrease toward a goal, and the hand does not stop at waypoints:
  it comes down as it becomes aligned.
- A stage begins when the state calls for it (the fingers have stopped, the nut is low), not after a delay.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from .geometry import rotvec_between, yaw_of
from .state import arm, gripper

if TYPE_CHECKING:
    from cohoff.isaac.env import ManipulationEnv


class StageMachine:
    """Stage of each environment, an integer that starts at 0. All operations are in place on the device."""

    def __init__(self, num_envs: int, device: str | torch.device):
        self.stage = torch.zeros(num_envs, dtype=torch.int8, device=device)
        """Current stages, shape [N]."""

    def reset(self, dones: torch.Tensor) -> None:
        """Return to stage 0 where ``dones`` [N] bool."""
        self.stage.masked_fill_(dones, 0)

    def at(self, stage: int) -> torch.Tensor:
        """Where ``stage`` is the current one, [N] bool."""
        return self.stage == stage

    def move(self, stage: int, to: int, when: torch.Tensor) -> None:
        """Move from ``stage`` to ``to`` where ``when`` [N] bool."""
        self.stage.masked_fill_(self.at(stage) & when, to)


class PoseServo:
    """Proportional controller from goal poses of the tool center point to actions.

    The error is measured from the controller's target, not from the tool, so that the command does not wind up under
    load. Translation and rotation are bounded.

    Args:
        env: The environment, whose arm is a :class:`~cohoff_tasks.common.actions.DeltaPoseAction`.
        gain: Fraction of the remaining distance covered in a control step, in (0, 1].
        limit: Bound on the norm of the rotation, in action units.
    """

    def __init__(self, env: ManipulationEnv, gain: float = 0.3, limit: float = 0.8):
        self._arm = arm(env)
        self._gain = gain
        self._limit = limit

    def __call__(self, goal_pos: torch.Tensor, goal_quat: torch.Tensor, limit: torch.Tensor) -> torch.Tensor:
        """Actions [N, 6] toward positions [m] [N, 3] and orientations (x, y, z, w) [N, 4] in the base frame.

        ``limit`` [N, 1] bounds the norm of the translation, in action units.
        """
        target_pos, target_quat = self._arm.target_pose
        translation = (goal_pos - target_pos) * (self._gain / self._arm.cfg.position_scale)
        rotation = rotvec_between(target_quat, goal_quat) * (self._gain / self._arm.cfg.rotation_scale)
        return torch.cat((_bounded(translation, limit), _bounded(rotation, self._limit)), dim=1)


def _bounded(command: torch.Tensor, limit: torch.Tensor | float) -> torch.Tensor:
    norm = torch.linalg.vector_norm(command, dim=1, keepdim=True)
    return command * (limit / torch.maximum(norm, torch.as_tensor(limit, device=norm.device)))


@dataclass
class Hand:
    """Measured state of the hand."""

    position: torch.Tensor
    """Tool center point in the base frame [m], shape [N, 3]."""
    yaw: torch.Tensor
    """Heading of the hand's x axis [rad], shape [N]."""
    opening: torch.Tensor
    """Distance between the finger pads [m], shape [N]."""
    still: torch.Tensor
    """True where the fingers have stopped, shape [N]."""


@dataclass
class Goal:
    """What the hand does in a stage. None keeps the controller's target."""

    position: torch.Tensor | None = None
    """Position of the tool center point in the base frame [m], shape [N, 3]."""
    quat: torch.Tensor | None = None
    """Orientation of the hand in the base frame, (x, y, z, w), shape [N, 4]."""
    close: bool = False
    """Whether the gripper closes or stays closed; otherwise it opens."""
    limit: float = 0.8
    """Bound on the norm of the translation, in action units."""


class StagedExpert(ABC):
    """Base class of the scripted experts. A subclass moves the stages and gives each a goal."""

    def __init__(self, env: ManipulationEnv):
        self._env = env
        self._arm = arm(env)
        self._gripper = gripper(env)
        self._servo = PoseServo(env)
        self._machine = StageMachine(env.num_envs, env.device)

    @property
    def stage(self) -> torch.Tensor:
        """Current stage of each environment, shape [N]."""
        return self._machine.stage

    def reset(self, dones: torch.Tensor) -> None:
        """Return to the first stage where ``dones`` [N] bool."""
        self._machine.reset(dones)

    @abstractmethod
    def plan(self, hand: Hand) -> dict[int, Goal]:
        """Move the stages for the current state of the environment, and return the goal of each stage."""

    def __call__(self, obs) -> torch.Tensor:
        """Actions [N, 7] for the current state of the environment. ``obs`` is not used."""
        position, quat = self._arm.tool_pose()
        hand = Hand(
            position=position,
            yaw=yaw_of(quat),
            opening=self._gripper.opening().squeeze(1),
            still=self._gripper.opening_velocity().squeeze(1).abs() < 0.01,
        )
        goals = self.plan(hand)
        goal_pos, goal_quat = self._arm.target_pose
        close = torch.zeros_like(hand.still)
        limit = torch.full_like(hand.yaw, Goal.limit)
        for stage, goal in goals.items():
            here = self._machine.at(stage)
            if goal.position is not None:
                goal_pos = torch.where(here.unsqueeze(1), goal.position, goal_pos)
            if goal.quat is not None:
                goal_quat = torch.where(here.unsqueeze(1), goal.quat, goal_quat)
            close = close | (here & goal.close)
            limit = torch.where(here, goal.limit, limit)
        fingers = torch.where(close, 0.8, -0.8).unsqueeze(1)
        return torch.cat((self._servo(goal_pos, goal_quat, limit.unsqueeze(1)), fingers), dim=1)
