# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The losses of soft actor-critic (arXiv 1801.01290, 1812.05905) as pure functions of tensors.

An action u [B, K] in (-1, 1) is the noise of one plan, divided by its bound.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import softplus


def sample_with_log_prob(mean: Tensor, std: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
    """Reparametrized action tanh(mean + std·noise) [B, K] and its log density [B], finite for any ``noise`` [B, K]."""
    z = torch.addcmul(mean, std, noise)
    # log(1 - tanh(z)^2) = 2·(log 2 - z - softplus(-2z))
    squashing = 2.0 * (math.log(2.0) - z - softplus(-2.0 * z))
    log_prob = -0.5 * noise.square() - std.log() - 0.5 * math.log(2.0 * math.pi) - squashing
    return torch.tanh(z), log_prob.sum(-1)


def soft_target(returns: Tensor, discount: Tensor, values: Tensor, log_prob: Tensor, temperature: Tensor) -> Tensor:
    """Target [B]: return of a plan + discount·(min Q(s', u') - temperature·log pi(u'|s')).

    Args:
        returns: Discounted reward until the next plan, [B].
        discount: Factor of the value at the next plan, discount^steps, 0 after success, [B].
        values: Of the target critics at the next plan, [E, B].
        log_prob: Of the next action, [B].
        temperature: Weight of the entropy, scalar.
    """
    return returns + discount * (values.amin(0) - temperature * log_prob)


def critic_loss(values: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Squared error of the critics' values [E, B], weighted by ``weight`` [B], summed over critics, scalar."""
    return ((values - target).square() * weight).mean(1).sum()


def actor_loss(values: Tensor, log_prob: Tensor, temperature: Tensor, weight: Tensor) -> Tensor:
    """Mean of temperature·log pi - min Q over the actor's own actions, weighted by ``weight`` [B], scalar."""
    return ((temperature * log_prob - values.amin(0)) * weight).mean()


def temperature_loss(log_temperature: Tensor, log_prob: Tensor, target_entropy: float) -> Tensor:
    """Falls with the temperature where the policy's entropy is above ``target_entropy``, scalar."""
    return -(log_temperature * (log_prob + target_entropy)).mean()
