# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Several processes on the CPU that run a function together."""

from __future__ import annotations

import multiprocessing
import os
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from cohoff.stress import gloo

# Workers are forked from a process that has imported what takes long and computed nothing.
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["cohoff.stress.training", "cohoff.algorithms.csil.csil_cfg"])

LONGEST = 60.0
"""Time after which most tests end processes that still run [s]."""


@dataclass
class Ended:
    """What became of a process."""

    status: int | None
    """Exit status, minus the signal for one that was killed; None for one that hung."""
    result: Any
    """What the function returned."""
    output: str
    """Its standard output and error."""

    @property
    def error(self) -> str:
        """The one line that it ended with."""
        (line,) = [line for line in self.output.splitlines() if line.startswith("error: ")]
        assert "Traceback" not in self.output, self.output
        return line


def run(
    function: Callable[..., Any], size: int, folder: Path, *args: Any, patience: float = 20.0,
    ranks: Sequence[int] | None = None, longest: float = LONGEST,
) -> list[Ended]:  # fmt: skip
    """Call ``function(*args)`` in ``size`` processes with ``RANK`` and ``WORLD_SIZE``, or only in some ``ranks``."""
    folder.mkdir(parents=True, exist_ok=True)
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    ranks = range(size) if ranks is None else ranks
    started = [
        _context.Process(target=_work, args=(function, rank, size, port, folder, patience, args)) for rank in ranks
    ]
    for process in started:
        process.start()
    for process in started:
        process.join(longest)
    hung = [process for process in started if process.exitcode is None]
    for process in hung:
        process.kill()
        process.join()
    return [
        Ended(None if process in hung else process.exitcode, _result(folder, rank), _output(folder, rank).read_text())
        for rank, process in zip(ranks, started, strict=True)
    ]


def results(ended: list[Ended]) -> list[Any]:
    """What the processes returned, if all ended well."""
    for process in ended:
        assert process.status == 0, process.output
    return [process.result for process in ended]


def _output(folder: Path, rank: int) -> Path:
    return folder / f"output_{rank}.txt"


def _result(folder: Path, rank: int) -> Any:
    path = folder / f"result_{rank}.pt"
    return torch.load(path, weights_only=True) if path.is_file() else None


def _work(
    function: Callable[..., Any], rank: int, size: int, port: int, folder: Path, patience: float, args: tuple[Any, ...]
) -> None:
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    os.environ |= {"RANK": str(rank), "WORLD_SIZE": str(size), "LOCAL_RANK": str(rank)}
    with _output(folder, rank).open("wb", buffering=0) as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    torch.set_num_threads(1)
    gloo.patience = patience
    torch.save(function(*args), folder / f"result_{rank}.pt")
