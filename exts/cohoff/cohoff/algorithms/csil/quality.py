# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""How well the demonstrations were learned: clone, critic and reward in numbers."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from cohoff.algorithms.common import losses
from cohoff.algorithms.csil.model import SoftImitationModel
from cohoff.algorithms.csil.reward import Reward
from cohoff.networks.stationary import StationaryPolicy
from cohoff.offpolicy.transitions import Transitions


@torch.no_grad()
def clone_quality(policy: StationaryPolicy, obs: Tensor, action: Tensor) -> dict[str, float]:
    """Loss, mean squared error of the mode and mean coherent reward of ``policy`` at [M, D] and [M, A]."""
    training = policy.training
    mean, std = policy.eval()(obs)
    policy.train(training)
    reward = losses.coherent_reward(losses.tanh_gaussian_log_prob(mean, std, action), action.shape[-1])
    return {
        "loss": float(losses.faithful_clone_loss(mean, std, action)),
        "mse": float((torch.tanh(mean) - action).square().mean()),
        "reward": float(reward.mean()),
    }


@torch.no_grad()
def critic_quality(model: SoftImitationModel, demonstrations: Transitions, returns: Tensor) -> dict[str, float]:
    """Correlation of Q with returns [M], and mean Q, on 4,096 rows."""
    rows = torch.randint(len(demonstrations), (4096,), device=returns.device)
    state = demonstrations.state(rows)
    action = model.taught_action(state, demonstrations.action[rows])
    demonstrated = model.critic.value(*model.critic_inputs(state, action)).mean(0)
    return {
        "correlation": float(torch.corrcoef(torch.stack([demonstrated, returns[rows]]))[0, 1]),
        "q_demonstrated": float(demonstrated.mean()),
    }


@torch.no_grad()
def reward_quality(
    model: SoftImitationModel, raw: Callable[[Tensor, Tensor], Tensor], demonstrations: Transitions
) -> dict[str, float]:
    """The coherent reward ``raw`` [M] of observations and actions where it should be high, low and near zero.

    ``far``: observations five standard deviations away with uniform actions; ``uniform``: demonstrated observations
    with uniform actions; ``combined``: the executed mean action.
    """
    obs, action = demonstrations.now.actor, demonstrations.action
    uniform = torch.rand_like(action) * 2.0 - 1.0
    far = obs + 5.0 * torch.randn_like(obs) * obs.std(0)
    combined = model.combination(demonstrations.now.base_action, torch.tanh(model.actor(obs)[0]))
    values = {
        "demonstrated": raw(obs, action),
        "combined": raw(obs, combined),
        "uniform": raw(obs, uniform),
        "far": raw(far, uniform),
    }
    return {f"{name}_{stat}": float(getattr(v, stat)()) for name, v in values.items() for stat in ("mean", "std")}


@torch.no_grad()
def return_quality(
    model: SoftImitationModel, reward: Reward, demonstrations: Transitions, returns: Tensor, discount: float
) -> dict[str, float]:
    """What the scaled returns [M] of the demonstrations say beyond the time to success.

    ``not_time``: share of their variance that a discounted constant cost per step does not explain;
    ``density_share``: share of the mean cost of a demonstrated step that is not constant; ``finishing_atoms``: how many
    atoms of the critic's support a demonstration is worth more, from its start, than waiting for ever.
    """
    lengths = demonstrations.lengths
    remaining = demonstrations.last_rows.repeat_interleave(lengths) - torch.arange(len(returns), device=returns.device)
    correlation = torch.corrcoef(torch.stack([returns, discount ** remaining.to(returns.dtype)]))[0, 1]
    step = reward(demonstrations.now.actor, demonstrations.action, demonstrations.success).mean()
    advantage = returns[demonstrations.first_rows].mean() - reward.waiting / (1.0 - discount)
    atoms = model.critic.atoms
    return {
        "discount": discount,
        "not_time": float(1.0 - correlation.square()),
        "density_share": float(1.0 - reward.waiting / step) if reward.waiting < 0.0 else 0.0,
        "finishing_atoms": float(advantage / (atoms[1] - atoms[0])),
    }
