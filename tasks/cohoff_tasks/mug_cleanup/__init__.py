# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""MugCleanup: put a mug into a drawer and close it."""

from cohoff_tasks.common.registration import register

register("MugCleanup", __name__)
