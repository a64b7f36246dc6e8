# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Recipes of the learners, shared by all tasks: one module per algorithm."""
