# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""One optimizer step each: critic, actor, reward.

The losses are pure functions of tensors and modules, with static shapes and no host synchronization.
"""

from __future__ import annotations

import torch
from torch import Tensor

from cohoff.algorithms.common import categorical, losses
from cohoff.algorithms.common.constant import constant
from cohoff.algorithms.csil.model import CsilModel
from cohoff.networks.stationary import StationaryPolicy
from cohoff.offpolicy.batch import Batch
from cohoff.offpolicy.finite import step_if_finite

Metrics = dict[str, Tensor]
"""Detached scalars on the device."""


@torch.no_grad()
def bootstrap_target(model: CsilModel, batch: Batch, noise: Tensor, beta: float) -> tuple[Tensor, Tensor, Metrics]:
    """Distributional soft target [B, atoms] and the next executed action [B, A], without gradient.

    V(s') = Q(s', a') − beta·KL(pi || prior)(s'), from the critic with the lower expected Q of each sample. The states
    inside of the window are charged with the divergence at its end, which saves a pass through the actor for each.
    The target network normalizes (s, a) and (s', a') jointly, as the online one does. ``noise`` [B, A] is standard
    normal. CSIL++; XQC (arXiv 2509.25174).
    """
    mean, std = model.actor(batch.next.actor)
    divergence = losses.gaussian_kl(mean, std, batch.next.features["prior_mean"], batch.next.features["prior_std"])
    next_action = model.combination(batch.next.base_action, losses.sample_tanh_gaussian(mean, std, noise))
    rows = slice(len(batch.action), None)
    logits = model.target(*_joined(model, batch, next_action), batch_statistics=True, rows=rows)
    probs = logits.softmax(-1)
    pessimist = (probs * model.target.atoms).sum(-1).argmin(0)
    probs = probs.gather(0, pessimist[None, :, None].expand(1, *probs.shape[1:]))[0]
    returns = batch.returns - beta * batch.followed * divergence
    positions = returns[:, None] + batch.discount[:, None] * model.target.atoms
    target, clipped = categorical.project_categorical(probs, positions, model.target.atoms)
    return target, next_action, {"target_clipped": clipped, "next_kl": divergence.mean()}


def critic_loss(
    model: CsilModel, batch: Batch, target: Tensor, next_action: Tensor, num_demos: int, penalty_weight: float
) -> tuple[Tensor, Metrics]:
    """Cross-entropy with ``target`` [B, atoms] on the joined pass over (s, a) and (s', a'), scalar.

    ``penalty_weight`` times the critic's gradient norm sqrt(E|dQ/da|^2) on the first ``num_demos`` rows is added.
    """
    rows = slice(len(batch.action))
    logits = model.critic(*_joined(model, batch, next_action), batch_statistics=True, track=True, rows=rows)
    loss = categorical.categorical_cross_entropy(logits, target * batch.weight[:, None])
    value = model.critic.expectation(logits.detach())
    metrics = {
        "critic_loss": loss.detach(),
        "q_demo": value[:, :num_demos].mean(),
        "q_replay": value[:, num_demos:].mean(),
    }
    if penalty_weight > 0.0:
        penalty = gradient_norm(model, batch, num_demos)
        loss = loss + penalty_weight * penalty
        metrics["gradient_norm"] = penalty.detach()
    return loss, metrics


def gradient_norm(model: CsilModel, batch: Batch, num_rows: int) -> Tensor:
    """sqrt(E|dQ/da|^2) over the first rows, scalar, differentiable in the critic's weights. CSIL, sec. 5."""
    action = batch.action[:num_rows].clone().requires_grad_(True)
    obs = model.critic_obs(batch.now.critic[:num_rows], batch.now.base_action[:num_rows])
    value = model.critic.expectation(model.critic(obs, action)).mean(0).sum()
    (gradient,) = torch.autograd.grad(value, action, create_graph=True)
    return torch.sqrt(gradient.square().sum(-1).mean() + 1e-12)


def actor_loss(model: CsilModel, batch: Batch, noise: Tensor, beta: float) -> tuple[Tensor, Metrics]:
    """beta·KL(pi || prior) − Q at the batch's observations, through the combination, scalar."""
    mean, std = model.actor(batch.now.actor)
    prior_mean, prior_std = batch.now.features["prior_mean"], batch.now.features["prior_std"]
    divergence = losses.gaussian_kl(mean, std, prior_mean, prior_std).mean()
    action = model.combination(batch.now.base_action, losses.sample_tanh_gaussian(mean, std, noise))
    logits = model.critic(model.critic_obs(batch.now.critic, batch.now.base_action), action)
    value = model.critic.expectation(logits).mean()
    metrics = {"kl": divergence.detach(), "q_actor": value.detach(), "std": std.detach().mean()}
    return beta * divergence - value, metrics


def refinement_loss(policy: StationaryPolicy, batch: Batch, num_demos: int) -> Tensor:
    """Loss of the reward's refinement on demonstrations (first rows) against replay, scalar. CSIL++."""
    mean, std = policy(batch.now.actor)
    log_prob = losses.tanh_gaussian_log_prob(mean, std, batch.action)
    reward = losses.coherent_reward(log_prob, batch.action.shape[-1])
    return losses.refinement_loss(reward[:num_demos], reward[num_demos:])


def update_critic(
    model: CsilModel,
    optimizer: torch.optim.Optimizer,
    batch: Batch,
    target: Tensor,
    next_action: Tensor,
    num_demos: int,
    penalty_weight: float,
) -> Metrics:
    """Fit the critics to ``target`` [B, atoms]; keep unit weight norm. See :func:`critic_loss`."""
    loss, metrics = critic_loss(model, batch, target, next_action, num_demos, penalty_weight)
    metrics["skipped_critic"] = step_if_finite(optimizer, loss)
    model.critic.project_()
    return metrics


def update_actor(
    model: CsilModel,
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


def _joined(model: CsilModel, batch: Batch, next_action: Tensor) -> tuple[Tensor, Tensor]:
    """Critic inputs of (s, a) and (s', a') one after the other: [2B, ·] and [2B, A]."""
    obs = model.critic_obs(batch.now.critic, batch.now.base_action)
    next_obs = model.critic_obs(batch.next.critic, batch.next.base_action)
    return torch.cat([obs, next_obs]), torch.cat([batch.action, next_action])
