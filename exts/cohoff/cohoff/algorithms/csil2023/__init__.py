# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""CSIL as published in 2023 (arXiv 2305.16498)."""

from cohoff.algorithms.csil2023.csil2023 import CSIL2023

__all__ = ["CSIL2023"]
