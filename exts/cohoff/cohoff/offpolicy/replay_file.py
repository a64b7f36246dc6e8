# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The replay buffer in a file beside the checkpoint that it belongs to."""

from __future__ import annotations

import re
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from cohoff.errors import InputError
from cohoff.files import atomic_path
from cohoff.offpolicy.replay_buffer import ReplayBuffer

REPLAYS_KEPT = 2
"""Replay files in a run's folder: for the newest checkpoint, and for the one before, should the newest be damaged."""


def save_replay(buffer: ReplayBuffer, folder: Path, env_steps: int) -> str:
    """Write the replay to ``replay_<env_steps>.safetensors`` and remove all but the newest files; return its name."""
    name = f"replay_{env_steps}.safetensors"
    with atomic_path(folder / name) as temporary:
        try:
            save_file({key: value.contiguous() for key, value in buffer.state_dict().items()}, temporary)
        except SafetensorError as error:
            raise InputError(f"the replay cannot be saved to {str(folder / name)!r} ({error})") from error
    keep_newest(folder, "replay", ".safetensors")
    return name


def keep_newest(folder: Path, kind: str, suffix: str) -> None:
    """Remove all files ``<kind>_<env_steps><suffix>`` in ``folder`` but the newest :data:`REPLAYS_KEPT`."""
    files = [path for path in folder.glob(f"{kind}_*{suffix}") if re.fullmatch(rf"{kind}_\d+", path.stem)]
    for old in sorted(files, key=lambda path: int(path.stem.removeprefix(f"{kind}_")))[:-REPLAYS_KEPT]:
        old.unlink()


def restore_replay(buffer: ReplayBuffer, path: str | None) -> None:
    """Fill the replay buffer from the file that a checkpoint names.

    Raises:
        InputError: The file is gone, damaged, or of another number of environments.
    """
    if path is None or not Path(path).is_file():
        raise InputError(f"the checkpoint's replay {path!r} is gone; resume from the newest checkpoint of its run")
    try:
        state = load_file(path, device=str(buffer.device))
    except (SafetensorError, OSError) as error:
        raise InputError(f"replay {path!r} is damaged; resume from another checkpoint") from error
    if not all(value.isfinite().all() for value in state.values()):
        raise InputError(f"replay {path!r} has values that are not finite; resume from another checkpoint")
    try:
        buffer.load_state_dict(state)
    except (KeyError, RuntimeError) as error:  # a field is missing, or of another shape
        raise InputError(f"replay {path!r} is not of this run; resume from another checkpoint") from error
    except ValueError as error:
        raise InputError(f"cannot resume: {error}; use the same num_envs and replay_rows") from error
