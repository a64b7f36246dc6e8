# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""CSIL++ on Square."""

from __future__ import annotations

from isaaclab.utils import configclass

from cohoff.algorithms.csil_cfg import CsilRunnerCfg


@configclass
class SquareCsilRunnerCfg(CsilRunnerCfg):
    """150k environment steps of 64 environments."""

    experiment_name: str = "cohoff_square"
    """Folder under logs/rsl_rl."""

    max_iterations: int = 292
    """292 iterations of 8 control steps in 64 environments are 149,504 environment steps."""
