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

from cohoff.algorithms.common.losses import coherent_reward, tanh_gaussian_log_prob
from cohoff.networks.stationary import StationaryPolicy
from cohoff.offpolicy.transitions import Transitions


@dataclass
class CoherentReward:
    """Dense reward read off a cloned policy, relative to what the absorbing state of success earns.

    A successful state is absorbing and earns ``ceiling + margin`` for ever. Taking that away from every step gives the
    same optimal policy, with value 0 at success and below 0 elsewhere. The margin makes finishing pay: a discounted
    learner would rather wait for ever where the clone is surest than walk through states where it is less sure.
    """

    policy: StationaryPolicy
    """The clone, or its refined copy."""

    floor: float
    """Rewards below this are clipped."""

    ceiling: float = 0.0
    """Attainable reward of a step; set by :meth:`calibrate`, rewards above it are clipped."""

    margin: float = 0.0
    """Cost of a step that earns ``ceiling``; set by :meth:`calibrate`."""

    scale: float = 1.0
    """Common divisor of reward and beta; set by :meth:`calibrate`."""

    def constants(self) -> dict[str, float]:
        """What :meth:`calibrate` set, for a checkpoint."""
        return {"ceiling": self.ceiling, "margin": self.margin, "scale": self.scale}

    def raw(self, obs: Tensor, action: Tensor) -> Tensor:
        """Unclipped coherent reward [B] of executed actions [B, A] at observations [B, D]."""
        mean, std = self.policy(obs)
        return coherent_reward(tanh_gaussian_log_prob(mean, std, action), action.shape[-1])

    @torch.no_grad()
    def __call__(self, obs: Tensor, action: Tensor, success: Tensor) -> Tensor:
        """Scaled reward [B], at most ``-margin / scale``."""
        return (self.raw(obs, action).clamp(self.floor, self.ceiling) - self.ceiling - self.margin) / self.scale

    @torch.no_grad()
    def calibrate(self, demonstrations: Transitions, discount: float, support: float) -> Tensor:
        """Set ceiling, margin and scale, and return the demonstrations' scaled returns [M].

        The margin is the least at which 95% of the demonstrations, from their first step on, are worth no less than
        waiting at the ceiling for ever: margin·discount^T / (1 − discount) = cost, for a demonstration of T steps that
        costs ``cost`` without the margin. The scale puts the value of never again being near the data (reward 0 for
        ever) at ``-support``.
        """
        obs = demonstrations.now.actor
        mode_reward = self.raw(obs, torch.tanh(self.policy(obs)[0]))
        self.ceiling, self.margin, self.scale = float(mode_reward.quantile(0.95)), 0.0, 1.0
        cost = -_returns(self, demonstrations, discount)[demonstrations.first_rows]
        self.margin = float((cost * (1.0 - discount) * discount**-demonstrations.lengths).quantile(0.95))
        self.scale = (self.ceiling + self.margin) / (1.0 - discount) / support
        return _returns(self, demonstrations, discount)


@dataclass
class SparseReward:
    """1 on the step that succeeds and 0 elsewhere: the control of the coherent reward."""

    scale: float = 1.0
    """Divisor of the reward; set by :meth:`calibrate`."""

    def constants(self) -> dict[str, float]:
        """What :meth:`calibrate` set, for a checkpoint."""
        return {"scale": self.scale}

    def __call__(self, obs: Tensor, action: Tensor, success: Tensor) -> Tensor:
        """Scaled reward [B]."""
        return success.float() / self.scale

    def calibrate(self, demonstrations: Transitions, discount: float, support: float) -> Tensor:
        """Set the scale, which puts the value of the successful step at ``support``; return scaled returns [M]."""
        self.scale = 1.0 / support
        return _returns(self, demonstrations, discount)


def _returns(reward: CoherentReward | SparseReward, demonstrations: Transitions, discount: float) -> Tensor:
    rewards = reward(demonstrations.now.actor, demonstrations.action, demonstrations.success)
    return discounted_returns(rewards, discount, demonstrations.lengths.tolist())


def discounted_returns(rewards: Tensor, discount: float, lengths: list[int]) -> Tensor:
    """Returns [M] of contiguous episodes that end in success, which is worth 0."""
    returns = torch.empty_like(rewards)
    end = 0
    for length in lengths:
        end += length
        value = rewards.new_zeros(())
        for step in range(end - 1, end - length - 1, -1):
            value = rewards[step] + discount * value
            returns[step] = value
    return returns
