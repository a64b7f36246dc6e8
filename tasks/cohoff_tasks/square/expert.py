# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Scripted expert of Square."""

from __future__ import annotations

import math

from cohoff_tasks.common.nut_expert import NutExpert, NutJob

from . import mdp
from .layout import LAYOUT


class SquareExpert(NutExpert):
    """Puts the nut on the peg."""

    jobs = (NutJob(mdp.NUT, mdp.handle, mdp.peg, LAYOUT.seat, LAYOUT.carry_height, symmetry=math.pi / 2),)
