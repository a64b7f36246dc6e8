# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Threading: put a needle through a ring on a tripod."""

from cohoff_tasks.common.registration import register

register("Threading", __name__)
