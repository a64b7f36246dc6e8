# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Scripted expert of Coffee."""

from __future__ import annotations

import math

import torch

from cohoff_tasks.common.expert import Goal, Hand, StagedExpert
from cohoff_tasks.common.geometry import downward_quat, wrap
from cohoff_tasks.common.skills import along_arc, at_height, carry, distance, funnel, go_around, insert, reach
from cohoff_tasks.common.state import joint_position, object_linear_velocity

from . import mdp
from .layout import LAYOUT

REACH, GRASP, CARRY, RELEASE, GO_AROUND, PUSH = range(6)

GRASP_HEIGHT = LAYOUT.pod.height / 2 + mdp.GRIP
"""Height of the tool center point over the table in a grasp [m]."""

CLEARANCE = LAYOUT.machine.holder_depth + 0.02
"""Height over its seat at which the pod is carried [m]."""

OVER_LID = LAYOUT.machine.hinge[2] + LAYOUT.machine.lid_size[0] + 0.03
"""Height of the tool center point at which the fingers clear the open lid [m]."""

LEAD = 0.3
"""Angle from the lid to the goal of the hand that pushes it [rad]."""


class CoffeeExpert(StagedExpert):
    """Grasps the pod, puts it into the holder, reaches behind the lid and pushes it shut.

    The pod is round, so the hand can turn on the way until it fits between the holder and the open lid.
    """

    def plan(self, hand: Hand) -> dict[int, Goal]:
        """Move the stages for the current state of the environment, and return the goal of each stage."""
        env = self._env
        pod, seat, lid = mdp.pod(env), mdp.seat(env), mdp.lid(env)
        turn = wrap(LAYOUT.machine_heading - hand.yaw, math.pi)
        reach_goal, aligned = reach(hand.position, mdp.grip(env), turn, GRASP_HEIGHT)

        # Straight up until the pod is off the table.
        free = ((pod[:, 2] - 0.025) / 0.06).clamp(0.0, 1.0)
        speed = torch.linalg.vector_norm(object_linear_velocity(env, mdp.POD)[:, :2], dim=1)
        misplaced = distance(seat, pod) + 0.02 * turn.abs() + 0.02 * speed
        above = funnel(misplaced, tolerance=0.002, slope=8.0, depth=CLEARANCE)
        carry_goal = at_height(
            carry(hand.position, pod, seat, turn, free), insert(hand.position, pod, LAYOUT.seat[2], above)
        )
        seated = (distance(seat, pod) < 0.004) & (pod[:, 2] < LAYOUT.seat[2] + 0.003)

        around_goal, behind = go_around(hand.position, mdp.behind_lid(env), OVER_LID, tolerance=0.008)
        angle = joint_position(env, mdp.MACHINE)
        push_goal = along_arc(lid, mdp.hinge(env), mdp.hinge_axis(env), -angle.clamp(0.0, LEAD))

        machine = self._machine
        machine.move(REACH, GRASP, aligned)
        machine.move(GRASP, CARRY, hand.still & (hand.opening < 0.06))
        machine.move(CARRY, RELEASE, seated)
        machine.move(RELEASE, GO_AROUND, hand.opening > 0.055)
        machine.move(GO_AROUND, PUSH, behind)
        # An empty hand goes back for the pod.
        machine.move(CARRY, REACH, hand.opening < 0.005)

        quat = downward_quat(hand.yaw + turn)
        return {
            REACH: Goal(reach_goal, quat),
            GRASP: Goal(close=True),
            CARRY: Goal(carry_goal, quat, close=True),
            RELEASE: Goal(),
            GO_AROUND: Goal(around_goal, quat),
            PUSH: Goal(push_goal, quat),
        }
