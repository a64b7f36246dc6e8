# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""IBRL: a critic that chooses between the frozen base and a policy."""

from cohoff.algorithms.ibrl.ibrl import IBRL

__all__ = ["IBRL"]
