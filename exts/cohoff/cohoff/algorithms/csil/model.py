# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The networks of CSIL and CSIL++ in one module, which is what a checkpoint holds."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor

from cohoff.algorithms.common.critics import CriticModel, critic_input_dim
from cohoff.networks.critic import CategoricalCritic
from cohoff.networks.gaussian import GaussianPolicy
from cohoff.networks.scalar_critic import ScalarCritic
from cohoff.networks.stationary import StationaryPolicy
from cohoff.offpolicy.batch import State
from cohoff.policies.combine import Combination

RESIDUAL_STD = 0.3
"""Initial spread (before tanh) of a residual policy, whose own clone would be no small correction."""


class SoftImitationModel(CriticModel):
    """Clone, reward, prior, actor and critics; the base policy stays outside.

    The reward is read off a copy of the clone, which its refinement may move.

    The prior is what the actor starts from and is regularized to: the clone, for ``residual`` a zero-mean policy, or a
    policy that was trained before.
    """

    started: bool = False
    """Whether the prior is a policy that was trained before."""

    def __init__(
        self,
        obs_dim: int,
        critic_dim: int,
        action_dim: int,
        combination: Combination,
        policy_cfg: dict,
        critic_cfg: dict,
        critic_class: type[CategoricalCritic | ScalarCritic] = CategoricalCritic,
        actor_hidden_dims: tuple[int, ...] | None = None,
    ):
        super().__init__()
        self.combination = combination

        def make_actor() -> Any:  # of two kinds
            if actor_hidden_dims is not None:
                return GaussianPolicy(obs_dim, action_dim, tuple(actor_hidden_dims))
            return StationaryPolicy(obs_dim, action_dim, **policy_cfg)

        self.clone = StationaryPolicy(obs_dim, action_dim, **policy_cfg)
        self.prior = make_actor().requires_grad_(False)
        self.actor = make_actor()
        self.reward = StationaryPolicy(obs_dim, action_dim, **policy_cfg).requires_grad_(False)
        self.critic = critic_class(critic_input_dim(critic_dim, action_dim, combination), action_dim, **critic_cfg)
        self.target = copy.deepcopy(self.critic).requires_grad_(False)
        self.eval()

    @torch.no_grad()
    def start_from_clone(self, residual: bool) -> None:
        """Set reward, prior and actor from the trained clone; a prior that was trained before stays."""
        self.reward.load_state_dict(self.clone.state_dict())
        if residual:
            assert isinstance(self.prior, StationaryPolicy)
            self.prior.set_normalization(self.clone.obs_mean, self.clone.obs_std)
            self.prior.set_spread(RESIDUAL_STD)
        elif not self.started:
            self.prior.load_state_dict(self.clone.state_dict())
        self.actor.load_state_dict(self.prior.state_dict())
        self.clone.requires_grad_(False)

    @torch.no_grad()
    def fit_spread(self, obs: Tensor, action: Tensor) -> None:
        """Give a perceptron as prior its error from demonstrated actions [M, A] as spread before tanh (ours).

        Methods of offline learning train the mean alone.
        """
        if isinstance(self.prior, GaussianPolicy):
            error = torch.tanh(self.prior.mean(obs)) - action
            self.prior.set_spread(error.square().mean(0).sqrt())

    @torch.no_grad()
    def prior_features(self, actor_obs: Tensor) -> dict[str, Tensor]:
        """Mean and spread of the prior before tanh, [B, A] each, at the actor's observations [B, D]."""
        mean, std = self.prior(actor_obs)
        return {"prior_mean": mean, "prior_std": std}

    def taught_action(self, state: State, action: Tensor) -> Tensor:
        """Actions [B, A] whose value the demonstrated ones ``action`` [B, A] teach: their own."""
        return action


class CsilModel(SoftImitationModel):
    """The networks of CSIL++, whose critic sees how far an action is from the start."""

    demonstrated_actions: bool = False
    """Whether demonstrations teach what their actions are worth."""

    def first_action(self, state: State) -> Tensor:
        """Mean executed action before training, [B, A]."""
        return self.combination(state.base_action, torch.tanh(state.features["prior_mean"]))

    def critic_inputs(self, state: State, action: Tensor) -> tuple[Tensor, Tensor]:
        """Observation [B, ·] and deviation [B, A] of executed actions [B, A] from :meth:`first_action`.

        The deviation is noise that says nothing about the state, whereas the action itself tells how far an episode has
        come: a critic that sees it prefers actions that are typical of later states.
        """
        obs, action = super().critic_inputs(state, action)
        return obs, action - self.first_action(state)

    def taught_action(self, state: State, action: Tensor) -> Tensor:
        """:meth:`first_action`, so that demonstrations teach values of states alone, or with
        :attr:`demonstrated_actions` their own.

        A base that was trained on the demonstrations knows them better than other states. So their deviation is no
        noise: it tells the critic that a state is a demonstrated one, whose value is high.
        """
        return action if self.demonstrated_actions else self.first_action(state)
