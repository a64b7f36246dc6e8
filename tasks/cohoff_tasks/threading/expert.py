# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Scripted expert of Threading."""

from __future__ import annotations

import math

import torch

from cohoff_tasks.common.expert import Goal, Hand, StagedExpert
from cohoff_tasks.common.geometry import downward_quat, wrap, yaw_of
from cohoff_tasks.common.skills import at_height, carry, funnel, reach
from cohoff_tasks.common.state import object_linear_velocity, object_pose

from . import mdp

REACH, GRASP, THREAD = range(3)

GRASP_HEIGHT = 0.017
"""Height of the tool center point over the table in a grasp [m]. The fingertips are 9 mm lower."""

DEPTH = 0.03
"""Final depth of the needle's tip past the ring's plane [m]."""

STANDOFF = 0.05
"""Distance from the ring's plane at which the tip waits until the needle is aligned [m]."""


class ThreadingExpert(StagedExpert):
    """Grasps the needle by its grip block, brings it in front of the ring and pushes it through along the ring's axis.

    The hand comes down on the block, and the tip moves along the axis, as they become aligned.
    """

    def plan(self, hand: Hand) -> dict[int, Goal]:
        """Move the stages for the current state of the environment, and return the goal of each stage."""
        grip, needle_quat = object_pose(self._env, mdp.NEEDLE)
        grasp_turn = wrap(yaw_of(needle_quat) - hand.yaw, 2.0 * math.pi)
        reach_goal, aligned = reach(hand.position, grip, grasp_turn, GRASP_HEIGHT)

        machine = self._machine
        machine.move(REACH, GRASP, aligned)
        machine.move(GRASP, THREAD, hand.still & (hand.opening < 0.06))
        # An empty hand goes back for the needle.
        machine.move(THREAD, REACH, hand.opening < 0.005)

        thread_goal, thread_turn = self._thread(hand, grip, yaw_of(needle_quat))
        return {
            REACH: Goal(reach_goal, downward_quat(hand.yaw + grasp_turn)),
            GRASP: Goal(close=True),
            THREAD: Goal(thread_goal, downward_quat(hand.yaw + thread_turn), close=True),
        }

    def _thread(self, hand: Hand, grip: torch.Tensor, needle_yaw: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Goal [N, 3] that brings the tip in front of the ring and then through it, and turn of the hand [rad] [N]."""
        tip, on_axis = mdp.tip(self._env), mdp.tip_on_axis(self._env)
        axis = mdp.ring_axis(self._env)
        turn = wrap(torch.atan2(axis[:, 1], axis[:, 0]) - needle_yaw, 2.0 * math.pi)
        # Straight up until the needle is off the table.
        free = ((grip[:, 2] - 0.025) / 0.04).clamp(0.0, 1.0)

        velocity = object_linear_velocity(self._env, mdp.NEEDLE)
        sideways = velocity - (velocity * axis).sum(dim=1, keepdim=True) * axis
        misaligned = (
            torch.linalg.vector_norm(tip - on_axis, dim=1)
            + 0.05 * turn.abs()
            + 0.05 * torch.linalg.vector_norm(sideways, dim=1)
        )
        back = funnel(misaligned, tolerance=0.003, slope=15.0, depth=DEPTH + STANDOFF)
        place = mdp.aperture(self._env) + (DEPTH - back).unsqueeze(1) * axis
        goal = carry(hand.position, tip, place, turn, free)
        return at_height(goal, hand.position[:, 2] + place[:, 2] - tip[:, 2]), free * turn
