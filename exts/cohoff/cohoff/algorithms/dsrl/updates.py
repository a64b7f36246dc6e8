# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What soft actor-critic (arXiv 1801.01290) makes of whole plans, as pure functions of tensors.

An action u [B, K] in (-1, 1) is the noise of one plan, divided by its bound.
"""

from __future__ import annotations

from torch import Tensor


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


def actor_loss(values: Tensor, log_prob: Tensor, temperature: Tensor, weight: Tensor) -> Tensor:
    """Mean of temperature·log pi - min Q over the actor's own actions, weighted by ``weight`` [B], scalar."""
    return ((temperature * log_prob - values.amin(0)) * weight).mean()


def distillation_loss(values: Tensor, plan_values: Tensor, weight: Tensor) -> Tensor:
    """Squared error of values of noise [E, B] from those of the plans that it leads to [E, B], scalar.

    The mean over rows, each times its ``weight`` [B], and the sum over members, each of which is distilled from the
    member of its number. DSRL-NA (arXiv 2506.15799).
    """
    return ((values - plan_values).square() * weight).mean(1).sum()
