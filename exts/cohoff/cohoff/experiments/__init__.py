# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Experiments made of many programs: workflow, intervals, timing."""
