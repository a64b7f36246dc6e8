# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Recorded episodes for tests of offline learning."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from cohoff.algorithms.offline.configure import configure
from cohoff.algorithms.offline.training import OfflineTraining
from cohoff.data.recording import Recording, load_recording
from cohoff.policies.acting import ActingPolicy
from cohoff.stress import point_mass


@contextmanager
def silent(*arguments: Any) -> Iterator[Any]:
    """Progress that shows nothing."""
    yield lambda done, status: None


def small_recording(lengths: Sequence[int] = (2, 3, 2), won: Sequence[bool] = (True, False, True)) -> Recording:
    """Episodes with a reward of 1 at success; the observation is (episode, step), the action step / 10."""
    count = torch.tensor(lengths)
    episode = torch.arange(len(lengths)).repeat_interleave(count)
    step = torch.cat([torch.arange(length) for length in lengths])
    obs = torch.stack([episode, step], 1).float()
    following = obs + torch.tensor([0.0, 1.0])
    action = step[:, None].float().expand(-1, 2) / 10
    last = count.cumsum(0) - 1
    rewards = torch.zeros(len(obs)).index_copy(0, last, torch.tensor(won).float())
    return Recording(
        {"policy": obs}, action, action, {"policy": following}, count, "Point",
        success=torch.tensor(won), rewards=rewards,
    )  # fmt: skip


def mixed_recording(folder: Path) -> Recording:
    """Mixed data on the point mass: 80 episodes of the drifting base, of which 12 succeed, and 15 of the expert."""
    point_mass.write_base_episodes(folder / "base.hdf5")
    point_mass.write_demonstrations(folder / "demos.hdf5", count=15)
    return load_recording([folder / "base.hdf5", folder / "demos.hdf5"])


def training(
    method: str, recording: Recording, changes: Sequence[str] = (), folder: Path | None = None
) -> OfflineTraining:
    """A training run, not started."""
    found, settings, loop = configure(method, changes)
    return OfflineTraining(method, found.learner, settings, loop, recording, folder, "cpu", seed=0)


def trained_success(method: str, recording: Recording, changes: Sequence[str]) -> float:
    """Success on the point mass after training."""
    run = training(method, recording, changes)
    run.run(silent)
    policy = run.learner.policy("trained")
    assert policy is not None
    success = point_mass.success_rate(ActingPolicy(policy, run.observe, None))  # pyright: ignore[reportArgumentType]
    print(f"{method}: {success:.3f}")
    return success
