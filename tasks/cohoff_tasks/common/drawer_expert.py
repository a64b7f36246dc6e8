# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Scripted expert of the cleanup tasks, which put an object into a drawer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from . import drawer
from .expert import Goal, Hand, StagedExpert
from .geometry import downward_quat, wrap, yaw_of
from .skills import at_height, carry, distance, funnel, go_around, insert, reach, rise_first, risen
from .state import Point, object_pose

HOOK, PULL, REACH, GRASP, CARRY, RELEASE, RETURN, PUSH = range(8)

OPENED = 0.17
"""How far the expert opens the drawer [m]."""

HOOK_HEIGHT = drawer.MODEL.hook[2] + 0.004
"""Height of the tool center point behind the handle [m], at which the hand clears the cabinet."""

TRAVEL_HEIGHT = drawer.MODEL.height + 0.045
"""Height of the tool center point on its way to the handle or the object [m]. Open fingers clear the drawer's front."""

CARRY_HEIGHT = drawer.MODEL.height + 0.015
"""Height of the object's underside on its way to the drawer [m]."""


@dataclass(frozen=True)
class Handling:
    """How the object of a task is grasped and placed."""

    name: str
    """Name of the rigid object in the scene."""
    grip: Point
    """Where it is grasped, on two sides that are parallel to its x axis."""
    middle: Point
    """Point on its underside that goes to the middle of the drawer's floor."""
    grasp_height: float
    """Height of the tool center point when it grasps the object on the table [m]."""
    width: float
    """Distance between the grasped sides [m]."""


class DrawerExpert(StagedExpert):
    """Opens the drawer, grasps the object, puts it into the drawer, releases it and closes the drawer.

    The open fingers go into the gap behind the drawer's handle. There the hand pulls on the bar to open the drawer and
    pushes on the front to close it.
    """

    handling: ClassVar[Handling]
    """How the task's object is handled."""

    def plan(self, hand: Hand) -> dict[int, Goal]:
        """Move the stages for the current state of the environment, and return the goal of each stage."""
        env, handling = self._env, self.handling
        tool, width = hand.position, handling.width
        hook, floor, opening = drawer.hook(env), drawer.floor(env), drawer.opening(env)
        middle = handling.middle(env)
        object_yaw = yaw_of(object_pose(env, handling.name)[1])
        # The hand may be turned by 180 degrees across the drawer.
        straight = wrap(-hand.yaw, math.pi)
        grasp_turn = wrap(object_yaw - hand.yaw, math.pi)

        hook_goal, hooked = go_around(tool, at_height(hook, HOOK_HEIGHT), TRAVEL_HEIGHT, tolerance=0.009, slope=6.0)
        # The goals lie 2 cm beyond the ends of the motion, because the hand slows down toward a goal.
        pull_goal = at_height(hook, HOOK_HEIGHT)
        pull_goal[:, 0] -= OPENED + 0.02 - opening
        push_goal = at_height(hook, HOOK_HEIGHT)
        push_goal[:, 0] += opening + 0.02

        reach_goal, aligned = reach(
            tool, handling.grip(env), grasp_turn, handling.grasp_height, depth=TRAVEL_HEIGHT - handling.grasp_height
        )
        misplaced = distance(floor, middle) + 0.03 * straight.abs()
        above = funnel(misplaced, tolerance=0.010, slope=6.0, depth=CARRY_HEIGHT - drawer.MODEL.floor_height)
        height = insert(tool, middle, drawer.MODEL.floor_height + 0.002, above)
        free = risen(tool, height)
        carry_goal = at_height(carry(tool, middle, floor, straight, free), height)
        low = middle[:, 2] < drawer.MODEL.floor_height + 0.006

        machine = self._machine
        machine.move(HOOK, PULL, hooked)
        machine.move(PULL, REACH, opening > OPENED - 0.01)
        machine.move(REACH, GRASP, aligned)
        machine.move(GRASP, CARRY, hand.still & (hand.opening < width + 0.01))
        machine.move(CARRY, RELEASE, (distance(floor, middle) < 0.02) & low)
        machine.move(RELEASE, RETURN, hand.opening > width + 0.02)
        machine.move(RETURN, PUSH, hooked)
        # A hand that has slipped off the handle goes back to it; an empty hand goes back to the object.
        machine.move(PULL, HOOK, distance(hook, tool) > 0.03)
        machine.move(PUSH, RETURN, distance(hook, tool) > 0.03)
        machine.move(CARRY, REACH, hand.opening < 0.005)

        across = downward_quat(hand.yaw + straight)
        return {
            HOOK: Goal(hook_goal, across),
            PULL: Goal(pull_goal, across),
            REACH: Goal(rise_first(tool, reach_goal), downward_quat(hand.yaw + grasp_turn)),
            GRASP: Goal(close=True),
            CARRY: Goal(carry_goal, downward_quat(hand.yaw + free * straight), close=True),
            RELEASE: Goal(),
            RETURN: Goal(hook_goal, across),
            PUSH: Goal(push_goal, across),
        }
