# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Layout of Coffee. Positions are in the robot's base frame [m]."""

from __future__ import annotations

import math
from dataclasses import dataclass

from cohoff_tasks.assets.coffee import CoffeeMachine, CoffeePod
from cohoff_tasks.assets.parts import Vector, check_clearance


@dataclass(frozen=True)
class CoffeeLayout:
    """A pod and a coffee machine, with a clearance of 2.5 mm around the pod in its holder."""

    pod: CoffeePod = CoffeePod()
    """The pod."""
    machine: CoffeeMachine = CoffeeMachine()
    """The machine."""
    machine_position: Vector = (0.55, -0.15, 0.0)
    """Point on the table below the center of the holder."""
    machine_heading: float = math.radians(-120.0)
    """Heading of the machine's x axis [rad]. The front, toward -x, faces the pod."""
    lid_angle: float = math.radians(105.0)
    """Initial angle of the lid [rad]."""
    pod_position: Vector = (0.42, 0.15, 0.021)
    """Center of the box in which the pod starts."""

    def __post_init__(self):
        check_clearance("the pod in its holder", 2 * self.machine.holder_radius, 2 * self.pod.radius)
        check_clearance("the pod below the lid", self.machine.room, self.pod.height)

    @property
    def seat(self) -> Vector:
        """Position of the pod's center when the pod is in the holder."""
        x, y, z = self.machine_position
        return (x, y, z + self.machine.floor + self.pod.height / 2)


LAYOUT = CoffeeLayout()
"""The layout of the task."""
