# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Runs that are killed again and again, and resumed each time, against one that is left alone."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from cohoff.errors import InputError
from cohoff.offpolicy.checkpoint import read_checkpoint
from cohoff.run_folder import PROGRESS_FILE, checkpoints

HOWS = ("SIGKILL", "while writing", "SIGTERM")
"""Ways to be killed: at a random moment, inside of a file, and as a scheduler does it."""

OF_THE_PLACE = ("/running/seconds", "/meta/base", "/meta/replay", "/meta/demonstrations")
"""Entries of a checkpoint that say when and where, not what was learned."""

QUANTITIES = {
    "networks, target": ("/model",),
    "optimizers": ("/optimizers",),
    "reward's constants": ("/constants",),
    "counters, learning rate, schedules": ("/counters",),
    "base policy's plans and noise": ("/running/collector/base_actions", "/running/before"),
    "random numbers": ("/running/random",),
    "episodes and their outcomes": ("/running/collector/episodes",),
    "states of the environments": ("/running/environment", "/running/collector/state"),
    "replay buffer": ("/replay",),
    "curve (progress.jsonl)": ("/progress",),
}
"""What a resumed run has in common with one that was left alone, and where a checkpoint holds it."""


@dataclass(frozen=True)
class Kill:
    """What became of a run that was killed."""

    how: str
    """One of :data:`HOWS`."""
    iteration: int
    """Iterations that had been reported."""
    resumed_at: int
    """Iteration that the next process goes on from; 0 if it has to begin."""
    torn: int
    """Checkpoints that the kill left damaged."""


def start(folder: Path, name: str, source: Path | None, iterations: int, *options: Any) -> subprocess.Popen:
    """Start a process of training in ``folder / name``."""
    command = [sys.executable, "-m", "cohoff.stress.training", "--inputs", folder, "--folder", folder / name]
    command += ["--iterations", iterations, *options] + (["--source", source] if source else [])
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.log").open("wb") as log:
        return subprocess.Popen([str(part) for part in command], stdout=log, stderr=subprocess.STDOUT)


def run_kills(folder: Path, kills: int, iterations: int, seed: int) -> Iterator[Kill]:
    """Kill a run ``kills`` times, in all ways by turns; start a new one whenever one ends before it is killed.

    The finished runs are left in ``folder`` as ``finished_<n>``, for :func:`compare`.
    """
    draw, numbers, finished = random.Random(seed), count(), count()
    source: Path | None = None
    done = 0
    while done < kills:
        name, how = f"run_{next(numbers)}", HOWS[done % len(HOWS)]
        begun = 0 if source is None else read_checkpoint(source)[0]["counters"]["iteration"]
        options = []
        if how == "while writing":
            options = ["--die_writing", begun + draw.randint(1, 3), draw.randint(1_000, 60_000)]
        process = start(folder, name, source, iterations, *options)
        target = folder / name
        if how != "while writing" and _wait(process, target, begun + 1):
            time.sleep(draw.uniform(0.0, 0.3))
            process.send_signal(signal.SIGKILL if how == "SIGKILL" else signal.SIGTERM)
        status = process.wait(timeout=120)
        if status == 0:  # it was faster
            target.rename(folder / f"finished_{next(finished)}")
            source = None
            continue
        done += 1
        source = target if checkpoints(target) else source
        resumed_at = 0 if source is None else read_checkpoint(source)[0]["counters"]["iteration"]
        yield Kill(how, _reported(target) or begun, resumed_at, _torn(target))
        if resumed_at == iterations:
            target.rename(folder / f"finished_{next(finished)}")
            source = None
    if source is not None:
        name = f"run_{next(numbers)}"
        if start(folder, name, source, iterations).wait(timeout=600) != 0:
            raise InputError(f"the last run did not finish; see {folder / name}.log")
        (folder / name).rename(folder / f"finished_{next(finished)}")


def _wait(process: subprocess.Popen, folder: Path, iteration: int) -> bool:
    """Wait until a run has reported ``iteration``; False if it ended before."""
    while process.poll() is None:
        if _reported(folder) >= iteration:
            return True
        time.sleep(0.02)
    return False


def _reported(folder: Path) -> int:
    file = folder / PROGRESS_FILE
    return 0 if not file.is_file() else file.read_bytes().count(b"\n")


def _torn(folder: Path) -> int:
    torn = 0
    for path in checkpoints(folder):
        try:
            torch.load(path, weights_only=True)
        except Exception:  # whatever it is, the file cannot be used
            torn += 1
    return torn


def compare(reference: Path, other: Path) -> dict[str, bool]:
    """Which :data:`QUANTITIES` are the same, bit for bit, at the end of two runs."""
    found = [name for name in differences(_contents(reference), _contents(other)) if name not in OF_THE_PLACE]
    return {title: not any(name.startswith(places) for name in found) for title, places in QUANTITIES.items()}


def _contents(folder: Path) -> dict[str, Any]:
    content, _ = read_checkpoint(folder)
    lines = [json.loads(line) for line in (folder / PROGRESS_FILE).read_text(encoding="utf-8").splitlines()]
    for line in lines:
        line.pop("seconds")
        line.pop("resumed", None)
    return content | {"replay": load_file(content["meta"]["replay"]), "progress": lines}


def differences(a: Any, b: Any, name: str = "") -> list[str]:
    """Names of the entries in which two nested structures differ, ``/model/actor.weight``."""
    if isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys():
        return [found for key in a for found in differences(a[key], b[key], f"{name}/{key}")]
    if isinstance(a, list | tuple) and isinstance(b, list | tuple) and len(a) == len(b):
        return [found for i, pair in enumerate(zip(a, b, strict=True)) for found in differences(*pair, f"{name}/{i}")]
    if isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor):
        return [] if torch.equal(a, b) else [name]
    return [] if type(a) is type(b) and a == b else [name]
