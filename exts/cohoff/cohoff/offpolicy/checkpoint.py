# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Checkpoints: what must fit before one is used, and the replay beside them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from cohoff.errors import InputError
from cohoff.files import atomic_path
from cohoff.offpolicy.learner import Problem
from cohoff.offpolicy.replay_buffer import ReplayBuffer

SIZES = ("actor_dim", "critic_dim", "action_dim")
"""Fields of a problem that shape the networks."""

REPLAYS_KEPT = 2
"""Replay files in a log folder: one for the newest checkpoint, one for the case that writing that was interrupted."""


def read_checkpoint(path: str | os.PathLike[str], device: torch.device | str = "cpu") -> dict[str, Any]:
    """Open ``model_<it>.pt``, or the newest one in a folder; tensors and plain values only.

    Raises:
        InputError: nothing there, unreadable, or not a checkpoint of this learner.
    """
    file = Path(path)
    if file.is_dir():
        found = sorted(file.glob("model_*.pt"), key=lambda f: int(f.stem.removeprefix("model_")))
        if not found:
            raise InputError(f"no checkpoint model_*.pt in folder {str(path)!r}")
        file = found[-1]
    if not file.is_file():
        raise InputError(f"checkpoint {str(path)!r} does not exist; give a model_<iteration>.pt or its folder")
    try:
        content = torch.load(file, map_location=device, weights_only=True)
    except Exception as error:  # torch raises half a dozen kinds for a damaged or foreign file
        raise InputError(f"checkpoint {str(file)!r} cannot be read: it is truncated or not a checkpoint") from error
    if not isinstance(content, dict) or not {"model", "meta", "constants", "counters"} <= content.keys():
        raise InputError(f"{str(file)!r} is not a checkpoint of cohoff; train one with isaaclab train")
    return content


def describe_problem(problem: Problem) -> dict[str, Any]:
    """The problem as plain values, for a checkpoint."""
    return {name: value for name, value in vars(problem).items() if name != "device"}


def check_fits(content: dict[str, Any], task: str, learner: str, problem: Problem) -> None:
    """Raise InputError unless a checkpoint belongs to this task, learner and these sizes."""
    meta = content.get("meta")
    if not isinstance(meta, dict) or "learner" not in meta:
        raise InputError("the checkpoint was not written by cohoff; give a model_<iteration>.pt of such a run")
    if meta["task"] != task:
        raise InputError(f"the checkpoint is of task {meta['task']!r}, not {task!r}; give one trained on {task!r}")
    if meta["learner"] != learner:
        raise InputError(f"the checkpoint is of {meta['learner']}, not of {learner}; use the agent it was trained with")
    saved, now = ([p[name] for name in SIZES] for p in (meta["problem"], describe_problem(problem)))
    if saved != now:
        raise InputError(
            f"the checkpoint has observation and action sizes {tuple(saved)}, the task {tuple(now)}; train it again"
        )


def check_settings(meta: dict[str, Any], settings: dict[str, Any], names: tuple[str, ...]) -> None:
    """Raise InputError unless the settings ``names`` are those that the checkpoint was trained with."""
    for name in names:
        before, now = (json.loads(json.dumps(s[name])) for s in (meta["settings"], settings))
        if before != now:
            raise InputError(
                f"the checkpoint was trained with agent.algorithm.{name}={before}, not {now}; use the same"
            )


def save_replay(buffer: ReplayBuffer, folder: Path, env_steps: int) -> str:
    """Write the replay to ``replay_<env_steps>.safetensors`` and remove all but the newest files; return its path."""
    path = folder.absolute() / f"replay_{env_steps}.safetensors"
    with atomic_path(path) as temporary:
        save_file({name: value.contiguous() for name, value in buffer.state_dict().items()}, temporary)
    files = sorted(folder.glob("replay_*.safetensors"), key=lambda f: int(f.stem.removeprefix("replay_")))
    for old in files[:-REPLAYS_KEPT]:
        old.unlink()
    return str(path)


def restore_replay(buffer: ReplayBuffer, path: str | None) -> None:
    """Fill the replay buffer from the file that a checkpoint names.

    Raises:
        InputError: the file is gone, damaged, or of another number of environments.
    """
    if path is None or not Path(path).is_file():
        raise InputError(f"the checkpoint's replay {path!r} is gone; resume from the newest checkpoint of its run")
    try:
        buffer.load_state_dict(load_file(path, device=str(buffer.device)))
    except (SafetensorError, KeyError) as error:
        raise InputError(f"replay {path!r} is damaged; resume from another checkpoint") from error
    except ValueError as error:
        raise InputError(f"cannot resume: {error}; use the same num_envs and replay_steps") from error
