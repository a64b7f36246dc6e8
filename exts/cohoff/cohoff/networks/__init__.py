# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Network modules."""

from cohoff.networks.critic import CategoricalCritic
from cohoff.networks.gaussian import GaussianPolicy
from cohoff.networks.scalar_critic import ScalarCritic
from cohoff.networks.stationary import StationaryPolicy

__all__ = ["CategoricalCritic", "GaussianPolicy", "ScalarCritic", "StationaryPolicy"]
