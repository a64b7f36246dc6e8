# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Scripted expert of MugCleanup."""

from __future__ import annotations

from cohoff_tasks.common.drawer_expert import DrawerExpert, Handling

from . import mdp
from .layout import LAYOUT


class MugCleanupExpert(DrawerExpert):
    """Grasps the mug by its handle. The hand stays above the rim."""

    handling = Handling(
        name=mdp.MUG,
        grip=mdp.grip,
        middle=mdp.middle,
        grasp_height=LAYOUT.mug.grip_height + 0.002,
        width=LAYOUT.mug.grip[1],
    )
