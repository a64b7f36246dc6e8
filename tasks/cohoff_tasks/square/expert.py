# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Scripted expert of Square."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from cohoff_tasks.common.expert import PoseServo, StageMachine, funnel
from cohoff_tasks.common.geometry import downward_quat, wrap, yaw_of
from cohoff_tasks.common.mdp import arm, gripper, object_pose, object_velocity

from .env_cfg import NUT, NUT_SEAT, PEG, PEG_POSITION
from .mdp import NUT as NUT_NAME
from .mdp import grasp_point

if TYPE_CHECKING:
    from cohoff.isaac.env import ManipulationEnv

REACH, GRASP, CARRY, RELEASE, RETREAT = range(5)

GRASP_HEIGHT = 0.015
"""Height of the tool centre point over the table in a grasp [m]; the finger tips are 9 mm lower."""

CARRY_HEIGHT = PEG.height + NUT.height / 2 + 0.025
"""Height of the nut's centre on its way to the peg [m]."""

RETREAT_HEIGHT = 0.22
"""Height of the tool centre point over the table at the end [m]."""

MAX_YAW = 2.1
"""Bound on the hand's heading when it places the nut [rad]: the last joint ends a little beyond."""


class SquareExpert:
    """Reaches for the handle, grasps it, carries the nut over the peg, lowers it, lets go and moves up.

    The way down to the handle and the way down the peg are funnels: the height to keep follows from how well hand and handle, or nut
    and peg, are aligned. The hand takes the nearer of the two ways to grasp the handle and the nearest of the four ways to put the nut
    on the peg that the wrist allows.
    """

    def __init__(self, env: ManipulationEnv):
        self._env = env
        self._arm = arm(env)
        self._gripper = gripper(env)
        self._servo = PoseServo(env)
        self._machine = StageMachine(env.num_envs, env.device)
        self._peg = torch.tensor(PEG_POSITION, device=env.device)

    @property
    def stage(self) -> torch.Tensor:
        """Present stage of each environment, shape [N]."""
        return self._machine.stage

    def reset(self, dones: torch.Tensor) -> None:
        """Start again in the environments in ``dones`` [N] bool."""
        self._machine.reset(dones)

    def __call__(self, obs) -> torch.Tensor:
        """Actions [N, 7] for the present state of the environment; ``obs`` is not used."""
        tool, hand_quat = self._arm.tool_pose()
        nut, nut_quat = object_pose(self._env, NUT_NAME)
        handle = grasp_point(self._env, NUT.grasp_offset)
        hand_yaw, nut_yaw = yaw_of(hand_quat), yaw_of(nut_quat)
        opening = self._gripper.opening().squeeze(1)
        still = self._gripper.opening_velocity().squeeze(1).abs() < 0.01

        grasp_turn = wrap(nut_yaw - hand_yaw, math.pi)
        grasp_offset = torch.linalg.vector_norm((handle - tool)[:, :2], dim=1)
        grasp_height = (tool[:, 2] - GRASP_HEIGHT).abs()
        place_turn = self._place_turn(hand_yaw, nut_yaw)
        place_offset = torch.linalg.vector_norm((self._peg - nut)[:, :2], dim=1)

        machine = self._machine
        aligned = (grasp_offset < 0.006) & (grasp_height < 0.005) & (grasp_turn.abs() < 0.1)
        machine.move(REACH, GRASP, aligned)
        machine.move(GRASP, CARRY, still & (opening < 0.06))
        machine.move(CARRY, RELEASE, (place_offset < 0.009) & (nut[:, 2] < NUT_SEAT + 0.01))
        machine.move(RELEASE, RETREAT, opening > 0.055)
        # An empty hand goes back for the nut.
        machine.move(CARRY, REACH, opening < 0.005)

        reach, carry, retreat = machine.at(REACH), machine.at(CARRY), machine.at(RETREAT)
        goal, goal_quat = (value.clone() for value in self._arm.target_pose)

        down = funnel(grasp_offset + 0.05 * grasp_turn.abs(), tolerance=0.006, slope=3.0, depth=0.10)
        reach_goal = torch.cat((handle[:, :2], (GRASP_HEIGHT + down).unsqueeze(1)), dim=1)
        goal = torch.where(reach.unsqueeze(1), reach_goal, goal)

        carry_goal, carry_turn = self._carry_goal(tool, nut, place_turn, place_offset)
        goal = torch.where(carry.unsqueeze(1), carry_goal, goal)
        goal[:, 2] = torch.where(retreat, RETREAT_HEIGHT, goal[:, 2])

        yaw = hand_yaw + torch.where(reach, grasp_turn, carry_turn)
        goal_quat = torch.where((reach | carry).unsqueeze(1), downward_quat(yaw), goal_quat)

        close = machine.at(GRASP) | carry
        hand = torch.where(close, 0.8, -0.8).unsqueeze(1)
        return torch.cat((self._servo(goal, goal_quat), hand), dim=1)

    def _place_turn(self, hand_yaw: torch.Tensor, nut_yaw: torch.Tensor) -> torch.Tensor:
        """Turn of the hand that brings the nut's sides parallel to the peg's [rad], shape [N]."""
        turn = wrap(-nut_yaw, math.pi / 2)
        final = hand_yaw + turn
        return torch.where(final.abs() > MAX_YAW, turn - torch.sign(final) * math.pi / 2, turn)

    def _carry_goal(self, tool, nut, place_turn, place_offset) -> tuple[torch.Tensor, torch.Tensor]:
        """Tool position [m] [N, 3] and turn of the hand [rad] [N] that bring the held nut over the peg and then down."""
        # Turning the hand swings the nut around it; aim with the nut where the turn will have put it.
        lever = (nut - tool)[:, :2]
        cos, sin = torch.cos(place_turn), torch.sin(place_turn)
        swung = torch.stack((cos * lever[:, 0] - sin * lever[:, 1], sin * lever[:, 0] + cos * lever[:, 1]), dim=1)
        # Straight up until the nut is off the table.
        free = ((nut[:, 2] - 0.02) / 0.04).clamp(0.0, 1.0)
        horizontal = tool[:, :2] + free.unsqueeze(1) * (self._peg[:2] - swung - tool[:, :2])

        speed = torch.linalg.vector_norm(object_velocity(self._env, NUT_NAME)[:, :2], dim=1)
        misplaced = place_offset + 0.03 * place_turn.abs() + 0.05 * speed
        up = funnel(misplaced, tolerance=0.004, slope=15.0, depth=CARRY_HEIGHT - NUT_SEAT)
        # Down slowly, so that the nut can still be aligned on its way.
        height = tool[:, 2] + (NUT_SEAT + up - nut[:, 2]).clamp(min=-0.02)
        return torch.cat((horizontal, height.unsqueeze(1)), dim=1), free * place_turn
