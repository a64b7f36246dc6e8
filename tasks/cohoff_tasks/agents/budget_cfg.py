# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""How long the recipes train."""

from __future__ import annotations

from isaaclab.utils import configclass


@configclass
class BudgetCfg:
    """102,400 environment steps. A recipe inherits it before the runner configuration of its algorithm.

    The experiment is named after the task (:mod:`cohoff_tasks.common.derived_cfg`).
    """

    max_iterations: int = 200
    """200 iterations of 8 control steps in 64 environments are 102,400 environment steps."""
