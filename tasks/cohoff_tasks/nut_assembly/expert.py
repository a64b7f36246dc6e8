# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Scripted expert of NutAssembly."""

from __future__ import annotations

import math

from cohoff_tasks.common.nut_expert import NutExpert, NutJob

from . import mdp
from .layout import LAYOUT


class NutAssemblyExpert(NutExpert):
    """Puts the square nut on its peg, then the round nut."""

    jobs = (
        NutJob(
            mdp.SQUARE_NUT,
            mdp.square_handle,
            mdp.square_peg,
            LAYOUT.square_seat,
            LAYOUT.carry_height,
            symmetry=math.pi / 2,
        ),
        NutJob(mdp.ROUND_NUT, mdp.round_handle, mdp.round_peg, LAYOUT.round_seat, LAYOUT.carry_height, symmetry=None),
    )

    # The hand passes over the pegs, and a nut may start so close to a peg that it would hit it on the way up.
    approach_height = 0.14
    clear_height = 0.125
