# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The state of a run in one file, from which it goes on."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from safetensors import safe_open
from safetensors.torch import save_file

from cohoff.errors import InputError
from cohoff.files import atomic_path, reading
from cohoff.policies.pi05.finetuning.cfg import Pi05TrainingCfg
from cohoff.policies.pi05.finetuning.optimizer import MasterOptimizer

FILE = "training.safetensors"
"""Name of the file in the folder of the result."""

_CURE = "remove it to start anew"
_FREE = ("micro_batch", "gradient_checkpointing", "report_every", "save_every")
"""Settings that may change while a run goes on."""


def identify(cfg: Pi05TrainingCfg, origin: dict[str, Any]) -> dict[str, Any]:
    """Return what must be the same when a run goes on: settings, and ``origin``, the data and the starting weights."""
    return {name: value for name, value in asdict(cfg).items() if name not in _FREE} | origin


def save_state(folder: Path, optimizer: MasterOptimizer, step: int, identity: dict[str, Any]) -> None:
    """Write the state after ``step`` steps, atomically."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in optimizer.state().items()}
    with atomic_path(folder / FILE) as temporary:
        save_file(tensors, temporary, metadata={"step": str(step), "identity": json.dumps(identity)})


def load_state(folder: Path, optimizer: MasterOptimizer, identity: dict[str, Any]) -> int:
    """Read the state into ``optimizer``; return the number of steps taken, 0 if there is no state.

    Raises:
        InputError: The file is damaged, or of a run with other settings or data.
    """
    path = folder / FILE
    if not path.is_file():
        return 0
    with reading(path, _CURE), safe_open(path, framework="pt") as file:
        metadata = file.metadata()
        step, saved = int(metadata["step"]), json.loads(metadata["identity"])
        changed = [name for name in identity if saved.get(name) != json.loads(json.dumps(identity[name]))]
        if changed:
            differences = ", ".join(f"{name} {saved.get(name)!r} then, {identity[name]!r} now" for name in changed)
            raise InputError(f"{str(path)!r} is of a run with other settings ({differences}); {_CURE}")
        optimizer.load_state({name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
    return step
