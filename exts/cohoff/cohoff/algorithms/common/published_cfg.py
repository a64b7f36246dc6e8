# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Schedules of algorithms as they are published, where those of CSIL++ are the core's defaults."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, Gt, Lt
from isaaclab.utils import configclass

from cohoff.offpolicy.algorithm_cfg import OffPolicyAlgorithmCfg


@configclass
class PublishedAlgorithmCfg(OffPolicyAlgorithmCfg):
    """Actor and critics learn at one rate and one step each from the first iteration on, without a base policy."""

    discount: Annotated[float, Gt(0), Lt(1)] | None = 0.99
    """Discount of a control step."""

    actor_learning_rate_share: Annotated[float, Gt(0)] = 1.0
    """The actor has the rate of the critics."""

    policy_delay: Annotated[int, Ge(1)] = 1
    """Critic updates per actor update."""

    learning_starts: Annotated[int, Ge(0)] = 0
    """The first update follows the first iteration."""

    actor_start_episodes: Annotated[int, Ge(0)] = 0
    """The actor does not wait for ended episodes."""
