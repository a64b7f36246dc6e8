# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Everything that happens on the demonstrations alone: cloning, base actions, critic pre-training."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable

import torch
from torch import Tensor

from cohoff.algorithms.common import losses
from cohoff.algorithms.csil.model import CsilModel
from cohoff.algorithms.csil.updates import Batch, update_critic
from cohoff.data.demonstrations import Demonstrations
from cohoff.data.stored import stored_observations
from cohoff.networks.stationary import StationaryPolicy
from cohoff.policies.base import ChunkPolicy
from cohoff.policies.chunking import ChunkEngine

Progress = Callable[[int, str], None]
"""Told the steps done and a short status."""

REPORT_EVERY = 250
"""Optimiser steps between two looks at the held-out demonstrations; each costs a host read."""

MIN_OBS_STD = 0.05
"""Observation entries that hardly vary in the demonstrations are not blown up by their normalisation."""


def train_clone(policy: StationaryPolicy, demos: Demonstrations, cfg: dict, progress: Progress) -> dict[str, float]:
    """Clone the demonstrations into ``policy``.

    With a share held out, the parameters with the lowest loss on it are kept, else the last ones.

    Returns:
        Loss, mean squared error and mean coherent reward at the parameters kept, on what is held out or else on all.
    """
    policy.train()
    policy.set_normalisation(demos.obs.mean(0), demos.obs.std(0).clamp_min(MIN_OBS_STD))
    train = watched = demos
    if cfg["holdout"] > 0.0:
        held_out = max(1, round(cfg["holdout"] * demos.num_episodes))
        train, watched = demos.subset(range(held_out, demos.num_episodes)), demos.subset(range(held_out))
    body = [parameter for name, parameter in policy.named_parameters() if name != "factor"]
    groups = [
        {"params": body, "peak": cfg["learning_rate"]},
        {"params": [policy.factor], "peak": cfg["covariance_learning_rate"]},
    ]
    optimiser = torch.optim.Adam(groups, fused=True)
    best, best_state = {"loss": math.inf}, copy.deepcopy(policy.state_dict())
    for step in range(cfg["steps"]):
        for group in optimiser.param_groups:
            group["lr"] = group["peak"] * 0.5 * (1.0 + math.cos(math.pi * step / cfg["steps"]))
        rows = torch.randint(train.num_transitions, (cfg["batch_size"],), device=train.obs.device)
        mean, std = policy(train.obs[rows], faithful=True)
        loss = losses.faithful_clone_loss(mean, std, train.actions[rows])
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        if (step + 1) % REPORT_EVERY == 0 or step + 1 == cfg["steps"]:
            result = clone_quality(policy, watched)
            if watched is train or result["loss"] < best["loss"]:
                best, best_state = result, copy.deepcopy(policy.state_dict())
            progress(step + 1, f"{'loss' if watched is train else 'held-out loss'} {result['loss']:.3f}")
    policy.load_state_dict(best_state)
    policy.eval()
    return best


@torch.no_grad()
def clone_quality(policy: StationaryPolicy, demos: Demonstrations) -> dict[str, float]:
    """Loss, mean squared error of the mode and mean coherent reward of ``policy`` on demonstrations."""
    training = policy.training
    mean, std = policy.eval()(demos.obs)
    policy.train(training)
    reward = losses.coherent_reward(
        losses.tanh_gaussian_log_prob(mean, std, demos.actions), demos.actions.shape[-1]
    ).mean()
    return {
        "loss": float(losses.faithful_clone_loss(mean, std, demos.actions)),
        "mse": float((torch.tanh(mean) - demos.actions).square().mean()),
        "reward": float(reward),
    }


@torch.no_grad()
def base_actions(base: ChunkPolicy, demos: Demonstrations, replan_interval: int) -> tuple[Tensor, Tensor]:
    """Base actions at every demonstrated observation and at its successor, [M, A] each.

    The frozen base follows all demonstrations side by side through the same chunk queue that drives environments, each
    queue empty at its demonstration's start. What the base reads beside ``policy`` is not recorded after the last step; there
    the observation before it stands in, for an action that no value follows from, as the episode has ended in success.

    Raises:
        InputError: The demonstrations lack an observation that the base reads.
    """
    engine = ChunkEngine(base, demos.num_episodes, demos.obs.device, replan_interval)
    current, following = torch.zeros_like(demos.actions), torch.zeros_like(demos.actions)
    last = demos.lengths - 1
    with stored_observations(demos, [name for name in base.observations if name != "policy"]) as read:
        for step in range(int(demos.lengths.max()) + 1):
            rows = demos.starts + torch.minimum(last, torch.full_like(last, step))
            ended = (step > last)[:, None]
            obs = read(step)
            obs["policy"] = torch.where(ended, demos.next_obs[rows], demos.obs[rows])
            action = engine.act(obs)
            arrived = step - 1 <= last  # the action at step t is the successor's action of step t - 1
            if step > 0:
                previous = demos.starts + torch.minimum(last, torch.full_like(last, step - 1))
                following[previous[arrived]] = action[arrived]
            current[rows[~ended[:, 0]]] = action[~ended[:, 0]]
    return current, following


def pretrain_critic(
    model: CsilModel,
    demos: Demonstrations,
    base_action: Tensor,
    next_base_action: Tensor,
    returns: Tensor,
    cfg: dict,
    batch_size: int,
    penalty_weight: float,
    progress: Progress,
) -> dict[str, float]:
    """Fit the critics to the demonstrations' scaled returns [M] (two-hot), and copy them into the target.

    A one-step (SARSA) backup needs about 1/(target_rate·(1 − discount)) updates to carry the success value to the
    start; the demonstrated returns are its fixed point and are known.

    Returns:
        Correlation of Q with the returns, and the mean Q of demonstrated and of uniform actions, scaled.
    """
    optimiser = torch.optim.Adam(model.critic.parameters(), cfg["pretrain_learning_rate"], fused=True)
    # The successor's demonstrated action is the next row's; the last one of an episode is its own stand-in.
    next_row = torch.arange(demos.num_transitions, device=returns.device) + 1
    last_rows = demos.starts + demos.lengths - 1
    next_row[last_rows] = last_rows
    for step in range(cfg["pretrain_steps"]):
        rows = torch.randint(demos.num_transitions, (batch_size,), device=returns.device)
        zeros = torch.zeros_like(returns[rows])
        batch = Batch(
            demos.obs[rows], demos.actions[rows], base_action[rows], zeros, zeros,
            demos.next_obs[rows], next_base_action[rows], torch.ones_like(zeros),
        )  # fmt: skip
        target, _ = losses.two_hot(returns[rows], model.critic.atoms)
        metrics = update_critic(
            model, optimiser, batch, target, demos.actions[next_row[rows]], batch_size, penalty_weight
        )
        if (step + 1) % REPORT_EVERY == 0:
            progress(step + 1, f"critic loss {float(metrics['critic_loss']):.3f}")
    model.target.load_state_dict(model.critic.state_dict())
    return critic_quality(model, demos, base_action, returns)


@torch.no_grad()
def critic_quality(model: CsilModel, demos: Demonstrations, base_action: Tensor, returns: Tensor) -> dict[str, float]:
    """Correlation of Q with returns [M], and mean Q of demonstrated and of uniform actions on up to 4,096 rows."""
    rows = torch.randint(demos.num_transitions, (4096,), device=returns.device)
    obs = model.critic_obs(demos.obs[rows], base_action[rows])
    demonstrated = model.critic.expectation(model.critic(obs, demos.actions[rows])).mean(0)
    uniform = torch.rand_like(demos.actions[rows]) * 2.0 - 1.0
    return {
        "correlation": float(torch.corrcoef(torch.stack([demonstrated, returns[rows]]))[0, 1]),
        "q_demonstrated": float(demonstrated.mean()),
        "q_uniform": float(model.critic.expectation(model.critic(obs, uniform)).mean()),
    }
