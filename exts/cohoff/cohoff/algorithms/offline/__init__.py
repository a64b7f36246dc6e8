# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Learning from recorded data alone."""

from cohoff.algorithms.offline.methods import METHODS
from cohoff.algorithms.offline.training import OfflineTraining

__all__ = ["METHODS", "OfflineTraining"]
