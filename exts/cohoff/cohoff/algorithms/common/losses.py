# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The learner's mathematics as pure functions of tensors."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

LOG_TWO = math.log(2.0)
ACTION_LIMIT = 0.999
"""Actions are clamped to this before the inverse tanh, so that a bound action has a finite density."""


def sample_tanh_gaussian(mean: Tensor, std: Tensor, noise: Tensor) -> Tensor:
    """Reparametrized action tanh(mean + std·noise), shape [B, A]."""
    return torch.tanh(torch.addcmul(mean, std, noise))


def sample_with_log_prob(mean: Tensor, std: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
    """Reparametrized action tanh(mean + std·noise) [B, A] and its log density [B], without an inverse of tanh.

    log(1 − tanh²(u)) = 2·(log 2 − u − softplus(−2u)). SAC (arXiv 1801.01290), appendix C.
    """
    u = torch.addcmul(mean, std, noise)
    log_prob = -0.5 * noise.square() - std.log() - 0.5 * math.log(2.0 * math.pi)
    return torch.tanh(u), (log_prob - 2.0 * (LOG_TWO - u - nn.functional.softplus(-2.0 * u))).sum(-1)


def tanh_gaussian_log_prob(mean: Tensor, std: Tensor, action: Tensor) -> Tensor:
    """Log density of actions [B, A] in (−1, 1) under a tanh-Gaussian, shape [B]."""
    action = action.clamp(-ACTION_LIMIT, ACTION_LIMIT)
    z = (torch.atanh(action) - mean) / std
    log_prob = -0.5 * z.square() - std.log() - 0.5 * math.log(2.0 * math.pi) - torch.log1p(-action.square())
    return log_prob.sum(-1)


def gaussian_kl(mean: Tensor, std: Tensor, prior_mean: Tensor, prior_std: Tensor) -> Tensor:
    """Exact KL(pi || prior) of two tanh-Gaussians, shape [B].

    Tanh is a bijection, so the divergence is that of the diagonal Gaussians before it.
    """
    ratio = std / prior_std
    return (-ratio.log() + 0.5 * (ratio.square() + ((mean - prior_mean) / prior_std).square() - 1.0)).sum(-1)


def faithful_clone_loss(mean: Tensor, std: Tensor, action: Tensor) -> Tensor:
    """Mean squared error of the mode plus a likelihood that trains the spread alone, scalar.

    ``std`` must come from features without gradient (HETSTAT's ``faithful``). Faithful heteroscedastic regression,
    used by CSIL (arXiv 2305.16498).
    """
    error = (torch.tanh(mean) - action).square().sum(-1).mean()
    return error - tanh_gaussian_log_prob(mean.detach(), std, action).mean()


def coherent_reward(log_prob: Tensor, action_dim: int) -> Tensor:
    """alpha·(log pi_BC(a|s) − log p(a)) with alpha = 1/d and a uniform prior p on [−1, 1]^d, shape [B]. CSIL, eq. 9."""
    return (log_prob + action_dim * LOG_TWO) / action_dim


def refinement_loss(demo_reward: Tensor, online_reward: Tensor, floor: float = -5.0) -> Tensor:
    """−E_demo[r] + E_online[exp(−r) − 1 + r] with r floored on the online part, scalar.

    An unbiased estimate of a KL divergence. CSIL++.
    """
    online = online_reward.clamp_min(floor)
    return -demo_reward.mean() + (torch.exp(-online) - 1.0 + online).mean()
