# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""lerobot's network for the benchmarks of pi-0.5, in a process and environment of its own."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cohoff.errors import InputError

LEROBOT = Path(__file__).parents[1] / ".venv-parity" / "bin" / "python"
"""Python of the environment that ``make parity`` creates."""


def check_lerobot() -> None:
    """Raise InputError unless lerobot's environment is there."""
    if not LEROBOT.is_file():
        raise InputError("lerobot needs the environment .venv-parity; create it with make parity")


class Lerobot:
    """A process that answers requests; see ``lerobot_worker.py``."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Send a request and wait for the answer."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise InputError("lerobot's process ended; its last words are above")
        return json.loads(answer)


@contextmanager
def start_lerobot() -> Iterator[Lerobot]:
    """Start the process, and end it when the block is left."""
    command = [str(LEROBOT), str(Path(__file__).with_name("lerobot_worker.py"))]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield Lerobot(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait()
