# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Layout of HammerCleanup. Positions are in the robot's base frame [m]."""

from __future__ import annotations

from dataclasses import dataclass

from cohoff_tasks.assets.hammer import Hammer
from cohoff_tasks.assets.parts import Vector
from cohoff_tasks.common.drawer import check_fits


@dataclass(frozen=True)
class HammerCleanupLayout:
    """A hammer beside the cabinet of :mod:`cohoff_tasks.common.drawer`."""

    hammer: Hammer = Hammer()
    """The hammer."""
    hammer_position: Vector = (0.46, 0.17, 0.001)
    """Center of the box in which the hammer starts."""

    def __post_init__(self):
        check_fits("the hammer", (self.hammer.length, self.hammer.head[1], self.hammer.head[2]))


LAYOUT = HammerCleanupLayout()
"""The layout of the task."""
