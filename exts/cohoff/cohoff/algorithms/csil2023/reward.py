# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The coherent reward as published, in its negative form."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from cohoff.algorithms.common.losses import LOG_TWO, coherent_reward, tanh_gaussian_log_prob
from cohoff.networks.stationary import MIN_STD, StationaryPolicy

CEILING = LOG_TWO - math.log(MIN_STD)
"""Reward that the least spread of the clone allows, but for the density's constant and the Jacobian of tanh."""


@dataclass
class PublishedReward:
    """(log pi_BC(a|s) − log p(a)) / d − ceiling, at most 0. CSIL, eq. 9.

    Without the ceiling, rewards are mostly positive, and success, which ends the episode at value 0, would not pay.
    """

    step_worth: ClassVar[float] = 1.0
    """Unit of beta: rewards are not scaled."""

    policy: StationaryPolicy
    """The clone's copy that is refined."""

    def raw(self, obs: Tensor, action: Tensor) -> Tensor:
        """Log ratio [B] of executed actions [B, A] at observations [B, D], by 1/d."""
        mean, std = self.policy(obs)
        return coherent_reward(tanh_gaussian_log_prob(mean, std, action), action.shape[-1])

    @torch.no_grad()
    def __call__(self, obs: Tensor, action: Tensor, success: Tensor) -> Tensor:
        """Reward [B]."""
        return (self.raw(obs, action) - CEILING).clamp_max(0.0)

    def constants(self) -> dict[str, float]:
        """None: nothing is calibrated."""
        return {}
