# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""DSRL: soft actor-critic over the noise that a frozen base policy plans from."""

from cohoff.algorithms.dsrl.dsrl import DSRL

__all__ = ["DSRL"]
