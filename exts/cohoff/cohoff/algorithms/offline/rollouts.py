# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Transitions of a learned model beside the recorded ones. MOPO (arXiv 2005.13239)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from cohoff.algorithms.offline.backups import REWARD
from cohoff.networks.dynamics import DynamicsEnsemble
from cohoff.offpolicy.batch import Batch, State, concatenate
from cohoff.offpolicy.transitions import Transitions

REPORT_EVERY = 250
"""Optimizer steps between two reports; each costs a host read."""


def train_dynamics(
    model: DynamicsEnsemble, transitions: Transitions, steps: int, progress: Callable[[int, str], None]
) -> dict[str, float]:
    """Fit the ensemble to all transitions, whose states have their reward as a feature; return its last mean loss."""
    rows = torch.arange(len(transitions), device=transitions.action.device)
    obs, action, success = transitions.now.actor, transitions.action, transitions.success
    change = transitions.next_state(rows).actor - obs
    reward = transitions.now.features[REWARD]
    model.fit_normalization(obs)
    model.fit_changes(change)
    optimizer = torch.optim.Adam(model.parameters(), 1e-3, fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    mean = torch.zeros((), device=obs.device)
    for step in range(1, steps + 1):
        rows = torch.randint(len(obs), (256,), device=obs.device)
        loss = model.loss(obs[rows], action[rows], change[rows], reward[rows], success[rows])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        schedule.step()
        mean.lerp_(loss.detach() / model.num_members, 0.02)
        if step % REPORT_EVERY == 0 or step == steps:
            progress(step, f"loss {float(mean):.3f}")
    return {"loss": float(mean)}


@torch.no_grad()
def extend(
    batch: Batch,
    model: DynamicsEnsemble,
    act: Callable[[Tensor], Tensor],
    steps: int,
    penalty: float,
    discount: Tensor,
) -> Batch:
    """The batch, and as many transitions of rollouts from a part of its states.

    A rollout goes on for ``steps``, and each of its steps counts as far as it has not succeeded before. The reward is
    the predicted one less ``penalty`` times the uncertainty. Actor and critic must read the same observation.

    Args:
        batch: B recorded windows.
        model: Predicts.
        act: Actions [B', A] of the policy at observations [B', D].
        steps: Length of a rollout.
        penalty: Of the uncertainty.
        discount: Of a control step, a scalar.
    """
    obs = batch.now.actor[:: max(1, steps)]
    goes_on = torch.ones(len(obs), device=obs.device)
    for _ in range(steps):
        action = act(obs)
        following, reward, success, uncertainty = model.predict(obs, action)
        step = Batch(
            now=_state(batch.now, obs), action=action, returns=reward - penalty * uncertainty,
            discount=discount * (1.0 - success), followed=torch.zeros_like(reward), next=_state(batch.now, following),
            weight=goes_on,
        )  # fmt: skip
        batch = concatenate(batch, step)
        goes_on = goes_on * (1.0 - success)
        obs = following
    return batch


def _state(like: State, obs: Tensor) -> State:
    """Observations as states, with features that nothing is known of."""
    features = {name: value.new_zeros(len(obs), *value.shape[1:]) for name, value in like.features.items()}
    return State(obs, obs, obs[:, :0], features)
