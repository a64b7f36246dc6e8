# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What the critic is taught to predict: the coherent reward of CSIL, or one of its two controls.

In all of them finishing is worth more than waiting: success ends the episode at value 0 and every step before it costs
something (coherent, time), or only the step that succeeds earns something (sparse).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from cohoff.algorithms.common.losses import coherent_reward, tanh_gaussian_log_prob
from cohoff.errors import InputError
from cohoff.networks.stationary import StationaryPolicy
from cohoff.offpolicy.transitions import Transitions

DEMONSTRATED_SHARE = 0.25
"""Share of the critic's support that a whole demonstration takes where steps cost: what costs more than four of them is
lost, and needs no atoms to tell how much."""


@dataclass
class Control:
    """What the rewards have that are not learned."""

    scale: float = 1.0
    """Divisor of the reward; set by ``calibrate``."""

    step_worth: float = 0.0
    """Mean size of what a demonstrated step changes in the scaled return: the unit of beta."""

    def constants(self) -> dict[str, float]:
        """What ``calibrate`` set, for a checkpoint."""
        return {"scale": self.scale, "step_worth": self.step_worth}


@dataclass
class SparseReward(Control):
    """1 on the step that succeeds and 0 elsewhere: what reinforcement learning without demonstrations would use."""

    lowest: ClassVar[float] = -1.0
    highest: ClassVar[float] = 1.0

    @property
    def waiting(self) -> float:
        """Scaled reward of the best step that does not lead to success."""
        return 0.0

    def __call__(self, obs: Tensor, action: Tensor, success: Tensor) -> Tensor:
        """Scaled reward [B]."""
        return success.float() / self.scale

    def calibrate(self, demonstrations: Transitions, discount: float, support: float) -> Tensor:
        """Set the scale, which puts the value of the successful step at ``support``; return scaled returns [M]."""
        self.scale = 1.0 / support
        self.step_worth = support / float(demonstrations.lengths.float().mean())
        return demonstrated_returns(self, demonstrations, discount)


@dataclass
class TimeReward(Control):
    """-1 on every step until success: the coherent reward without what was learned."""

    lowest: ClassVar[float] = -1.0
    highest: ClassVar[float] = 0.0

    @property
    def waiting(self) -> float:
        """Scaled reward of the best step that does not lead to success."""
        return -1.0 / self.scale

    def __call__(self, obs: Tensor, action: Tensor, success: Tensor) -> Tensor:
        """Scaled reward [B]."""
        return torch.full_like(success, -1.0 / self.scale, dtype=obs.dtype)

    def calibrate(self, demonstrations: Transitions, discount: float, support: float) -> Tensor:
        """Set the scale by :data:`DEMONSTRATED_SHARE`; return scaled returns [M]."""
        self.scale = 1.0
        returns = demonstrated_returns(self, demonstrations, discount)
        self.scale = demonstration_scale(returns, demonstrations, support)
        self.step_worth = 1.0 / self.scale
        return returns / self.scale


@dataclass
class CoherentReward:
    """Dense reward read off a cloned policy, relative to what the absorbing state of success earns.

    A successful state is absorbing and earns ``ceiling + margin`` for ever. Taking that away from every step gives the
    same optimal policy, with value 0 at success and below 0 elsewhere. The margin makes finishing pay: a discounted
    learner would rather wait for ever where the clone is surest than walk through states where it is less sure.
    """

    lowest: ClassVar[float] = -1.0
    """Least value, in units of the critic's support."""

    highest: ClassVar[float] = 0.0
    """Greatest value, in units of the critic's support."""

    policy: StationaryPolicy
    """The clone, or its refined copy."""

    floor: float
    """Rewards below this are clipped."""

    margin_share: float = 0.45
    """Share of the margin in the mean cost of a demonstrated step; the rest is the learned density."""

    ceiling: float = 0.0
    """Attainable reward of a step; set by :meth:`calibrate`, rewards above it are clipped."""

    margin: float = 0.0
    """Cost of a step that earns ``ceiling``; set by :meth:`calibrate`."""

    scale: float = 1.0
    """Common divisor of reward and beta; set by :meth:`calibrate`."""

    step_worth: float = 0.0
    """Mean scaled cost of a demonstrated step: the unit of beta; set by :meth:`calibrate`."""

    def constants(self) -> dict[str, float]:
        """What :meth:`calibrate` set, for a checkpoint."""
        return {"ceiling": self.ceiling, "margin": self.margin, "scale": self.scale, "step_worth": self.step_worth}

    @property
    def waiting(self) -> float:
        """Scaled reward of the best step that does not lead to success."""
        return -self.margin / self.scale

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
        """Set ceiling, margin and, by :data:`DEMONSTRATED_SHARE`, scale; return scaled returns [M].

        Raises:
            InputError: The clone is so unsure that a step far from the data would cost nothing.
        """
        obs = demonstrations.now.actor
        mode_reward = self.raw(obs, torch.tanh(self.policy(obs)[0]))
        self.ceiling, self.margin, self.scale = float(mode_reward.quantile(0.95)), 0.0, 1.0
        density = -float(self(obs, demonstrations.action, demonstrations.success).mean())
        self.margin = density * self.margin_share / (1.0 - self.margin_share)
        if self.ceiling + self.margin <= 0.0:
            raise InputError(
                f"the clone is no surer of its own actions than of random ones (reward {self.ceiling:.3g} at its best, "
                f"margin {self.margin:.3g}), so that no coherent reward can be read off it; raise "
                "agent.algorithm.clone.steps or agent.algorithm.margin_share, or use agent.algorithm.reward=time"
            )
        returns = demonstrated_returns(self, demonstrations, discount)
        self.scale = demonstration_scale(returns, demonstrations, support)
        self.step_worth = (density + self.margin) / self.scale
        return returns / self.scale


Reward = CoherentReward | TimeReward | SparseReward

CONTROLS: dict[str, type[TimeReward | SparseReward]] = {"time": TimeReward, "sparse": SparseReward}
"""Rewards by name that are not learned."""

REWARDS: dict[str, type[Reward]] = {"coherent": CoherentReward, **CONTROLS}
"""Rewards by name."""


def make_reward(name: str, policy: StationaryPolicy, floor: float, margin_share: float) -> Reward:
    """The reward called ``name``; the other arguments are those of :class:`CoherentReward`, which alone uses them."""
    return CoherentReward(policy, floor, margin_share) if name == "coherent" else CONTROLS[name]()


def demonstration_scale(returns: Tensor, demonstrations: Transitions, support: float) -> float:
    """Divisor at which the demonstrations cost ``DEMONSTRATED_SHARE * support`` from their start, in the mean."""
    return -float(returns[demonstrations.first_rows].mean()) / (DEMONSTRATED_SHARE * support)


def demonstrated_returns(reward: Reward, demonstrations: Transitions, discount: float) -> Tensor:
    """Discounted returns [M] of the demonstrations, which end in success at value 0."""
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
