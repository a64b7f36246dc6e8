# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What recorded episodes contain, in numbers."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from cohoff.data.recording import Recording

SAMPLE = 2_000
"""States of which the neighbors are looked for."""

BOUND = 0.99
"""Actions beyond it count as being at their bound."""


def describe(recording: Recording) -> dict[str, Any]:
    """Episodes, success, lengths, returns, ranges and coverage as JSON values."""
    won = recording.success
    obs, actions = recording.obs, recording.actions
    return {
        "task": recording.task,
        "episodes": recording.num_episodes,
        "successes": int(won.sum()),
        "transitions": recording.num_transitions,
        "lengths": {
            "success": summarize(recording.lengths[won]),
            "failure": summarize(recording.lengths[~won]),
        },
        "returns": None if recording.rewards is None else summarize(recording.returns),
        "actions": [
            {**(summarize(one) or {}), "at_bound": float((one.abs() > BOUND).float().mean())} for one in actions.T
        ],
        "observations": {
            "size": obs.shape[1],
            "constant": int((obs.std(0) < 1e-6).sum()),
            "min": float(obs.min()),
            "max": float(obs.max()),
        },
        "coverage": coverage(recording),
    }


def summarize(values: Tensor) -> dict[str, float] | None:
    """Mean, standard deviation, least and largest of values [N]; None without any."""
    if not len(values):
        return None
    values = values.float()
    spread = {"mean": values.mean(), "std": values.std(correction=0), "min": values.min(), "max": values.max()}
    return {name: float(value) for name, value in spread.items()}


def coverage(recording: Recording, seed: int = 0) -> dict[str, float | None]:
    """How densely the states are covered, and whether failures lead where successes have never been.

    Distances are root mean squares over the entries of an observation, in units of their standard deviation.

    Returns:
        ``distance``: median distance of a state to the nearest one of another episode. ``action_difference``: median
        root mean square difference of the two actions, large where the data hold several ways to act.
        ``failures_near_success``: share of the states of failures that are as near to a success as nine in ten states
        of successes are. None where there are too few episodes.
    """
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randperm(recording.num_transitions, generator=generator)[:SAMPLE].to(recording.actions.device)
    obs = recording.obs / (recording.obs.std(0).clamp_min(1e-6) * recording.obs.shape[1] ** 0.5)
    episode, won = recording.episode_of, recording.success[recording.episode_of]
    distances = torch.cdist(obs[rows], obs).masked_fill_(episode[rows, None] == episode, torch.inf)
    distance, nearest = distances.min(1)
    apart = distance.isfinite()
    difference = (recording.actions[rows] - recording.actions[nearest]).square().mean(1).sqrt()
    to_success = distances.masked_fill(~won, torch.inf).amin(1)
    succeeding, failing = to_success[won[rows]], to_success[~won[rows]]
    known = succeeding[succeeding.isfinite()]
    near = (failing <= known.quantile(0.9)).float() if len(known) else failing[:0]
    return {
        "distance": _median(distance[apart]),
        "action_difference": _median(difference[apart]),
        "failures_near_success": float(near.mean()) if len(near) else None,
    }


def _median(values: Tensor) -> float | None:
    return float(values.median()) if len(values) else None


def plane(obs: Tensor) -> Tensor:
    """States [M, D] on the two principal axes of their normalized entries, [M, 2]."""
    centered = (obs - obs.mean(0)) / obs.std(0).clamp_min(1e-6)
    _, vectors = torch.linalg.eigh(centered.T @ centered)  # ascending
    return centered @ vectors[:, -2:].flip(1)
