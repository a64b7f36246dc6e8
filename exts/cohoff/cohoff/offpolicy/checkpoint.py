# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Checkpoint files of a run: written whole or not at all, and checked when they are read."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path
from typing import Any

import torch

from cohoff.errors import InputError
from cohoff.files import atomic_path
from cohoff.offpolicy.learner import Problem
from cohoff.run_folder import checkpoints, iteration_of

SIZES = ("actor_dim", "critic_dim", "action_dim")
"""Fields of a problem that shape the networks."""

PARTS = {"model", "optimizers", "constants", "counters", "running", "meta"}
"""What a checkpoint holds at least."""

ENTRIES = {
    "task", "learner", "settings", "agent", "problem", "obs_groups", "group_sizes", "replan_interval", "base",
    "demonstrations", "fingerprint", "replay",
}  # fmt: skip
"""What its ``meta`` holds at least."""

BESIDE = ("base", "replay")
"""Entries of a checkpoint's ``meta`` that name a file. A relative name is one in the folder of the checkpoint."""


def write_checkpoint(content: dict[str, Any], path: Path) -> None:
    """Save ``content`` to ``path`` atomically."""
    buffer = io.BytesIO()  # torch reports a full disk as a fault of its own
    torch.save(content, buffer)
    with atomic_path(path) as temporary:
        temporary.write_bytes(buffer.getvalue())


def read_checkpoint(path: str | os.PathLike[str], device: torch.device | str = "cpu") -> tuple[dict[str, Any], Path]:
    """Open a ``model_<iteration>.pt``, or the newest one in a folder that is whole.

    A damaged checkpoint is passed over for the newest whole one before it in its folder, which is said in one line.

    Returns:
        Its content, tensors on ``device`` and plain values, and its file. File names in ``meta`` are paths.

    Raises:
        InputError: There is none, none can be read, or they are not of this project.
    """
    path = Path(path)
    candidates = _candidates(path)
    for file in reversed(candidates):
        try:
            content = _read(file, device)
        except InputError as error:
            if file == candidates[0]:
                raise
            print(f"[cohoff] {error}; trying the one before it", flush=True)
            continue
        content["meta"] |= {name: _beside(file, content["meta"][name]) for name in BESIDE}
        return content, file
    raise InputError(f"no checkpoint model_<iteration>.pt in folder {str(path)!r}")


def _candidates(path: Path) -> list[Path]:
    """The checkpoint at ``path`` or in that folder and those before it, oldest first."""
    if path.is_dir():
        return checkpoints(path)
    if not path.is_file():
        raise InputError(f"checkpoint {str(path)!r} does not exist; give a model_<iteration>.pt or its folder")
    siblings = checkpoints(path.parent)
    return [s for s in siblings if iteration_of(s) <= iteration_of(path)] if path in siblings else [path]


def _read(file: Path, device: torch.device | str) -> dict[str, Any]:
    try:
        with zipfile.ZipFile(file) as archive:  # torch does not compare checksums
            damaged = archive.testzip()
        content = None if damaged else torch.load(file, map_location=device, weights_only=True)
    except Exception as error:  # torch and zipfile raise half a dozen kinds for a damaged or foreign file
        raise InputError(
            f"checkpoint {str(file)!r} cannot be read: it is damaged, not a checkpoint, or holds code"
        ) from error
    if content is None:
        raise InputError(f"checkpoint {str(file)!r} is damaged")
    if not isinstance(content, dict) or not content.keys() >= PARTS:
        raise InputError(f"{str(file)!r} is not a checkpoint of cohoff; train one with isaaclab train")
    if not isinstance(meta := content["meta"], dict) or not meta.keys() >= ENTRIES:
        raise InputError(f"{str(file)!r} was written by another version of cohoff; train it again")
    for name, value in content["model"].items():
        if not value.isfinite().all():
            raise InputError(f"checkpoint {str(file)!r} has values in {name} that are not finite")
    return content


def _beside(file: Path, name: str | None) -> str | None:
    return None if name is None else str(file.absolute().parent / name)


def describe_problem(problem: Problem) -> dict[str, Any]:
    """The problem as plain values, for a checkpoint."""
    return {name: value for name, value in vars(problem).items() if name != "device"}


def check_fits(meta: dict[str, Any], task: str, problem: Problem) -> None:
    """Raise InputError unless a checkpoint belongs to this task and these sizes."""
    if meta["task"] != task:
        raise InputError(f"the checkpoint is of task {meta['task']!r}, not {task!r}; give one trained on {task!r}")
    saved, now = ([p[name] for name in SIZES] for p in (meta["problem"], describe_problem(problem)))
    if saved != now:
        raise InputError(
            f"the checkpoint has observation and action sizes {tuple(saved)}, the task {tuple(now)}; train it again"
        )
