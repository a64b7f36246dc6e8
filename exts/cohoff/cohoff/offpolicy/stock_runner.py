# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The way from rsl_rl's own runner to that of off-policy algorithms."""

from __future__ import annotations

import sys
from types import FrameType


def replace_stock_runner(frame: FrameType | None) -> None:
    """Give the caller of ``frame`` our runner's methods if it is rsl_rl's own runner.

    Isaac Lab builds no other runner than rsl_rl's, and hands an algorithm none: this is the one way to it.
    """
    caller = frame.f_back.f_locals.get("self") if frame and frame.f_back else None
    if "rsl_rl.runners" in sys.modules:
        from cohoff.offpolicy.runner import OffPolicyRunner

        OffPolicyRunner.adopt(caller)
