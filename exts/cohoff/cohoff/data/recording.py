# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Episodes of any policy, failures included: what is learned from without a simulator."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cohoff.data.demonstrations import Demonstrations
from cohoff.data.episode_file import (
    CURE,
    check_header,
    check_sizes,
    episode_names,
    open_file,
    read_array,
    read_arrays,
    succeeded,
)  # fmt: skip
from cohoff.data.episodes import POLICY, Episodes
from cohoff.errors import InputError
from cohoff.files import reading


@dataclass
class Recording(Episodes):
    """Episodes that ended in success, or else by their time limit, from any number of files."""

    success: Tensor = field(kw_only=True)
    """Whether each episode succeeded, bool, shape [E]."""
    rewards: Tensor | None = field(kw_only=True)
    """Reward of each transition, shape [M]; None where a file has none."""

    @property
    def returns(self) -> Tensor:
        """Sum of the rewards of each episode, [E].

        Raises:
            InputError: There are no rewards.
        """
        if self.rewards is None:
            raise InputError(f"the data have no rewards, so that their returns are not known; {CURE} --keep all")
        return self.rewards.new_zeros(self.num_episodes).index_add_(0, self.episode_of, self.rewards)

    def with_failures(self, share: float) -> Recording:
        """The first episodes of each kind, so many that ``share`` of them, in (0, 1), are failures.

        Raises:
            InputError: There are no failures or no successes.
        """
        lost, won = (~self.success).nonzero()[:, 0], self.success.nonzero()[:, 0]
        if not len(lost) or not len(won):
            raise InputError(
                f"{len(won)} of {self.num_episodes} episodes of the data succeeded, so that failures cannot be a share "
                f"of {share:g}; add others to --data (collect_demos --keep all)"
            )
        count = min(len(lost) / share, len(won) / (1.0 - share))
        kept = (lost[: max(round(count * share), 1)], won[: max(round(count * (1.0 - share)), 1)])
        episodes = torch.cat(kept).sort().values
        rows = self.rows_of(episodes)
        return Recording(
            observations={group: value[rows] for group, value in self.observations.items()},
            actions=self.actions[rows],
            intended=self.intended[rows],
            next_observations={group: value[rows] for group, value in self.next_observations.items()},
            lengths=self.lengths[episodes],
            task=self.task,
            success=self.success[episodes],
            rewards=None if self.rewards is None else self.rewards[rows],
        )

    def demonstrations(self) -> Demonstrations:
        """The successful episodes.

        Raises:
            InputError: There is none.
        """
        if not self.success.any():
            raise InputError("no episode of the data succeeded; add a file with successes to --data")
        everything = Demonstrations(
            self.observations, self.actions, self.intended, self.next_observations, self.lengths, self.task
        )
        return everything.subset(self.success.nonzero()[:, 0])


def load_recording(
    paths: Sequence[str | os.PathLike[str]],
    task: str | None = None,
    sizes: Mapping[str, int | None] = {POLICY: None},
    device: str | torch.device = "cpu",
) -> Recording:
    """Read and join files written by ``scripts/collect_demos.py``, with or without failures.

    Args:
        paths: HDF5 files, at least one.
        task: Task id that the files must be of; None accepts any, but only one.
        sizes: Observation groups to read and the required size D of each; None accepts any size.
        device: Where the tensors go.

    Raises:
        InputError: A file cannot be used, see :func:`~cohoff.data.demonstrations.load_demonstrations`, or two files
            are of different tasks or sizes.
    """
    arrays: list[dict[str, np.ndarray]] = []
    names: list[str] = []
    success: list[bool] = []
    for path in paths:
        with open_file(path) as file, reading(path, CURE):
            data, file_task = check_header(file, repr(str(path)), sizes)
            if file_task != (task := task or file_task):
                raise InputError(f"{str(path)!r} holds episodes of task {file_task!r}, not {task!r}; give files of one")
            episodes = episode_names(data)
            if not episodes:
                raise InputError(f"{str(path)!r} holds no episodes; record some with scripts/collect_demos.py")
            for episode in episodes:
                names.append(f"{episode} of {str(path)!r}")
                arrays.append(_read(data[episode], sizes, names[-1]))
                success.append(succeeded(data[episode], names[-1]))
    check_sizes(arrays, {f"obs/{group}": size for group, size in sizes.items()} | {"actions": None}, names)
    keys = set.intersection(*(set(one) for one in arrays))
    joined = {key: torch.from_numpy(np.concatenate([one[key] for one in arrays])).to(device) for key in keys}
    assert task is not None
    return Recording(
        observations={group: joined[f"obs/{group}"] for group in sizes},
        actions=joined["actions"],
        intended=joined["intended_actions"],
        next_observations={group: joined[f"next_obs/{group}"] for group in sizes},
        lengths=torch.tensor([len(one["actions"]) for one in arrays], device=device),
        task=task,
        success=torch.tensor(success, device=device),
        rewards=joined.get("rewards"),
    )


def _read(group: Any, sizes: Mapping[str, int | None], name: str) -> dict[str, np.ndarray]:
    """:func:`~cohoff.data.episode_file.read_arrays` and, where they are recorded, ``rewards`` [T]."""
    arrays = read_arrays(group, sizes, name)
    if "rewards" in group:
        arrays["rewards"] = read_array(group, "rewards", name, ndim=1)
        if len(arrays["rewards"]) != len(arrays["actions"]):
            raise InputError(
                f"{name} has {len(arrays['rewards'])} rewards for {len(arrays['actions'])} actions; {CURE}"
            )
    return arrays
