# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Scripted expert of the tasks that place nuts on pegs."""

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
"""Height of the tool center point over the table in a grasp [m]. The fingertips are 9 mm lower."""

RETREAT_HEIGHT = 0.22
"""Height of the tool center point over the table at the end [m]."""

MAX_YAW = 2.1
"""Bound on the hand's heading [rad], just within the limit of the last joint."""


@dataclass(frozen=True)
class NutJob:
    """One nut and its peg."""

    name: str
    """Name of the nut in the scene."""
    handle: Point
    """Middle of the nut's handle."""
    peg: Point
    """Base of the peg."""
    seat: float
    """Height of the nut's center when the nut lies on the peg's plate [m]."""
    carry_height: float
    """Height of the nut's center on its way to the peg [m]."""
    symmetry: float | None
    """Angle between the headings in which the nut fits on the peg [rad]. None if it fits in any heading."""


class NutExpert(StagedExpert):
    """Grasps each nut by its handle, carries it over its peg, lowers it and releases it. At the end the hand moves up.

    The hand comes down on the handle, and the nut on the peg, as they become aligned. Of the headings in which the hand
    can grasp the handle, or the nut fits on the peg, the expert takes the nearest one that the wrist can reach.
    """

    jobs: tuple[NutJob, ...]
    """The nuts, in the order in which they are placed."""

    approach_height: float = 0.10
    """Height over the grasp from which the hand comes down [m]."""

    clear_height: float = 0.0
    """Height at which a nut's center is clear of the pegs [m]. 0 if the pegs are far from where the nuts start."""

    def plan(self, hand: Hand) -> dict[int, Goal]:
        """Move the stages for the current state of the environment, and return the goal of each stage."""
        goals = {}
        for index, job in enumerate(self.jobs):
            goals |= self._place(hand, job, 4 * index)
        target, _ = self._arm.target_pose
        goals[4 * len(self.jobs)] = Goal(at_height(target, RETREAT_HEIGHT))
        return goals

    def _place(self, hand: Hand, job: NutJob, first: int) -> dict[int, Goal]:
        """Move the stages of one nut, the first of which is ``first``, and return their goals."""
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
        # Straight up until the nut is off the table, and on to the clear height unless it is over its peg.
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
    """``turn`` [rad], shape [N], or the equivalent turn ``symmetry`` [rad] away if the wrist cannot reach it."""
    final = hand_yaw + turn
    return torch.where(final.abs() > MAX_YAW, turn - torch.sign(final) * symmetry, turn)
