# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Scripted expert of the tasks in which nuts go over pegs."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from .expert import Goal, Hand, StagedExpert
from .geometry import downward_quat, wrap, yaw_of
from .skills import at_height, carry, distance, funnel, insert, reach, rise_first
from .state import Point, object_linear_velocity, object_pose

REACH, GRASP, CARRY, RELEASE = range(4)
"""Stages of one nut."""

GRASP_HEIGHT = 0.015
"""Height of the tool centre point over the table in a grasp [m]; the finger tips are 9 mm lower."""

RETREAT_HEIGHT = 0.22
"""Height of the tool centre point over the table at the end [m]."""

MAX_YAW = 2.1
"""Bound on the hand's heading [rad]: the last joint ends a little beyond."""


@dataclass(frozen=True)
class NutJob:
    """One nut and the peg that it goes over."""

    name: str
    """The nut's name in the scene."""
    handle: Point
    """Middle of the nut's handle."""
    peg: Point
    """Foot of the peg."""
    seat: float
    """Height of the nut's centre when it lies on the peg's plate [m]."""
    carry_height: float
    """Height of the nut's centre on its way to the peg [m]."""
    symmetry: float | None
    """Angle between headings in which the nut fits over the peg [rad]; None if it fits in all of them."""


class NutExpert(StagedExpert):
    """For one nut after the other, reaches for the handle, grasps it, carries the nut over its peg, lowers it and lets go; then moves up.

    The way down to the handle and the way down the peg are funnels: the height to keep follows from how well hand and handle, or nut
    and peg, are aligned. The hand takes the nearer of the two ways to grasp the handle and the nearest of the ways to put the nut on
    the peg, as far as the wrist allows.
    """

    jobs: tuple[NutJob, ...]
    """The nuts, in the order in which they are placed."""

    approach_height: float = 0.10
    """How far above the grasp the hand comes to a handle [m]."""

    clear_height: float = 0.0
    """Height of a nut's centre at which it is clear of the pegs [m]; 0 where none is near to where a nut starts."""

    def plan(self, hand: Hand) -> dict[int, Goal]:
        """Move the stages for the present state of the environment, and return the goal of each stage."""
        goals = {}
        for index, job in enumerate(self.jobs):
            goals |= self._place(hand, job, 4 * index)
        target, _ = self._arm.target_pose
        goals[4 * len(self.jobs)] = Goal(at_height(target, RETREAT_HEIGHT))
        return goals

    def _place(self, hand: Hand, job: NutJob, first: int) -> dict[int, Goal]:
        """Move the stages of one nut, which start at ``first``, and return their goals."""
        nut, nut_quat = object_pose(self._env, job.name)
        peg = job.peg(self._env)
        nut_yaw = yaw_of(nut_quat)

        grasp_turn = _allowed(hand.yaw, wrap(nut_yaw - hand.yaw, math.pi), math.pi)
        reach_goal, aligned = reach(
            hand.position, job.handle(self._env), grasp_turn, GRASP_HEIGHT, depth=self.approach_height
        )

        if job.symmetry is None:
            place_turn = torch.zeros_like(nut_yaw)
        else:
            place_turn = _allowed(hand.yaw, wrap(-nut_yaw, job.symmetry), job.symmetry)
        # Straight up until the nut is off the table, and up to the clear height unless it is over its peg.
        free = ((nut[:, 2] - 0.02) / 0.04).clamp(0.0, 1.0)
        low = ((self.clear_height - nut[:, 2]) / 0.04).clamp(0.0, 1.0)
        free *= 1.0 - low * (distance(peg, nut) / 0.01 - 1.0).clamp(0.0, 1.0)
        speed = torch.linalg.vector_norm(object_linear_velocity(self._env, job.name)[:, :2], dim=1)
        misplaced = distance(peg, nut) + 0.03 * place_turn.abs() + 0.05 * speed
        above = funnel(misplaced, tolerance=0.004, slope=15.0, depth=job.carry_height - job.seat)
        carry_goal = at_height(
            carry(hand.position, nut, peg, place_turn, free), insert(hand.position, nut, job.seat, above)
        )

        machine = self._machine
        machine.move(first + REACH, first + GRASP, aligned)
        machine.move(first + GRASP, first + CARRY, hand.still & (hand.opening < 0.06))
        machine.move(first + CARRY, first + RELEASE, (distance(peg, nut) < 0.009) & (nut[:, 2] < job.seat + 0.01))
        machine.move(first + RELEASE, first + RELEASE + 1, hand.opening > 0.055)
        # An empty hand goes back for the nut.
        machine.move(first + CARRY, first + REACH, hand.opening < 0.005)

        return {
            first + REACH: Goal(rise_first(hand.position, reach_goal), downward_quat(hand.yaw + grasp_turn)),
            first + GRASP: Goal(close=True),
            first + CARRY: Goal(carry_goal, downward_quat(hand.yaw + free * place_turn), close=True),
            first + RELEASE: Goal(),
        }


def _allowed(hand_yaw: torch.Tensor, turn: torch.Tensor, symmetry: float) -> torch.Tensor:
    """``turn`` [rad], shape [N], or the next one by ``symmetry`` [rad] if the wrist does not allow it."""
    final = hand_yaw + turn
    return torch.where(final.abs() > MAX_YAW, turn - torch.sign(final) * symmetry, turn)
