# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Training settings that belong to a task, not to a learner."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """How the base policy of a task is made."""

    num_demonstrations: int
    """Number of demonstrations for the base policy and the clone: few enough to leave room for improvement."""
