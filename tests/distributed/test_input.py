# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Processes that cannot train together end with one line each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cases
import pytest
import torch
from processes import results, run

from cohoff.stress import point_mass


@pytest.fixture
def cfg(tmp_path: Path) -> dict[str, Any]:
    """CSIL++ without a base policy, as small as can be."""
    return point_mass.smallest_csil(tmp_path) | {"num_steps_per_env": 4, "save_interval": 1, "max_iterations": 2}


def test_other_settings_on_one_rank(cfg: dict[str, Any], tmp_path: Path) -> None:
    for ended in run(cases.train_unlike, 2, tmp_path / "out", cfg, tmp_path / "run", {"beta": 0.123}):
        assert ended.status == 2
        assert "the same algorithm.beta, but rank 0 has 2.0 and rank 1 has 0.123" in ended.error


def test_other_demonstrations_on_one_rank(cfg: dict[str, Any], tmp_path: Path) -> None:
    point_mass.write_demonstrations(tmp_path / "others.hdf5", count=5)
    changes = {"demonstrations": str(tmp_path / "others.hdf5")}
    for ended in run(cases.train_unlike, 2, tmp_path / "out", cfg, tmp_path / "run", changes):
        assert ended.status == 2 and "the same demonstrations" in ended.error


def test_an_error_of_one_rank_is_that_of_all(cfg: dict[str, Any], tmp_path: Path) -> None:
    changes = {"demonstrations": str(tmp_path / "nothing.hdf5")}
    for ended in run(cases.train_unlike, 2, tmp_path / "out", cfg, tmp_path / "run", changes):
        assert ended.status == 2 and "rank 1: " in ended.error and "nothing.hdf5" in ended.error
    assert not list((tmp_path / "run").glob("*.pt"))


def test_a_missing_rank(cfg: dict[str, Any], tmp_path: Path) -> None:
    (ended,) = run(cases.train_unlike, 2, tmp_path / "out", cfg, tmp_path / "run", {}, patience=2.0, ranks=[0])
    assert ended.status == 2 and "not all 2 processes came to 127.0.0.1" in ended.error


def test_another_number_of_environments_at_resume(cfg: dict[str, Any], tmp_path: Path) -> None:
    cases.train_with_environments(cfg, tmp_path / "run", 8, None)
    arguments = (cfg, tmp_path / "more", 12, tmp_path / "run" / "model_0.pt")
    for ended in run(cases.train_with_environments, 2, tmp_path / "out", *arguments):
        assert ended.status == 2 and "50 steps of 7 environments" in ended.error and "num_envs" in ended.error


def test_an_optimizer_that_steps_alone_is_found(tmp_path: Path) -> None:
    for ended in run(cases.step_alone, 2, tmp_path):
        assert ended.status == 2 and "the processes' networks differ" in ended.error


def test_a_step_that_is_not_finite_on_one_rank_is_skipped_on_all(tmp_path: Path) -> None:
    first, second = results(run(cases.skip_together, 2, tmp_path))
    assert first[0] == second[0] == [0.0, 1.0, 0.0]
    assert torch.equal(first[1], second[1]) and first[1].isfinite().all() and first[1][0] != 0.0
    assert torch.equal(first[2], torch.tensor([1.0, 1.0]))  # mean of (1, 0) and (1, 2)
