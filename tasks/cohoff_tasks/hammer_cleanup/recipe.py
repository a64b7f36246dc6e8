# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Training settings of HammerCleanup."""

from cohoff_tasks.common.recipe import Recipe

RECIPE = Recipe(num_demonstrations=10, disturbance=0.2)
"""The recipe of the task."""
