# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What the critic is taught to predict: the coherent reward of CSIL, or sparse success as its control.

Both are cost-to-go forms: success ends the episode at value 0 and no step before it earns more than 0 (coherent), or
only the last step earns (sparse), so that finishing is never worth less than waiting.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from cohoff.algorithms.losses import coherent_reward, discounted_returns, tanh_gaussian_log_prob
from cohoff.networks.stationary import StationaryPolicy
from cohoff.replay.demos import Demonstrations


@dataclass
class CoherentReward:
    """Dense reward read off a cloned policy, relative to the most that a step can earn.

    A successful state is absorbing and earns ``ceiling`` for ever. Taking ``ceiling`` away from every step gives the
    same optimal policy, with value 0 at success and at most 0 elsewhere.
    """

    policy: StationaryPolicy
    """The clone, or its refined copy."""

    floor: float
    """Rewards below this are clipped."""

    ceiling: float = 0.0
    """Attainable reward of a step; set by :meth:`calibrate`, rewards above it are clipped."""

    scale: float = 1.0
    """Common divisor of reward and beta; set by :meth:`calibrate`."""

    def raw(self, obs: Tensor, action: Tensor) -> Tensor:
        """Unclipped coherent reward [B] of executed actions [B, A] at observations [B, D]."""
        mean, std = self.policy(obs)
        return coherent_reward(tanh_gaussian_log_prob(mean, std, action), action.shape[-1])

    @torch.no_grad()
    def __call__(self, obs: Tensor, action: Tensor, success: Tensor) -> Tensor:
        """Scaled reward [B], at most 0."""
        return (self.raw(obs, action).clamp(self.floor, self.ceiling) - self.ceiling) / self.scale

    @torch.no_grad()
    def calibrate(self, demos: Demonstrations, discount: float, support: float) -> Tensor:
        """Set ceiling and scale, and return the demonstrations' scaled returns [M].

        The scale puts the value of never again being near the data (reward 0 for ever) at ``-support``.
        """
        mode_reward = self.raw(demos.obs, torch.tanh(self.policy(demos.obs)[0]))
        self.ceiling = float(mode_reward.quantile(0.95))
        self.scale = self.ceiling / (1.0 - discount) / support
        return _returns(self, demos, discount)


@dataclass
class SparseReward:
    """1 on the step that succeeds and 0 elsewhere: the control of the coherent reward."""

    scale: float = 1.0
    """Divisor of the reward; set by :meth:`calibrate`."""

    def __call__(self, obs: Tensor, action: Tensor, success: Tensor) -> Tensor:
        """Scaled reward [B]."""
        return success.float() / self.scale

    def calibrate(self, demos: Demonstrations, discount: float, support: float) -> Tensor:
        """Set the scale, which puts the value of the successful step at ``support``; return scaled returns [M]."""
        self.scale = 1.0 / support
        return _returns(self, demos, discount)


def _returns(reward: CoherentReward | SparseReward, demos: Demonstrations, discount: float) -> Tensor:
    success = torch.zeros(demos.num_transitions, dtype=torch.bool, device=demos.obs.device)
    success[demos.starts + demos.lengths - 1] = True
    rewards = reward(demos.obs, demos.actions, success)
    return discounted_returns(rewards, discount, demos.lengths.tolist(), terminal_value=0.0)
