# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""How many updates belong to how many environment steps."""

from __future__ import annotations

import math
from fractions import Fraction


def updates_due(before: int, after: int, ratio: float) -> int:
    """Updates for the environment steps from ``before`` to ``after``, ``ratio`` of them for each step.

    What is left of an update counts later: over a whole run, the updates are the steps times the ratio, rounded down.
    """
    exact = Fraction(ratio).limit_denominator(1_000_000)  # 0.1 is a tenth
    return math.floor(after * exact) - math.floor(before * exact)
