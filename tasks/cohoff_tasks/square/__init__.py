# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Square: put a square nut with a handle on a square peg."""

from cohoff_tasks.common.registration import register

register("Square", __name__)
