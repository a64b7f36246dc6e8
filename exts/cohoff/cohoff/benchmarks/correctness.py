# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The same weights and batch on a device and on the CPU: losses, gradients and plans agree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from cohoff.algorithms.common import categorical_td
from cohoff.algorithms.csil import updates
from cohoff.algorithms.csil.csil import CSIL
from cohoff.benchmarks.learner import draw, filled_buffer, make_learner
from cohoff.benchmarks.planning import make_flow
from cohoff.benchmarks.sizes import ACTION_DIM, OBS_DIM, Sizes
from cohoff.offpolicy.batch import Batch, State

TOLERANCE = 1e-3
"""Largest difference from the CPU, relative to the norm of its result (float32 on both)."""


def check_agreement(sizes: Sizes, device: str) -> Iterator[dict[str, Any]]:
    """One row for each result: its difference from the CPU's.

    Raises:
        RuntimeError: A difference is above :data:`TOLERANCE`; after all rows.
    """
    worst = 0.0
    for name, (here, there) in compared(sizes, device).items():
        difference = float((here - there.cpu()).norm() / here.norm().clamp_min(1e-12))
        worst = max(worst, difference)
        yield {"result": name, "difference": difference}
    if not worst < TOLERANCE:
        raise RuntimeError(f"{device} differs from the CPU by {worst:.2g}, allowed {TOLERANCE:.0e}")


def compared(sizes: Sizes, device: str) -> dict[str, tuple[Tensor, Tensor]]:
    """Results by name, of the CPU and of ``device``."""
    hidden_dims = next(iter(sizes.critics.values()))
    host, other = make_learner("cpu", hidden_dims), make_learner(device, hidden_dims)
    # Otherwise the mean is 0 everywhere, and the spread the prior's.
    for parameter in (host.model.actor.mean_weight, host.model.actor.factor):
        nn.init.normal_(parameter, std=0.2)
    other.modules.load_state_dict(host.modules.state_dict())
    batch = draw(filled_buffer(32, 16, "cpu"), sizes.batches[0])
    noise = torch.randn(len(batch.action), ACTION_DIM)
    obs, chunk_noise = torch.randn(16, OBS_DIM), torch.randn(16, make_flow("cpu").noise_dim)
    flow = make_flow("cpu")
    results = [learner_results(host, batch, noise)]
    results[0]["plan of the flow base"] = flow.plan({"policy": obs}, chunk_noise)
    results.append(learner_results(other, moved(batch, device), noise.to(device)))
    results[1]["plan of the flow base"] = flow.to(device).plan({"policy": obs.to(device)}, chunk_noise.to(device))
    return {name: (value, results[1][name]) for name, value in results[0].items()}


def learner_results(learner: CSIL, batch: Batch, noise: Tensor) -> dict[str, Tensor]:
    """Target, losses and gradients of one batch, without a step."""
    model, half = learner.model, len(batch.action) // 2
    target, next_action, _ = updates.bootstrap_target(model, batch, noise, learner.beta)
    results = {"target": target, "next action": next_action}
    critic_loss, _ = categorical_td.critic_loss(model, batch, target, next_action, half, 1.0)
    results |= loss_and_gradient("critic", critic_loss, model.critic)
    actor_loss, _ = updates.actor_loss(model, batch, noise, learner.beta)
    return results | loss_and_gradient("actor", actor_loss, model.actor)


def loss_and_gradient(name: str, loss: Tensor, module: nn.Module) -> dict[str, Tensor]:
    """The loss and its gradient, all parameters in one vector."""
    gradients = torch.autograd.grad(loss, list(module.parameters()))
    return {
        f"{name} loss": loss.detach(),
        f"{name} gradient": torch.cat([gradient.flatten() for gradient in gradients]),
    }


def moved(batch: Batch, device: str) -> Batch:
    """``batch`` on another device."""
    tensors = {name: getattr(batch, name).to(device) for name in ("action", "returns", "discount", "weight")}
    return replace(batch, **tensors, now=moved_state(batch.now, device), next=moved_state(batch.next, device))


def moved_state(state: State, device: str) -> State:
    """``state`` on another device."""
    actor = state.actor.to(device)
    critic = actor if state.critic is state.actor else state.critic.to(device)
    features = {name: value.to(device) for name, value in state.features.items()}
    return State(actor, critic, state.base_action.to(device), features)
