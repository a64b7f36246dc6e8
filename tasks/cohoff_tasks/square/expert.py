# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Scripted expert of Square."""

from __future__ import annotations

import math

import torch

from cohoff_tasks.common.expert import Goal, Hand, StagedExpert
from cohoff_tasks.common.geometry import downward_quat, wrap, yaw_of
from cohoff_tasks.common.skills import at_height, carry, distance, funnel, insert, reach
from cohoff_tasks.common.state import object_linear_velocity, object_pose

from . import mdp
from .layout import LAYOUT

REACH, GRASP, CARRY, RELEASE, RETREAT = range(5)

GRASP_HEIGHT = 0.015
"""Height of the tool centre point over the table in a grasp [m]; the finger tips are 9 mm lower."""

CARRY_HEIGHT = LAYOUT.peg.height + LAYOUT.nut.height / 2 + 0.025
"""Height of the nut's centre on its way to the peg [m]."""

RETREAT_HEIGHT = 0.22
"""Height of the tool centre point over the table at the end [m]."""

MAX_YAW = 2.1
"""Bound on the hand's heading when it places the nut [rad]: the last joint ends a little beyond."""


class SquareExpert(StagedExpert):
    """Reaches for the handle, grasps it, carries the nut over the peg, lowers it, lets go and moves up.

    The way down to the handle and the way down the peg are funnels: the height to keep follows from how well hand and handle, or nut
    and peg, are aligned. The hand takes the nearer of the two ways to grasp the handle and the nearest of the four ways to put the nut
    on the peg that the wrist allows.
    """

    def plan(self, hand: Hand) -> dict[int, Goal]:
        """Move the stages for the present state of the environment, and return the goal of each stage."""
        nut, nut_quat = object_pose(self._env, mdp.NUT)
        peg = mdp.peg(self._env)
        nut_yaw = yaw_of(nut_quat)

        grasp_turn = wrap(nut_yaw - hand.yaw, math.pi)
        reach_goal, aligned = reach(hand.position, mdp.handle(self._env), grasp_turn, GRASP_HEIGHT)

        place_turn = _place_turn(hand.yaw, nut_yaw)
        # Straight up until the nut is off the table.
        free = ((nut[:, 2] - 0.02) / 0.04).clamp(0.0, 1.0)
        speed = torch.linalg.vector_norm(object_linear_velocity(self._env, mdp.NUT)[:, :2], dim=1)
        misplaced = distance(peg, nut) + 0.03 * place_turn.abs() + 0.05 * speed
        above = funnel(misplaced, tolerance=0.004, slope=15.0, depth=CARRY_HEIGHT - LAYOUT.seat)
        carry_goal = at_height(
            carry(hand.position, nut, peg, place_turn, free), insert(hand.position, nut, LAYOUT.seat, above)
        )

        machine = self._machine
        machine.move(REACH, GRASP, aligned)
        machine.move(GRASP, CARRY, hand.still & (hand.opening < 0.06))
        machine.move(CARRY, RELEASE, (distance(peg, nut) < 0.009) & (nut[:, 2] < LAYOUT.seat + 0.01))
        machine.move(RELEASE, RETREAT, hand.opening > 0.055)
        # An empty hand goes back for the nut.
        machine.move(CARRY, REACH, hand.opening < 0.005)

        target, _ = self._arm.target_pose
        return {
            REACH: Goal(reach_goal, downward_quat(hand.yaw + grasp_turn)),
            GRASP: Goal(close=True),
            CARRY: Goal(carry_goal, downward_quat(hand.yaw + free * place_turn), close=True),
            RELEASE: Goal(),
            RETREAT: Goal(at_height(target, RETREAT_HEIGHT)),
        }


def _place_turn(hand_yaw: torch.Tensor, nut_yaw: torch.Tensor) -> torch.Tensor:
    """Turn of the hand that brings the nut's sides parallel to the peg's, and that the wrist allows [rad], shape [N]."""
    turn = wrap(-nut_yaw, math.pi / 2)
    final = hand_yaw + turn
    return torch.where(final.abs() > MAX_YAW, turn - torch.sign(final) * math.pi / 2, turn)
