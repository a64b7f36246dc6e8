# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""CSIL++ on hammer cleanup."""

from __future__ import annotations

from isaaclab.utils import configclass

from cohoff_tasks.common.agents_cfg import ManipulationCsilRunnerCfg


@configclass
class HammerCleanupCsilRunnerCfg(ManipulationCsilRunnerCfg):
    """The shared recipe."""

    experiment_name: str = "cohoff_hammer_cleanup"
    """Folder under logs/rsl_rl."""
