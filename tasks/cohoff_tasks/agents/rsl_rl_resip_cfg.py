# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""ResiP on the manipulation tasks, with as many environment steps as the recipe of CSIL++."""

from __future__ import annotations

from isaaclab.utils import configclass

from cohoff.algorithms.resip.resip_cfg import ResipRunnerCfg


@configclass
class ManipulationResipRunnerCfg(ResipRunnerCfg):
    """102,400 environment steps. The experiment is named after the task (:mod:`cohoff_tasks.common.derived_cfg`)."""

    max_iterations: int = 25
    """25 iterations of 64 control steps in 64 environments are 102,400 environment steps."""
