# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""One optimizer step each: critic, actor, reward.

The losses are pure functions of tensors and modules, with static shapes and no host synchronization.
"""

from __future__ import annotations

import torch
from torch import Tensor

from cohoff.algorithms.common import categorical_td, losses
from cohoff.algorithms.common.constant import constant
from cohoff.algorithms.csil.model import SoftImitationModel
from cohoff.networks.stationary import StationaryPolicy
from cohoff.offpolicy.batch import Batch
from cohoff.offpolicy.finite import step_if_finite
from cohoff.offpolicy.learner import Metrics


@torch.no_grad()
def next_step(model: SoftImitationModel, batch: Batch, noise: Tensor, beta: float) -> tuple[Tensor, Tensor, Metrics]:
    """Next executed action [B, A] and what the divergence in the window costs [B].

    The states inside of the window are charged with the divergence at its end, which saves a pass through the actor for
    each. ``noise`` [B, A] is standard normal.
    """
    mean, std = model.actor(batch.next.actor)
    divergence = losses.gaussian_kl(mean, std, batch.next.features["prior_mean"], batch.next.features["prior_std"])
    next_action = model.combination(batch.next.base_action, losses.sample_tanh_gaussian(mean, std, noise))
    return next_action, beta * batch.followed * divergence, {"next_kl": divergence.mean()}


def bootstrap_target(
    model: SoftImitationModel, batch: Batch, noise: Tensor, beta: float
) -> tuple[Tensor, Tensor, Metrics]:
    """Distributional soft target [B, atoms] and the next executed action [B, A], without gradient.

    V(s') = Q(s', a') − beta·KL(pi || prior)(s'). CSIL++; XQC (arXiv 2509.25174).
    """
    next_action, cost, metrics = next_step(model, batch, noise, beta)
    target, clipped = categorical_td.bootstrap_target(model, batch, next_action, cost)
    return target, next_action, {"target_clipped": clipped, **metrics}


def actor_loss(model: SoftImitationModel, batch: Batch, noise: Tensor, beta: float) -> tuple[Tensor, Metrics]:
    """beta·KL(pi || prior) − Q at the batch's observations, through the combination, scalar."""
    mean, std = model.actor(batch.now.actor)
    prior_mean, prior_std = batch.now.features["prior_mean"], batch.now.features["prior_std"]
    divergence = losses.gaussian_kl(mean, std, prior_mean, prior_std).mean()
    action = model.combination(batch.now.base_action, losses.sample_tanh_gaussian(mean, std, noise))
    value = model.critic.value(*model.critic_inputs(batch.now, action)).mean()
    metrics = {"kl": divergence.detach(), "q_actor": value.detach(), "std": std.detach().mean()}
    return beta * divergence - value, metrics


def refinement_loss(policy: StationaryPolicy, batch: Batch, num_demos: int) -> Tensor:
    """Loss of the reward's refinement on demonstrations (first rows) against replay, scalar. CSIL++."""
    mean, std = policy(batch.now.actor)
    log_prob = losses.tanh_gaussian_log_prob(mean, std, batch.action)
    reward = losses.coherent_reward(log_prob, batch.action.shape[-1])
    return losses.refinement_loss(reward[:num_demos], reward[num_demos:])


def update_actor(
    model: SoftImitationModel,
    optimizer: torch.optim.Optimizer,
    batch: Batch,
    noise: Tensor,
    beta: float,
) -> Metrics:
    """Lower :func:`actor_loss`; ``noise`` [B, A] is standard normal."""
    with constant(model.critic):
        loss, metrics = actor_loss(model, batch, noise, beta)
    metrics["skipped_actor"] = step_if_finite(optimizer, loss)
    return metrics


def update_reward(
    policy: StationaryPolicy,
    optimizer: torch.optim.Optimizer,
    batch: Batch,
    num_demos: int,
) -> Metrics:
    """One SGD step of the reward's refinement. See :func:`refinement_loss`."""
    loss = refinement_loss(policy, batch, num_demos)
    return {"refinement_loss": loss.detach(), "skipped_reward": step_if_finite(optimizer, loss)}
