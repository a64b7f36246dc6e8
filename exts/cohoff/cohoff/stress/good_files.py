# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""One good file of each kind, to make malformed ones of."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from cohoff.offpolicy.checkpoint import write_checkpoint
from cohoff.stress import point_mass


@dataclass(frozen=True)
class Good:
    """Files that are as they should be."""

    folder: Path
    """Holds a run, its inputs, and a pi-0.5 checkpoint without weights."""

    def copy(self, kind: str, target: Path) -> Path:
        """Copy the files of ``kind`` to ``target``; return the one to edit."""
        name = NAMES[kind]
        source = self.folder / name
        for path in [source] if source.is_file() else sorted(source.rglob("*")):
            if path.is_file():
                copy = target / path.relative_to(self.folder)
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_bytes(path.read_bytes())
        return target / name


NAMES = {
    "demonstrations": "demos.hdf5", "base policy": "base.safetensors", "run": "run", "replay": "replay.safetensors",
    "pi-0.5": "pi05", "result": "result.json", "progress": "run",
}  # fmt: skip
"""File or folder of each kind in the folder of :class:`Good`."""


def make_good(folder: Path) -> Good:
    """Write one good file of each kind."""
    folder.mkdir(parents=True)
    run = folder / "run"
    run.mkdir()
    algorithm = point_mass.train(point_mass.smallest_run(folder), run, iterations=1, num_envs=8, steps=4)
    for iteration in (0, 1):
        write_checkpoint(algorithm.save(), run / f"model_{iteration}.pt")
    replay = next(run.glob("replay_*.safetensors"))
    (folder / "replay.safetensors").write_bytes(replay.read_bytes())
    pi05 = folder / "pi05"
    statistics = {key: {name: [v] * 7 for name, v in (("q01", -1.0), ("q99", 1.0))} for key in ("state", "actions")}
    write_text(pi05 / "config.json", json.dumps({
        "paligemma_variant": "gemma_2b", "action_expert_variant": "gemma_300m", "action_dim": 32,
        "action_horizon": 10,
    }))  # fmt: skip
    write_text(pi05 / "assets" / "robot" / "norm_stats.json", json.dumps({"norm_stats": statistics}))
    write_text(pi05 / "cohoff.json", json.dumps({"instructions": ["put the nut on the peg"]}))
    result = {
        "task": "Point", "success": 0.5, "low": 0.1, "high": 0.9, "episodes": 2, "successes": 1,
        "git_revision": None, "command": "cohoff evaluate",
    }  # fmt: skip
    write_text(folder / "result.json", json.dumps(result))
    return Good(folder)


def write_text(path: Path, text: str) -> None:
    """Write a file and its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
