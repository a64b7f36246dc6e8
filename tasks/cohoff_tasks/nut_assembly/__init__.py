# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""NutAssembly: put a square and a round nut on their pegs."""

from cohoff_tasks.common.registration import register

register("NutAssembly", __name__)
