# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Training settings that belong to a task, not to a learner."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """How base policy and small policy of a task are made."""

    num_demonstrations: int
    """Number of demonstrations for the base policy: few enough to leave room for improvement. As many others are
    recorded with a disturbance for the small policy."""

    disturbance: float
    """Standard deviation of the execution noise of the small policy's demonstrations, in units of the actions: what the
    expert still copes with. They show how to come back where the base policy strays."""
