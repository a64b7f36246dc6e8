# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""HammerCleanup: put a hammer into a drawer and close it."""

from cohoff_tasks.common.registration import register

register("HammerCleanup", __name__)
