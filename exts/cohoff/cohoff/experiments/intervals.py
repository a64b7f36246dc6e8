# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Confidence intervals of success rates."""

from __future__ import annotations

import math

_Z_95 = 1.959963984540054  # 97.5% quantile of the standard normal distribution


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """95% Wilson score interval of a success probability (Wilson, 1927), within [0, 1].

    Raises:
        ValueError: ``trials`` is not positive or ``successes`` is not within [0, trials].
    """
    if trials < 1 or not 0 <= successes <= trials:
        raise ValueError(f"cannot have {successes} successes in {trials} trials")
    rate = successes / trials
    spread = _Z_95**2 / trials
    center = (rate + spread / 2) / (1 + spread)
    half = _Z_95 / (1 + spread) * math.sqrt(rate * (1 - rate) / trials + spread / (4 * trials))
    return max(0.0, center - half), min(1.0, center + half)
