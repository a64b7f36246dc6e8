# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Training settings of Threading."""

from cohoff_tasks.common.recipe import Recipe

RECIPE = Recipe(num_demonstrations=18, disturbance=0.05)
"""The recipe of the task."""
