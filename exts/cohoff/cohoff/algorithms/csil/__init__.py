# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""CSIL++: coherent soft imitation learning with a frozen base policy."""

from cohoff.algorithms.csil.csil import CSIL

__all__ = ["CSIL"]
