# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""CSIL++ on Coffee."""

from __future__ import annotations

from isaaclab.utils import configclass

from cohoff_tasks.common.agents_cfg import ManipulationCsilRunnerCfg


@configclass
class CoffeeCsilRunnerCfg(ManipulationCsilRunnerCfg):
    """The shared recipe."""

    experiment_name: str = "cohoff_coffee"
    """Folder under logs/rsl_rl."""
