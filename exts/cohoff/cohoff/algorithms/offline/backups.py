# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Targets of the critic without a simulator, as functions of the networks and a batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from cohoff.algorithms.common import temporal_difference as td
from cohoff.networks.mixture import gumbel_noise
from cohoff.offpolicy.batch import Batch

MONTE_CARLO, RETURN_TO_GO = "monte_carlo", "return_to_go"
"""Features of recorded states: discounted and plain sum of the rewards that followed in the episode, [B]."""

REWARD = "reward"
"""Feature of recorded states: the reward of the step that follows, [B]."""

SMOOTHING = 0.2, 0.5
"""Standard deviation and limit of target policy smoothing, TD3 (arXiv 1802.09477)."""


def expectile_loss(value: Tensor, target: Tensor, expectile: float) -> Tensor:
    """Squared error of values [B] from targets [B] where an excess of the target counts ``expectile``, a lack of it the
    rest, scalar. IQL (arXiv 2110.06169), eq. 5.
    """
    error = target - value
    return (torch.where(error > 0, expectile, 1.0 - expectile) * error.square()).mean()


def best_of(values: Tensor) -> Tensor:
    """Largest value of K samples, each the least of the members, of values [E, K, B], shape [B]."""
    return values.amin(0).amax(0)


def minimum(model: Any, batch: Batch, num_samples: int) -> Tensor:
    """Return [B] with the smaller value of the target actor's smoothed action."""
    action = torch.tanh(model.target_actor.mean(model.actor_input(batch.next)))
    action = td.noisy_action(action, torch.randn_like(action), *SMOOTHING)
    return td.td_target(batch.returns, batch.discount, model.target(batch.next.critic, action).amin(0))


def expectile(model: Any, batch: Batch, num_samples: int) -> Tensor:
    """Return [B] with the value network's value, which no action is asked for."""
    return td.td_target(batch.returns, batch.discount, model.state_value(batch.next))


def best_of_clone(model: Any, batch: Batch, num_samples: int) -> Tensor:
    """Return [B] with the best of ``num_samples`` actions of the clone."""
    count, clone, device = len(batch.action), model.clone, batch.action.device
    action = clone.sample(
        batch.next.actor,
        gumbel_noise(num_samples, count, clone.num_components, device=device),
        torch.randn(num_samples, count, clone.action_dim, device=device),
    )
    values = model.target(batch.next.critic.repeat(num_samples, 1), action.flatten(0, 1))
    return td.td_target(batch.returns, batch.discount, best_of(values.unflatten(1, (num_samples, count))))


def monte_carlo(model: Any, batch: Batch, num_samples: int) -> Tensor:
    """Discounted rewards [B] that followed in the episode: values of what was done."""
    return batch.now.features[MONTE_CARLO]


BACKUPS: dict[str, Callable[[Any, Batch, int], Tensor]] = {
    "minimum": minimum,
    "expectile": expectile,
    "best_of": best_of_clone,
    "monte_carlo": monte_carlo,
}
"""Targets [B] by name."""
