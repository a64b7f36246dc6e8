# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""ResFiT: TD3 of a residual on the frozen base."""

from cohoff.algorithms.resfit.resfit import ResFiT

__all__ = ["ResFiT"]
