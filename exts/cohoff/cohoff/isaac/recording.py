# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Episodes of an expert or another policy, recorded in parallel environments and written as HDF5."""

from __future__ import annotations

import itertools
import json
import math
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import h5py
import torch
from isaaclab.utils.datasets import EpisodeData, HDF5DatasetFileHandler
from tensordict import TensorDict

from cohoff.errors import InputError
from cohoff.files import atomic_path, check_target
from cohoff.provenance import versions

from .evaluation import Policy

if TYPE_CHECKING:
    from .env import ManipulationEnv


EPISODE_OVERHEAD = 16_384
"""What an episode takes in a file beside its data [byte]."""


@dataclass(frozen=True)
class CollectionProgress:
    """Progress of a collection."""

    collected: int
    """Episodes to keep so far."""
    attempted: int
    """Finished episodes so far, including failures."""
    planned: int
    """Episodes that will be attempted."""


class EpisodeRecorder:
    """Stores the transitions of running episodes in place and returns finished episodes.

    Args:
        env: The environment, just reset.
        obs: Observations after that reset.
        action_dim: Size of an action.
    """

    def __init__(self, env: ManipulationEnv, obs: dict[str, Any], action_dim: int):
        self._env = env
        steps, n = env.max_episode_length, env.num_envs
        zeros = {
            "actions": torch.zeros(steps, n, action_dim, device=env.device),
            "intended_actions": torch.zeros(steps, n, action_dim, device=env.device),
            "rewards": torch.zeros(steps, n, device=env.device),
            "dones": torch.zeros(steps, n, dtype=torch.bool, device=env.device),
        }
        self._buffers = TensorDict(zeros, batch_size=[steps, n])
        for key, groups in (("obs", obs), ("next_obs", _vectors(obs))):
            rows = TensorDict(groups, batch_size=[n])
            self._buffers[key] = rows.apply(lambda value: value.new_zeros(steps, *value.shape), batch_size=[steps, n])
        self._step = torch.zeros(n, dtype=torch.long, device=env.device)
        self._rows = torch.arange(n, device=env.device)
        self._initial_state = env.scene.get_state(is_relative=True)

    def record(self, obs, action, intended, next_obs, reward, dones) -> None:
        """Store one transition of every environment; ``next_obs`` are the vectors observed before any reset."""
        transition = {
            "obs": obs,
            "actions": action,
            "intended_actions": intended,
            "next_obs": next_obs,
            "rewards": reward,
            "dones": dones,
        }
        self._buffers[self._step, self._rows] = TensorDict(transition, batch_size=[len(self._rows)])
        self._step += 1

    def take(self, env_id: int, success: bool) -> EpisodeData:
        """The episode that has just finished in environment ``env_id``, on the host."""
        length = int(self._step[env_id])
        episode = EpisodeData()
        # A copy even if the environments are on the host: the next episode overwrites the buffers.
        episode.data = self._buffers[:length, env_id].clone().cpu().to_dict()
        episode.data["initial_state"] = _pick(self._initial_state, env_id)
        episode.success = success
        return episode

    def restart(self, dones: torch.Tensor) -> None:
        """Start new episodes where ``dones``, bool, shape [N]; the environments have been reset."""
        self._step.masked_fill_(dones, 0)
        _update(self._initial_state, self._env.scene.get_state(is_relative=True), dones)


@torch.no_grad()
def collect(
    env: ManipulationEnv,
    policy: Policy,
    num_demonstrations: int,
    noise: float,
    disturbance: float,
    seed: int,
    progress: Callable[[CollectionProgress], None] | None = None,
    keep_failures: bool = False,
) -> list[EpisodeData]:
    """Record ``num_demonstrations`` episodes of ``policy``, successful ones unless ``keep_failures``.

    Every environment makes the same number of episodes, because the first ones to finish are the short ones. If there
    are more than wanted, a random choice of them is returned. Their order is random, so that the first episodes of a
    file are a fair sample of it. Episodes in which the simulation broke down are never kept.

    Args:
        env: The environment.
        policy: Gives the actions.
        num_demonstrations: Number of episodes, at least 1.
        noise: Standard deviation of the normal noise that is part of the intended actions, in their units.
        disturbance: Standard deviation of further noise, with which the intended actions are executed, so that the
            expert has to come back to its way. Both actions are recorded. DART (arXiv 1703.09327).
        seed: Seed of the noise and of the choice.
        progress: Called whenever episodes ended.
        keep_failures: Whether episodes without success are kept, too; they end by the time limit.

    Raises:
        RuntimeError: Fewer than half of the episodes can be kept.
    """
    device, n = env.device, env.num_envs
    noise_generator = torch.Generator(device).manual_seed(seed)
    per_env = math.ceil(num_demonstrations / n)
    made = [0] * n
    kept: list[EpisodeData] = []
    obs, _ = env.reset()
    policy.reset(torch.ones(n, dtype=torch.bool, device=device))
    recorder: EpisodeRecorder | None = None
    while True:
        intended = disturb(policy(TensorDict(obs, batch_size=[n])), noise, noise_generator)
        action = disturb(intended, disturbance, noise_generator)
        if recorder is None:
            recorder = EpisodeRecorder(env, obs, action.shape[1])
        next_obs, reward, terminated, truncated, extras = env.step(action)
        dones = terminated | truncated
        final_obs = before_reset(next_obs, extras, dones)
        recorder.record(obs, action, intended, final_obs, reward, dones)
        obs = next_obs
        if extras["num_resets"] == 0:
            continue
        policy.reset(dones)
        success, invalid = extras["success"].tolist(), extras["invalid"].tolist()
        for env_id in dones.nonzero().squeeze(1).tolist():
            if made[env_id] < per_env:
                made[env_id] += 1
                if success[env_id] or (keep_failures and not invalid[env_id]):
                    kept.append(recorder.take(env_id, success[env_id]))
        recorder.restart(dones)
        if progress is not None:
            progress(CollectionProgress(len(kept), sum(made), per_env * n))
        if sum(made) == per_env * n:
            if len(kept) >= num_demonstrations:
                break
            if len(kept) < 0.5 * sum(made):
                ended = "were valid" if keep_failures else "succeeded"
                raise RuntimeError(f"only {len(kept)} of {sum(made)} episodes {ended}")
            per_env += 1
    order = torch.randperm(len(kept), generator=torch.Generator().manual_seed(seed))
    return [kept[i] for i in order[:num_demonstrations].tolist()]


def disturb(action: torch.Tensor, std: float, generator: torch.Generator) -> torch.Tensor:
    """Actions with normal noise, within their bounds; nothing is drawn for ``std`` 0."""
    if std == 0.0:
        return action
    return (action + std * torch.randn(action.shape, generator=generator, device=action.device)).clamp(-1.0, 1.0)


def check_demonstration_target(path: str) -> None:
    """Raise :class:`InputError` if demonstrations cannot be written to ``path``."""
    if Path(path).suffix != ".hdf5":
        raise InputError(f"--output is {path!r}; give a file name that ends in .hdf5")
    check_target(path)


def write_demonstrations(
    path: str | os.PathLike[str],
    episodes: list[EpisodeData],
    task: str,
    seed: int,
    noise: float,
    disturbance: float = 0.0,
    overrides: Sequence[str] = (),
    policy: str = "expert",
) -> None:
    """Write ``episodes`` to ``path``, which ends in ``.hdf5``, in the layout of Isaac Lab and robomimic.

    The attributes of ``/data`` are ``env_args``, ``total`` (number of transitions), ``task``, ``seed``, ``noise``,
    ``disturbance``, ``overrides``, ``policy`` and ``versions``. Each ``/data/demo_<i>`` holds ``obs/<group>`` [T, D],
    ``next_obs/<group>`` [T, D], ``actions`` [T, A] as executed, ``intended_actions`` [T, A], ``rewards`` [T], ``dones``
    [T] and ``initial_state`` (state of the scene relative to the environment, first dimension 1); with cameras also
    ``obs/images/<camera>`` [T, height, width, 3] uint8.

    Raises:
        InputError: There is not enough space on the disk. The episodes that fit are saved.
    """
    # HDF5 crashes the process if the disk is full when it closes a file.
    sizes = [EPISODE_OVERHEAD + sum(value.nbytes for value in _leaves(episode.data)) for episode in episodes]
    free = shutil.disk_usage(check_target(path).parent).free
    fitting = sum(total < free for total in itertools.accumulate(sizes))
    if fitting > 0:
        _write(path, episodes[:fitting], task, seed, noise, disturbance, overrides, policy)
    if fitting < len(episodes):
        saved = f"only {fitting} of {len(episodes)} demonstrations are" if fitting else "no demonstration is"
        raise InputError(f"the disk of {str(path)!r} is full, {saved} saved; {sum(sizes) / 2**20:.1f} MiB are needed")


def _write(
    path: str | os.PathLike[str],
    episodes: list[EpisodeData],
    task: str,
    seed: int,
    noise: float,
    disturbance: float,
    overrides: Sequence[str],
    policy: str,
) -> None:
    with atomic_path(path) as temporary:
        handler = HDF5DatasetFileHandler()
        handler.create(str(temporary), env_name=task)
        try:
            for episode in episodes:
                episode.seed = seed
                handler.write_episode(episode, dataset_compression=False)
            # The handler has no method that sets attributes.
            data = cast(h5py.Group, handler._hdf5_data_group)
            data.attrs.update(task=task, seed=seed, noise=noise, disturbance=disturbance, policy=policy)
            data.attrs.update(overrides=json.dumps(list(overrides)), versions=json.dumps(versions()))
        finally:
            handler.close()


def _leaves(data: dict[str, Any]) -> Iterator[torch.Tensor]:
    """All tensors of a nested dictionary."""
    for value in data.values():
        if isinstance(value, torch.Tensor):
            yield value
        else:
            yield from _leaves(value)


def before_reset(next_obs: dict[str, Any], extras: dict[str, Any], dones: torch.Tensor) -> dict[str, Any]:
    """Vectors observed after the step, before any reset."""
    vectors = _vectors(next_obs)
    if extras["num_resets"] == 0:
        return vectors
    final = extras["final_obs"]
    return {
        name: torch.where(dones.view(-1, *[1] * (value.ndim - 1)), final[name], value)
        for name, value in vectors.items()
    }


def _vectors(obs: dict[str, Any]) -> dict[str, torch.Tensor]:
    """The groups that are one tensor, which images are not: the ``obs`` of the next step holds them already."""
    return {name: value for name, value in obs.items() if isinstance(value, torch.Tensor)}


def _pick(state: dict[str, Any], env_id: int) -> dict[str, Any]:
    """Row ``env_id`` of every tensor of a nested dictionary, on the host, first dimension 1; without empty branches."""
    picked = {}
    for key, value in state.items():
        if isinstance(value, torch.Tensor):
            picked[key] = value[env_id : env_id + 1].cpu()
        elif branch := _pick(value, env_id):
            picked[key] = branch
    return picked


def _update(state: dict[str, Any], new: dict[str, Any], rows: torch.Tensor) -> None:
    """Copy ``rows``, bool, shape [N], of every tensor of ``new`` into ``state``."""
    for key, value in new.items():
        if isinstance(value, torch.Tensor):
            state[key] = torch.where(rows.view(-1, *[1] * (value.ndim - 1)), value, state[key])
        else:
            _update(state[key], value, rows)
