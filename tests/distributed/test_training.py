# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Several processes train one policy, on the CPU with gloo."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cases
import pytest
import torch
from learning_cases import base_success, csil_settings, point_mass_cfg
from processes import results, run

from cohoff.stress import point_mass
from cohoff.stress.kills import compare

ITERATIONS, STEPS, ENVS, UPDATES = 6, 8, 8, 3


@pytest.fixture
def cfg(tmp_path: Path) -> dict[str, Any]:
    """CSIL++ over a flow base, as small as can be; the actor waits for episodes, and the reward is refined."""
    torch.manual_seed(0)  # of the base policy's weights
    cfg = point_mass.smallest_run(tmp_path)
    cfg["algorithm"] |= {
        "actor_start_episodes": 1, "policy_delay": 2, "refinement_learning_rate": 1e-3,
        "update_to_data": UPDATES / (STEPS * ENVS),
    }  # fmt: skip
    return cfg | {"max_iterations": ITERATIONS, "num_steps_per_env": STEPS, "save_interval": 2}


def progress(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "progress.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("size", [2, 4])
def test_networks_are_equal_after_every_update(cfg: dict[str, Any], tmp_path: Path, size: int) -> None:
    first, *others = results(run(cases.train, size, tmp_path / "out", cfg, tmp_path / "run"))
    for other in others:
        assert torch.equal(other["after"], first["after"])
        assert other["constants"] == first["constants"] and other["discount"] == first["discount"]
        assert other["counters"] == first["counters"] == [ITERATIONS, ITERATIONS * STEPS * ENVS * size, 18]
        assert not torch.equal(other["replay"]["states/actor"], first["replay"]["states/actor"])
    lines = progress(tmp_path / "run")
    assert lines[-1]["train_episodes"] == sum(float(one["episodes"][1]) for one in (first, *others))
    assert first["fewest"]["train"] == min(int(one["episodes"][-1]) for one in (first, *others))
    assert "kl" not in lines[0] and "kl" in lines[-1]  # the actor has started
    assert [path.name for path in sorted((tmp_path / "run").glob("model_*.pt"))] == [
        f"model_{i}.pt" for i in (0, 2, 4, 5)
    ]


@pytest.mark.slow
def test_two_processes_raise_success(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The learning test, with half of the environments and of the batch in each of two."""
    cfg = point_mass_cfg(tmp_path, monkeypatch)
    cfg["algorithm"] = csil_settings() | cfg["algorithm"] | {"learner": csil_settings()["learner"], "batch_size": 64}
    cfg |= {"num_steps_per_env": 8, "save_interval": 100, "logger": "tensorboard"}
    success, _ = results(run(cases.learn, 2, tmp_path / "out", cfg, tmp_path / "run", longest=600.0))
    print(f"base {base_success():.3f}, after training in two processes {success:.3f}")
    assert success > base_success() + 0.1


def test_a_run_goes_on_with_any_number_of_processes(cfg: dict[str, Any], tmp_path: Path) -> None:
    """A signal to one of two ends both; two go on as if nothing had been, one goes on, and two go on with that."""
    results(run(cases.train, 2, tmp_path / "out_whole", cfg, tmp_path / "whole"))
    stopped = run(cases.train_until, 2, tmp_path / "out_stopped", cfg, tmp_path / "stopped", cases.be_preempted)
    assert [process.status for process in stopped] == [143, 143]

    results(run(cases.train, 2, tmp_path / "out_same", cfg, tmp_path / "same", tmp_path / "stopped"))
    assert all(compare(tmp_path / "whole", tmp_path / "same").values())

    one = cases.train(cfg, tmp_path / "one", tmp_path / "stopped")
    before, steps = progress(tmp_path / "stopped")[-1], STEPS * ENVS
    assert before["iteration"] == 3 and before["env_steps"] == 3 * steps * 2
    assert one["counters"] == [ITERATIONS, 3 * steps * 2 + 3 * steps, 18]
    lines = progress(tmp_path / "one")
    assert 0 <= lines[3]["train_episodes"] - before["train_episodes"] <= 7 and lines[3]["resumed"]

    source = tmp_path / "one" / "model_4.pt"
    two = results(run(cases.train, 2, tmp_path / "out_two", cfg, tmp_path / "two", source))
    assert torch.equal(two[0]["after"], two[1]["after"])
    assert two[0]["counters"] == two[1]["counters"] == [ITERATIONS, lines[4]["env_steps"] + 2 * steps, 18]
    (*_, last) = progress(tmp_path / "two")
    assert last["train_episodes"] == sum(float(rank["episodes"][1]) for rank in two)
    assert 0 <= last["train_episodes"] - lines[4]["train_episodes"] <= 2 * 7 < lines[4]["train_episodes"]
    old = 7 * STEPS * 3  # both begin with the one's replay, and end with experience of their own
    replays = [rank["replay"]["transitions/action"] for rank in two]
    assert torch.equal(replays[0][:old], replays[1][:old]) and not torch.equal(*replays)


def test_all_wait_for_a_slow_process(cfg: dict[str, Any], tmp_path: Path) -> None:
    first, slow = results(run(cases.train_until, 2, tmp_path / "out", cfg, tmp_path / "run", cases.be_slow))
    assert all(torch.equal(value, slow["model"][name]) for name, value in first["model"].items())


def test_a_process_that_is_killed_ends_the_others_with_one_line(cfg: dict[str, Any], tmp_path: Path) -> None:
    first, killed, third = run(cases.train_until, 3, tmp_path / "out", cfg, tmp_path / "run", cases.die)
    assert killed.status == -9
    for other in (first, third):
        assert other.status == 2 and "another process of this run has ended" in other.error
    results(run(cases.train, 2, tmp_path / "out_2", cfg, tmp_path / "resumed", tmp_path / "run"))


def test_a_process_that_does_not_answer_ends_the_others_with_one_line(cfg: dict[str, Any], tmp_path: Path) -> None:
    first, _ = run(cases.train_until, 2, tmp_path / "out", cfg, tmp_path / "run", cases.hang, patience=3.0)
    assert first.status == 2 and "does not answer" in first.error
