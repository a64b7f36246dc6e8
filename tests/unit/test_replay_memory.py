# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The size of a run's replay buffer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from cohoff.errors import InputError
from cohoff.memory import left_in_group
from cohoff.offpolicy import replay_memory
from cohoff.offpolicy.algorithm_cfg import OffPolicyAlgorithmCfg
from cohoff.offpolicy.episodes import evaluation_environments
from cohoff.offpolicy.replay_memory import allocate_replay, replay_bytes
from cohoff.stress import point_mass

STATE = {"actor": torch.zeros(4, 9), "base_action": torch.zeros(4, 2), "feature": torch.zeros(4, 3, dtype=torch.half)}


def test_the_default_is_4000_steps_of_64_environments() -> None:
    cfg = OffPolicyAlgorithmCfg(learner="")
    num_train = 64 - evaluation_environments(64, cfg.evaluation_share)
    assert cfg.replay_rows // num_train == 4_000 and cfg.replay_rows % num_train == 0


def test_the_memory_that_is_told_is_what_is_allocated(capsys: pytest.CaptureFixture[str]) -> None:
    buffer = allocate_replay(41, 4, 5, STATE, 2)
    assert (buffer.num_steps, buffer.stride) == (10, 4)
    rows, ends = 11 * 4, 4
    # A state: 11 floats and 3 halves; an action, a reward and 3 flags; the successor.
    expected = (rows + ends + 1) * (11 * 4 + 3 * 2) + (rows + 1) * (2 * 4 + 4 + 3 + 8) + (ends + 1) * 8
    assert buffer.num_bytes == replay_bytes(10, 4, STATE, 2) == expected
    assert (
        "40 transitions, 10 control steps of each of 4 training environments, takes 0.00 GB" in capsys.readouterr().out
    )


def test_what_does_not_fit_is_not_allocated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay_memory, "free_memory", lambda device: replay_bytes(10, 4, STATE, 2) - 1)
    allocate_replay(36, 4, 5, STATE, 2)
    with pytest.raises(InputError, match=r"lower agent.algorithm.replay_rows=40, for half of that to 19"):
        allocate_replay(40, 4, 5, STATE, 2)


def test_a_million_environments_need_no_terabyte_to_be_told_so() -> None:
    with pytest.raises(InputError, match=r"takes \d{7}.\d\d GB, but cpu has"):
        allocate_replay(10**14, 4, 5, STATE, 2)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"n_step": 6, "replay_rows": 41}, "replay_rows=41 holds 5 control steps of each of 7 training environments"),
        ({"replay_rows": 10**14}, "GB free; lower agent.algorithm.replay_rows"),
    ],
)
def test_a_run_ends_in_one_line_before_it_learns(
    change: dict[str, Any], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cfg = point_mass.smallest_csil(tmp_path)
    cfg["algorithm"] |= change
    with pytest.raises(SystemExit):
        point_mass.train(cfg, tmp_path, iterations=0, num_envs=8)
    printed = capsys.readouterr()
    (line,) = printed.err.splitlines()
    assert line.startswith("error: ") and words in line and "clone" not in printed.out


def group(folder: Path, limit: str, used: int, cache: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "memory.max").write_text(limit + "\n")
    (folder / "memory.current").write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"anon {used - cache}\ninactive_file {cache}\n")


def test_the_limit_of_a_job_counts(tmp_path: Path) -> None:
    """The smallest one of all groups that it is in, without files that can be dropped."""
    root, process = tmp_path / "cgroup", tmp_path / "process"
    process.write_text("1:cpu:/elsewhere\n0::/slurm/job_7/step_0\n")
    group(root / "slurm", "1000", 500, 100)
    group(root / "slurm" / "job_7", "700", 300, 100)
    group(root / "slurm" / "job_7" / "step_0", "max", 300, 100)
    assert left_in_group(root, process) == 500
    group(root / "slurm", "800", 500, 100)
    assert left_in_group(root, process) == 400
    assert left_in_group(tmp_path / "none", tmp_path / "no_process") == float("inf")
