# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""XQC with demonstrations in every batch: the control of CSIL++ without clone and without coherent reward."""

from cohoff.algorithms.xqc.xqc import XQC

__all__ = ["XQC"]
