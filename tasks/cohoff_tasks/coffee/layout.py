# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What stands where in Coffee. Positions are in the base frame [m]."""

from __future__ import annotations

import math
from dataclasses import dataclass

from cohoff_tasks.assets.coffee import CoffeeMachine, CoffeePod
from cohoff_tasks.assets.parts import Vector, check_clearance


@dataclass(frozen=True)
class CoffeeLayout:
    """A pod and a machine whose holder leaves it 2.5 mm to spare on each side."""

    pod: CoffeePod = CoffeePod()
    """The pod."""
    machine: CoffeeMachine = CoffeeMachine()
    """The machine."""
    machine_position: Vector = (0.55, -0.15, 0.0)
    """Point of the table below the holder's axis."""
    machine_heading: float = math.radians(-120.0)
    """Heading of the machine's x axis [rad]: the front, opposite to it, faces the pod."""
    lid_angle: float = math.radians(105.0)
    """Angle of the lid at the start [rad]."""
    pod_position: Vector = (0.42, 0.15, 0.021)
    """Middle of the box that the pod starts in."""

    def __post_init__(self):
        check_clearance("the pod in its holder", 2 * self.machine.holder_radius, 2 * self.pod.radius)
        check_clearance("the pod below the lid", self.machine.room, self.pod.height)

    @property
    def seat(self) -> Vector:
        """Where the pod's centre is when the pod stands in the holder."""
        x, y, z = self.machine_position
        return (x, y, z + self.machine.floor + self.pod.height / 2)


LAYOUT = CoffeeLayout()
"""The layout of the task."""
