# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""RLPD: soft actor-critic with demonstrations and many updates, without a base policy."""

from cohoff.algorithms.rlpd.rlpd import RLPD

__all__ = ["RLPD"]
