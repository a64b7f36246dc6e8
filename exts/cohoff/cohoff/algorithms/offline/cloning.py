# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The clone that backups draw actions from and that anchors read a density off."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from cohoff.networks.mixture import MixturePolicy

REPORT_EVERY = 250
"""Optimizer steps between two reports; each costs a host read."""


def train_mixture(
    clone: MixturePolicy, obs: Tensor, action: Tensor, steps: int, batch_size: int, progress: Callable[[int, str], None]
) -> dict[str, float]:
    """Raise the likelihood of all recorded actions [M, A]; return the mean log density of the last batches."""
    clone.fit_normalization(obs)
    optimizer = torch.optim.Adam(clone.parameters(), 1e-3, fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    likelihood = torch.zeros((), device=obs.device)
    for step in range(1, steps + 1):
        rows = torch.randint(len(obs), (batch_size,), device=obs.device)
        log_prob = clone.log_prob(obs[rows], action[rows]).mean()
        optimizer.zero_grad(set_to_none=True)
        (-log_prob).backward()
        optimizer.step()
        schedule.step()
        likelihood.lerp_(log_prob.detach(), 0.02)
        if step % REPORT_EVERY == 0 or step == steps:
            progress(step, f"log density {float(likelihood):.3f}")
    return {"log_density": float(likelihood)}
