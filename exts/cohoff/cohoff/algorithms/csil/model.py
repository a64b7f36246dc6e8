# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The networks of CSIL++ in one module, which is what a checkpoint holds."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn

from cohoff.networks.critic import CategoricalCritic
from cohoff.networks.stationary import StationaryPolicy
from cohoff.offpolicy.batch import State
from cohoff.policies.combine import Combination

RESIDUAL_STD = 0.3
"""Initial spread (before tanh) of a residual policy, whose own clone would be no small correction."""


class CsilModel(nn.Module):
    """Clone, reward, prior, actor and critics; the base policy stays outside.

    The reward is read off a copy of the clone, which its refinement may move.

    The prior is what the actor starts from and is regularized to: the clone, or for ``residual`` a zero-mean policy.
    """

    def __init__(
        self,
        obs_dim: int,
        critic_dim: int,
        action_dim: int,
        combination: Combination,
        policy_cfg: dict,
        critic_cfg: dict,
    ):
        super().__init__()
        self.combination = combination
        self.clone = StationaryPolicy(obs_dim, action_dim, **policy_cfg)
        self.prior = StationaryPolicy(obs_dim, action_dim, **policy_cfg).requires_grad_(False)
        self.actor = StationaryPolicy(obs_dim, action_dim, **policy_cfg)
        self.reward = StationaryPolicy(obs_dim, action_dim, **policy_cfg).requires_grad_(False)
        critic_obs = critic_dim + (action_dim if combination.uses_base else 0)
        self.critic = CategoricalCritic(critic_obs, action_dim, **critic_cfg)
        self.target = copy.deepcopy(self.critic).requires_grad_(False)
        self.eval()

    @torch.no_grad()
    def start_from_clone(self, residual: bool) -> None:
        """Set reward, prior and actor from the trained clone."""
        self.reward.load_state_dict(self.clone.state_dict())
        if residual:
            self.prior.set_normalization(self.clone.obs_mean, self.clone.obs_std)
            self.prior.set_spread(RESIDUAL_STD)
        else:
            self.prior.load_state_dict(self.clone.state_dict())
        self.actor.load_state_dict(self.prior.state_dict())
        self.clone.requires_grad_(False)

    @torch.no_grad()
    def prior_features(self, actor_obs: Tensor) -> dict[str, Tensor]:
        """Mean and spread of the prior before tanh, [B, A] each, at the actor's observations [B, D]."""
        mean, std = self.prior(actor_obs)
        return {"prior_mean": mean, "prior_std": std}

    def critic_inputs(self, state: State, action: Tensor) -> tuple[Tensor, Tensor]:
        """What the critic sees of executed actions [B, A]: observation [B, ·] and deviation [B, A].

        The observation has the base action where the executed one depends on it. The deviation is that from the mean
        action before training. It is noise that says nothing about the state, whereas the action itself tells how far
        an episode has come: a critic that sees it prefers actions that are typical of later states.
        """
        before = self.combination(state.base_action, torch.tanh(state.features["prior_mean"]))
        obs = torch.cat([state.critic, state.base_action], dim=-1) if self.combination.uses_base else state.critic
        return obs, action - before


def critic_kwargs(cfg: dict[str, Any], lowest: float, highest: float) -> dict[str, Any]:
    """The part of a ``CriticCfg`` dictionary that shapes the network; values lie in [lowest, highest]·support."""
    return {
        "hidden_dims": tuple(cfg["hidden_dims"]),
        "support": (lowest * cfg["support"], highest * cfg["support"]),
    } | {name: cfg[name] for name in ("num_atoms", "num_members")}
