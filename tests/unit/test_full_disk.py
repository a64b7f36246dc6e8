# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A disk that is full ends a command in one line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FULL = """
import resource, signal, sys, torch
from pathlib import Path
from cohoff.cli import run
from cohoff.files import write_json
from cohoff.offpolicy.checkpoint import write_checkpoint
from cohoff.offpolicy.replay_file import save_replay
from cohoff.offpolicy.replay_buffer import ReplayBuffer
from cohoff.policies.base_checkpoint import write_checkpoint as write_base

folder, kind = Path(sys.argv[1]), sys.argv[2]
write = {
    "checkpoint": lambda: write_checkpoint({"weight": torch.zeros(50_000)}, folder / "model_1.pt"),
    "replay": lambda: save_replay(ReplayBuffer(9_000, 4, {"actor": torch.zeros(4, 9)}, 2), folder, 8),
    "base": lambda: write_base(folder / "base.safetensors", {"weight": torch.zeros(50_000)}, {"kind": "flow"}),
    "result": lambda: write_json(folder / "result.json", list(range(50_000))),
}[kind]
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))  # as if the disk were full after that
run(write)
"""


FILES = {
    "checkpoint": "model_1.pt",
    "replay": "replay_8.safetensors",
    "base": "base.safetensors",
    "result": "result.json",
}


def test_a_full_disk_leaves_the_old_files_and_one_line(tmp_path: Path) -> None:
    files = {
        "checkpoint": "model_1.pt",
        "replay": "replay_8.safetensors",
        "base": "base.safetensors",
        "result": "result.json",
    }
    for kind, name in files.items():
        folder = tmp_path / kind
        folder.mkdir()
        (folder / name).write_bytes(b"old")
        command = [sys.executable, "-c", FULL, str(folder), kind]
        process = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert process.returncode == 2, (kind, process.stderr)
        assert process.stderr.startswith("error: ") and process.stderr.count("\n") == 1, (kind, process.stderr)
        assert name in process.stderr
        assert [path.name for path in folder.iterdir()] == [name], kind
        assert (folder / name).read_bytes() == b"old", kind
