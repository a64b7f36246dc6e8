# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Layout of MugCleanup. Positions are in the robot's base frame [m]."""

from __future__ import annotations

from dataclasses import dataclass

from cohoff_tasks.assets.mug import Mug
from cohoff_tasks.assets.parts import Vector
from cohoff_tasks.common.drawer import check_fits


@dataclass(frozen=True)
class MugCleanupLayout:
    """A mug beside the cabinet of :mod:`cohoff_tasks.common.drawer`."""

    mug: Mug = Mug()
    """The mug."""
    mug_position: Vector = (0.46, 0.17, 0.001)
    """Center of the box in which the mug starts."""

    def __post_init__(self):
        check_fits("the mug", (self.mug.length, 2 * self.mug.outer_radius, self.mug.height))


LAYOUT = MugCleanupLayout()
"""The layout of the task."""
