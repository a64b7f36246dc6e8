# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""One optimiser step each: critic, actor, reward. Static shapes, no host synchronisation."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from cohoff.algorithms.common import losses
from cohoff.algorithms.csil.model import CsilModel
from cohoff.networks.stationary import StationaryPolicy
from cohoff.offpolicy.replay_buffer import TransitionStore

Metrics = dict[str, Tensor]
"""Detached scalars on the device."""


@dataclass
class Batch:
    """B windows of transitions, summed to their n-step form. Demonstrations come first."""

    obs: Tensor
    """At the window's start, [B, D]."""
    action: Tensor
    """Executed at the start, [B, A]."""
    base_action: Tensor
    """Of the base policy at the start, [B, A]."""
    returns: Tensor
    """Discounted scaled reward inside the window, [B]."""
    discount: Tensor
    """Factor of the value after the window, 0 after success, [B]."""
    next_obs: Tensor
    """After the window, [B, D]."""
    next_base_action: Tensor
    """Of the base policy after the window, [B, A]."""
    weight: Tensor
    """1, or 0 for a window that starts at an invalid transition, [B]."""


def assemble(store: TransitionStore, index: Tensor, mask: Tensor, rewards: Tensor, discount: float) -> Batch:
    """Sum windows [B, n] drawn by :meth:`TransitionStore.sample` with their rewards [B, n] into a batch."""
    powers = discount ** torch.arange(index.shape[1], device=index.device)
    length = mask.sum(1)
    last = index.gather(1, (length - 1).clamp_min(0)[:, None])[:, 0]
    first, rows = index[:, 0], store.rows
    return Batch(
        obs=rows["obs"][first],
        action=rows["action"][first],
        base_action=rows["base_action"][first],
        returns=(rewards * mask * powers).sum(1),
        discount=discount**length * ~rows["success"][last],
        next_obs=rows["next_obs"][last],
        next_base_action=rows["next_base_action"][last],
        weight=mask[:, 0].float(),
    )


def concatenate(first: Batch, second: Batch) -> Batch:
    """One batch of both."""
    return Batch(*(torch.cat([a, b]) for a, b in zip(vars(first).values(), vars(second).values(), strict=True)))


def bootstrap_target(model: CsilModel, batch: Batch, beta: float) -> tuple[Tensor, Tensor, Metrics]:
    """Distributional soft target [B, atoms] and the next executed action [B, A], without gradient.

    V(s') = Q(s', a') − beta·KL(pi || prior)(s'), from the critic with the lower expected Q of each sample. The target
    network normalises (s, a) and (s', a') jointly, as the online one does. CSIL++; XQC (arXiv 2509.25174).
    """
    with torch.no_grad():
        mean, std = model.actor(batch.next_obs)
        divergence = losses.gaussian_kl(mean, std, *model.prior(batch.next_obs))
        policy_action = losses.sample_tanh_gaussian(mean, std, torch.randn_like(mean))
        next_action = model.combination(batch.next_base_action, policy_action)
        joined_obs, joined_action = _join(model, batch, next_action)
        size = len(batch.obs)
        logits = model.target(joined_obs, joined_action, batch_statistics=True, rows=slice(size, None))
        pessimist = model.target.expectation(logits).argmin(0)
        probs = logits.softmax(-1)[pessimist, torch.arange(size, device=pessimist.device)]
        positions = batch.returns[:, None] + batch.discount[:, None] * (model.target.atoms - beta * divergence[:, None])
        target, clipped = losses.project_categorical(probs, positions, model.target.atoms)
    return target, next_action, {"target_clipped": clipped, "next_kl": divergence.mean()}


def update_critic(
    model: CsilModel,
    optimiser: torch.optim.Optimizer,
    batch: Batch,
    target: Tensor,
    next_action: Tensor,
    num_demos: int,
    penalty_weight: float,
) -> Metrics:
    """Fit the critics to ``target`` [B, atoms] on the joined pass over (s, a) and (s', a'); keep unit weight norm.

    With ``penalty_weight`` the critic's mean gradient norm sqrt(E|dQ/da|^2) on the first ``num_demos`` rows is penalised.
    """
    joined_obs, joined_action = _join(model, batch, next_action)
    logits = model.critic(joined_obs, joined_action, batch_statistics=True, track=True, rows=slice(len(batch.obs)))
    loss = losses.categorical_cross_entropy(logits, target * batch.weight[:, None])
    metrics = {"critic_loss": loss.detach()}
    if penalty_weight > 0.0:
        penalty = gradient_norm(model, batch, num_demos)
        loss = loss + penalty_weight * penalty
        metrics["gradient_norm"] = penalty.detach()
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    optimiser.step()
    model.critic.project_()
    value = model.critic.expectation(logits.detach())
    return metrics | {"q_demo": value[:, :num_demos].mean(), "q_replay": value[:, num_demos:].mean()}


def gradient_norm(model: CsilModel, batch: Batch, num_rows: int) -> Tensor:
    """sqrt(E|dQ/da|^2) over the first ``num_rows`` rows, scalar, differentiable in the critic's weights. CSIL, sec. 5."""
    action = batch.action[:num_rows].clone().requires_grad_(True)
    obs = model.critic_obs(batch.obs[:num_rows], batch.base_action[:num_rows])
    value = model.critic.expectation(model.critic(obs, action)).mean(0).sum()
    (gradient,) = torch.autograd.grad(value, action, create_graph=True)
    return torch.sqrt(gradient.square().sum(-1).mean() + 1e-12)


def update_actor(model: CsilModel, optimiser: torch.optim.Optimizer, batch: Batch, beta: float) -> Metrics:
    """Lower beta·KL(pi || prior) − Q at the batch's observations, through the combination."""
    mean, std = model.actor(batch.obs)
    with torch.no_grad():
        prior_mean, prior_std = model.prior(batch.obs)
    divergence = losses.gaussian_kl(mean, std, prior_mean, prior_std).mean()
    policy_action = losses.sample_tanh_gaussian(mean, std, torch.randn_like(mean))
    action = model.combination(batch.base_action, policy_action)
    logits = model.critic(model.critic_obs(batch.obs, batch.base_action), action)
    value = model.critic.expectation(logits).mean()
    optimiser.zero_grad(set_to_none=True)
    # Only the actor's gradients: the critic's weights are inputs here, and skipping theirs saves a third of the pass.
    (beta * divergence - value).backward(inputs=list(model.actor.parameters()))
    optimiser.step()
    return {"kl": divergence.detach(), "q_actor": value.detach(), "std": std.detach().mean()}


def update_reward(policy: StationaryPolicy, optimiser: torch.optim.Optimizer, batch: Batch, num_demos: int) -> Metrics:
    """One SGD step of the reward's refinement on demonstrations (first rows) against replay. CSIL++."""
    mean, std = policy(batch.obs)
    log_prob = losses.tanh_gaussian_log_prob(mean, std, batch.action)
    reward = losses.coherent_reward(log_prob, batch.action.shape[-1])
    loss = losses.refinement_loss(reward[:num_demos], reward[num_demos:])
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    optimiser.step()
    return {"refinement_loss": loss.detach()}


def _join(model: CsilModel, batch: Batch, next_action: Tensor) -> tuple[Tensor, Tensor]:
    """Critic inputs of (s, a) and (s', a') one after the other: [2B, ·] and [2B, A]."""
    obs = model.critic_obs(batch.obs, batch.base_action)
    next_obs = model.critic_obs(batch.next_obs, batch.next_base_action)
    return torch.cat([obs, next_obs]), torch.cat([batch.action, next_action])
