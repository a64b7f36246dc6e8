# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Scripted expert of HammerCleanup."""

from __future__ import annotations

from cohoff_tasks.common.drawer_expert import DrawerExpert, Handling

from . import mdp
from .layout import LAYOUT


class HammerCleanupExpert(DrawerExpert):
    """Grasps the hammer by its handle, next to the head."""

    handling = Handling(
        name=mdp.HAMMER,
        grip=mdp.grip,
        middle=mdp.middle,
        grasp_height=0.015,
        width=LAYOUT.hammer.handle[1],
    )
