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

folder = Path(sys.argv[1])
writes = {
    "checkpoint": lambda at: write_checkpoint({"weight": torch.zeros(50_000)}, at / "model_1.pt"),
    "replay": lambda at: save_replay(ReplayBuffer(9_000, 4, {"actor": torch.zeros(4, 9)}, 2), at, 8),
    "base": lambda at: write_base(at / "base.safetensors", {"weight": torch.zeros(50_000)}, {"kind": "flow"}),
    "result": lambda at: write_json(at / "result.json", list(range(50_000))),
}
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))  # as if the disk were full after that
for kind, write in writes.items():
    try:
        run(lambda: write(folder / kind))
    except SystemExit as end:
        print(kind, end.code)
"""


FILES = {
    "checkpoint": "model_1.pt",
    "replay": "replay_8.safetensors",
    "base": "base.safetensors",
    "result": "result.json",
}


def test_a_full_disk_leaves_the_old_files_and_one_line(tmp_path: Path) -> None:
    for kind, name in FILES.items():
        (tmp_path / kind).mkdir()
        (tmp_path / kind / name).write_bytes(b"old")
    command = [sys.executable, "-c", FULL, str(tmp_path)]
    process = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert process.stdout.split() == ["checkpoint", "2", "replay", "2", "base", "2", "result", "2"]
    errors = process.stderr.splitlines()
    assert len(errors) == 4
    for error, (kind, name) in zip(errors, FILES.items(), strict=True):
        assert error.startswith("error: ") and name in error
        assert [path.name for path in (tmp_path / kind).iterdir()] == [name]
        assert (tmp_path / kind / name).read_bytes() == b"old"
