# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Behavior cloning of the small policy."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import torch

from cohoff.algorithms.common import losses
from cohoff.algorithms.csil.quality import clone_quality
from cohoff.networks.stationary import StationaryPolicy
from cohoff.offpolicy.transitions import Corrections, Transitions

Progress = Callable[[int, str], None]
"""Told the steps done and a short status."""

REPORT_EVERY = 250
"""Optimizer steps between two looks at the held-out demonstrations; each costs a host read."""


def num_steps(cfg: dict[str, Any], demonstrations: Transitions, corrections: Corrections | None) -> int:
    """Optimizer steps of :func:`train_clone`: ``cfg["steps"]``, or more if ``cfg["epochs"]`` asks for them."""
    num_transitions = len(demonstrations.action) + (0 if corrections is None else len(corrections.action))
    return max(cfg["steps"], math.ceil(cfg["epochs"] * num_transitions / cfg["batch_size"]))


def train_clone(
    policy: StationaryPolicy,
    demonstrations: Transitions,
    corrections: Corrections | None,
    cfg: dict[str, Any],
    progress: Progress,
) -> dict[str, float]:
    """Clone the demonstrations, and what was intended in ``corrections``, into ``policy``.

    With a share of the demonstrations held out, the parameters with the lowest loss on it are kept, else the last ones.

    Returns:
        Loss, mean squared error and mean coherent reward of the parameters kept, on the demonstrations that are held
        out or else on all of them.
    """
    obs, action = demonstrations.now.actor, demonstrations.action
    num_demonstrated = len(obs)
    if corrections is not None:
        obs, action = torch.cat([obs, corrections.obs]), torch.cat([action, corrections.action])
    policy.train()
    policy.fit_normalization(obs)
    count = demonstrations.num_episodes
    holdout = max(1, round(cfg["holdout"] * count)) if cfg["holdout"] > 0.0 else 0
    # Episodes lie end to end: the first ones are held out.
    first = int(demonstrations.lengths[:holdout].sum())
    watched = slice(first or num_demonstrated)
    body = [parameter for name, parameter in policy.named_parameters() if name != "factor"]
    groups = [
        {"params": body, "peak": cfg["learning_rate"]},
        {"params": [policy.factor], "peak": cfg["covariance_learning_rate"]},
    ]
    optimizer = torch.optim.Adam(groups, fused=True)
    best, best_state = {"loss": math.inf}, copy.deepcopy(policy.state_dict())
    steps = num_steps(cfg, demonstrations, corrections)
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * 0.5 * (1.0 + math.cos(math.pi * step / steps))
        rows = torch.randint(first, len(obs), (cfg["batch_size"],), device=obs.device)
        mean, std = policy(obs[rows], faithful=True)
        loss = losses.faithful_clone_loss(mean, std, action[rows])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        if (step + 1) % REPORT_EVERY == 0 or step + 1 == steps:
            result = clone_quality(policy, obs[watched], action[watched])
            if not holdout or result["loss"] < best["loss"]:
                best, best_state = result, copy.deepcopy(policy.state_dict())
            progress(step + 1, f"{'held-out loss' if holdout else 'loss'} {result['loss']:.3f}")
    policy.load_state_dict(best_state)
    policy.eval()
    return best
