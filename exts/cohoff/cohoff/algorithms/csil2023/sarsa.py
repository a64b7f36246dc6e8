# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Pre-training of scalar critics on the demonstrations by SARSA. CSIL (arXiv 2305.16498)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from cohoff.algorithms.common import scalar_td
from cohoff.algorithms.csil.critic_pretraining import REPORT_EVERY, following_rows, one_step_batch
from cohoff.algorithms.csil.model import SoftImitationModel
from cohoff.offpolicy.transitions import Transitions


def pretrain_critic(
    model: SoftImitationModel,
    demonstrations: Transitions,
    rewards: Tensor,
    discount: float,
    cfg: dict[str, Any],
    gradient_penalty: float,
    target_rate: float,
    progress: Callable[[int, str], None],
) -> None:
    """Fit the critics to one-step returns of the demonstrated actions under ``rewards`` [M]; the target follows."""
    optimizer = torch.optim.Adam(model.critic.parameters(), cfg["pretrain_learning_rate"], fused=True)
    size = cfg["pretrain_batch_size"]
    next_rows = following_rows(demonstrations)
    discounts = discount * ~demonstrations.success
    everyone = torch.arange(cfg["num_members"], device=rewards.device)
    for step in range(cfg["pretrain_steps"]):
        rows = torch.randint(len(demonstrations), (size,), device=rewards.device)
        batch = one_step_batch(demonstrations, rows, rewards[rows], discounts[rows])
        next_action = demonstrations.action[next_rows[rows]]
        target = scalar_td.bootstrap_target(model, batch, next_action, torch.zeros_like(batch.returns), everyone)
        metrics = scalar_td.update_critic(model, optimizer, batch, target, size, gradient_penalty)
        model.target.track_(model.critic, target_rate)
        if (step + 1) % REPORT_EVERY == 0:
            progress(step + 1, f"critic loss {float(metrics['critic_loss']):.3f}")
