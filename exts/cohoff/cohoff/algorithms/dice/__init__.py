# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""DICE-RL: a residual that an anchor holds at the frozen base."""

from cohoff.algorithms.dice.dice import Dice

__all__ = ["Dice"]
