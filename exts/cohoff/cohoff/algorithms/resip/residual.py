# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The base policy inside of an environment, whose actions are then corrections of the base's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from tensordict import TensorDict
from torch import Tensor

from cohoff.offpolicy.base_actions import BaseActions
from cohoff.policies.base import ChunkPolicy
from cohoff.policies.chunking import ChunkEngine
from cohoff.policies.combine import make_combination

GROUP = "base_action"
"""Observation group that shows the base action."""


class ResidualActions:
    """Shows the base action of N environments and adds it to what is learned: a = clip(a_B + scale·a_pi).

    ResiP (arXiv 2407.16677).

    Args:
        base: Plans the base actions.
        num_envs: Number of environments N.
        device: Device of observations and actions.
        replan_interval: Control steps between two plans.
        scale: Of the learned action, in (0, 1].

    Raises:
        InputError: The scale or the interval cannot be used.
    """

    def __init__(
        self, base: ChunkPolicy, num_envs: int, device: torch.device | str, replan_interval: int, scale: float
    ):
        self._combination = make_combination("residual", scale)
        self._actions = BaseActions(
            ChunkEngine(base, num_envs, device, replan_interval), num_envs, torch.device(device)
        )
        self._everywhere = torch.ones(num_envs, dtype=torch.bool, device=device)

    def execute(self, action: Tensor) -> Tensor:
        """Executed actions [N, A] of learned ones [N, A]."""
        return self._combination(self._actions.action, action)

    def start(self, obs: Mapping[str, Any]) -> dict[str, Any]:
        """Discard all chunks and plan at ``obs``, which are returned with the base action."""
        return self.advance(obs, self._everywhere, len(self._everywhere))[0]

    def advance(self, obs: Mapping[str, Any], done: Tensor, num_resets: int) -> tuple[dict[str, Any], Tensor]:
        """Move on after a step.

        Args:
            obs: Observations after the step and after any reset.
            done: Environments whose episode ended, [N] bool; the rest of their chunk is discarded.
            num_resets: Number of environments that were reset, known to the host.

        Returns:
            Observations with the base action, and base actions [N, A] at the states that the step led to.
        """
        before_reset = self._actions.advance(TensorDict(obs, batch_size=[len(done)]), done, num_resets)
        # A copy: who keeps the observations must not see the next step's action.
        return {**obs, GROUP: self._actions.action.clone()}, before_reset
