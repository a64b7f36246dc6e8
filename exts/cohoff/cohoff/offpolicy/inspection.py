# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Files for finding out where a value that is not finite came from."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import save

from cohoff.files import atomic_path
from cohoff.offpolicy.collector import Collector

STEPS = 50
"""Control steps that a file holds, the newest ones."""

FILES = 5
"""Files in a run; one that goes on breaking down would fill the disk."""


class NonFiniteInspector:
    """Writes down the last steps of environments in which a value was not finite.

    ``non_finite_<iteration>.safetensors`` holds ``states/<name>`` [T, ...], ``transitions/<name>`` [T, ...], oldest
    first, and ``environment``. The values that were not finite are zeros there, and ``transitions/valid`` is false.

    Args:
        folder: Folder of the run; None writes nothing.
    """

    def __init__(self, collector: Collector, folder: Path | None):
        self._collector, self._folder = collector, folder
        self._seen = collector.non_finite.clone()

    def inspect(self, iteration: int) -> None:
        """Write a file if there were new values that are not finite, and say what they were; reads from the device."""
        collector = self._collector
        new = collector.non_finite - self._seen
        self._seen.copy_(collector.non_finite)
        environment = int(new.sum(0).argmax())
        fields = [name for name, count in zip(collector.fields, new[:, environment].tolist(), strict=True) if count]
        if not fields:
            return
        line = f"[cohoff] not finite in environment {environment}: {', '.join(fields)}; contained"
        stored = environment < collector.num_train  # those of evaluation are not
        if stored and self._folder is not None and len(list(self._folder.glob("non_finite_*"))) < FILES:
            path = self._folder / f"non_finite_{iteration}.safetensors"
            with atomic_path(path) as temporary:
                temporary.write_bytes(save(last_steps(collector, environment)))
            line += f", its last steps are in {path.name}"
        print(line, flush=True)


def last_steps(collector: Collector, environment: int) -> dict[str, torch.Tensor]:
    """The newest steps of one of the training environments, by flat names."""
    buffer = collector.buffer
    count = min(STEPS, int(buffer.filled))
    slots = torch.arange(int(buffer.head) - count, int(buffer.head), device=buffer.device) % buffer.num_slots
    rows = slots * buffer.stride + environment
    found = {f"states/{name}": value[rows] for name, value in buffer.states.items()}
    found |= {f"transitions/{name}": value[rows] for name, value in buffer.transitions.items()}
    return {name: value.cpu().contiguous() for name, value in found.items()} | {
        "environment": torch.tensor(environment)
    }
