# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A run that is interrupted and resumed equals one that was not; checkpoints are whole or not there."""

from __future__ import annotations

import copy
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from cohoff.algorithms.csil.csil import CSIL
from cohoff.errors import InputError
from cohoff.offpolicy.batch import Batch
from cohoff.offpolicy.checkpoint import read_checkpoint, write_checkpoint
from cohoff.offpolicy.inference import load_policy
from cohoff.offpolicy.runner import OffPolicyRunner
from cohoff.offpolicy.saved_settings import merge, named_on_command_line
from cohoff.policies.combine import Residual
from cohoff.policies.flow.policy import FlowPolicy, FlowPolicySpec
from cohoff.stress import point_mass
from cohoff.stress.kills import differences
from cohoff.stress.training import make_runner


@pytest.fixture
def cfg(tmp_path: Path) -> dict[str, Any]:
    """Five iterations with a flow base, as small as can be."""
    return point_mass.smallest_run(tmp_path)


class ForgetfulPointMass:
    """A point mass that restores nothing, like a simulator."""

    def __init__(self, num_envs: int, folder: Path) -> None:
        self._env = point_mass.PointMass(num_envs, folder)
        self.unwrapped = self

    def __getattr__(self, name: str) -> Any:
        if name in ("state_dict", "load_state_dict"):
            raise AttributeError(name)
        return getattr(self.__dict__["_env"], name)


def resume(cfg: dict[str, Any], source: Path, folder: Path, env: Any = None) -> OffPolicyRunner:
    runner = make_runner(cfg, folder, env, seed=1)
    runner.load(str(source))
    runner.learn(cfg["max_iterations"])
    return runner


def stopped(cfg: dict[str, Any], folder: Path, iteration: int, number: int = signal.SIGTERM) -> OffPolicyRunner:
    """A run that gets a signal in the middle of an iteration."""
    runner = make_runner(cfg, folder)
    step = runner.alg.process_env_step

    def process_env_step(*args: Any) -> None:
        step(*args)
        if runner.alg.iteration == iteration:
            os.kill(os.getpid(), number)
            runner.alg.process_env_step = step

    runner.alg.process_env_step = process_env_step  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(KeyboardInterrupt if number == signal.SIGINT else SystemExit) as end:
        runner.learn(cfg["max_iterations"])
    if number != signal.SIGINT:
        assert end.value.code == 128 + number  # pyright: ignore[reportAttributeAccessIssue]
    return runner


def progress(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "progress.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1, signal.SIGINT])
def test_an_interrupted_run_equals_one_that_was_not(cfg: dict[str, Any], tmp_path: Path, number: int) -> None:
    cfg["algorithm"]["update_to_data"] = 0.2  # 6.4 updates an iteration
    make_runner(cfg, tmp_path / "whole").learn(5)
    stopped(cfg, tmp_path / "first", iteration=2, number=number)
    assert [path.name for path in sorted((tmp_path / "first").glob("model_*.pt"))] == ["model_0.pt", "model_2.pt"]
    resume(cfg, tmp_path / "first", tmp_path / "second")

    whole, resumed = (read_checkpoint(tmp_path / name)[0] for name in ("whole", "second"))
    assert differences(whole, resumed) == ["/running/seconds", "/meta/base", "/meta/replay"]
    first, second = (progress(tmp_path / name) for name in ("whole", "second"))
    assert [line.pop("resumed", False) for line in second] == [False, False, False, True, False]
    for line in first + second:
        del line["seconds"]
    assert first == second
    assert len(list((tmp_path / "second").glob("events.out.tfevents.*"))) == 2


def test_a_run_goes_on_in_its_own_folder_and_in_no_other(cfg: dict[str, Any], tmp_path: Path) -> None:
    make_runner(cfg, tmp_path / "whole").learn(5)
    stopped(cfg, tmp_path / "first", iteration=2)
    with pytest.raises(SystemExit):
        resume(cfg, tmp_path / "first", tmp_path / "whole")
    assert len(progress(tmp_path / "whole")) == 5
    resume(cfg, tmp_path / "first", tmp_path / "first")
    whole, resumed = (read_checkpoint(tmp_path / name)[0] for name in ("whole", "first"))
    assert differences(whole, resumed) == ["/running/seconds", "/meta/base", "/meta/replay"]
    assert [line["iteration"] for line in progress(tmp_path / "first")] == [1, 2, 3, 4, 5]


SIGNALED_TWICE = """
import os, sys
from cohoff.offpolicy.distributed import ALONE
from cohoff.offpolicy.interruption import Interrupted, Interruption
with Interruption(ALONE) as interruption:
    for number in map(int, sys.argv[1:]):
        os.kill(os.getpid(), number)
    try:
        interruption.check()
    except Interrupted as end:
        sys.exit(end.status)
"""


@pytest.mark.parametrize(
    ("second", "status"), [(signal.SIGTERM, 143), (signal.SIGUSR1, 143), (signal.SIGINT, -signal.SIGINT)]
)
def test_only_ctrl_c_ends_a_run_that_is_saving(second: int, status: int) -> None:
    """A scheduler sends its signal to the process that runs training, which passes it on, and to training itself."""
    command = [sys.executable, "-c", SIGNALED_TWICE, str(int(signal.SIGTERM)), str(int(second))]
    process = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert process.returncode == status and process.stderr.count("saving after this iteration") == 1


def test_where_the_environment_forgets_new_episodes_begin(cfg: dict[str, Any], tmp_path: Path) -> None:
    stopped(cfg, tmp_path / "first", iteration=2)
    env = ForgetfulPointMass(8, tmp_path / "second")
    runner = resume(cfg, tmp_path / "first", tmp_path / "second", env)
    assert (runner.alg.iteration, runner.alg.env_steps, runner.alg.num_updates) == (5, 160, 35)
    buffer = runner.alg.collector.buffer  # pyright: ignore[reportOptionalMemberAccess]
    assert buffer.transitions["done"][11 * 7 : 12 * 7].all()  # no window joins two episodes
    assert not buffer.transitions["done"][: 5 * 7].all()


def tear(path: Path) -> None:
    """What a kill in the middle of writing in place leaves."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path: Path) -> None:
    """One bit of a weight."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [tear, flip])
def test_a_damaged_checkpoint_is_passed_over(
    cfg: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture, damage: Any
) -> None:
    stopped(cfg, tmp_path / "first", iteration=2)
    damage(tmp_path / "first" / "model_2.pt")
    runner = make_runner(cfg, tmp_path / "second")
    runner.load(str(tmp_path / "first" / "model_2.pt"))  # as Isaac Lab's --checkpoint latest finds it
    assert runner.alg.iteration == 1
    said = capsys.readouterr().out
    assert "model_2.pt" in said and "trying the one before" in said
    damage(tmp_path / "first" / "model_0.pt")
    with pytest.raises(InputError, match=r"model_0\.pt"):
        read_checkpoint(tmp_path / "first")


def test_a_failed_write_leaves_the_old_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "model_3.pt"
    write_checkpoint({"a": 1}, path)
    before = path.read_bytes()

    def full(file: Path, content: Any) -> None:
        file.write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        write_checkpoint({"a": 2}, path)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_other_files_of_the_name_do_no_harm(cfg: dict[str, Any], tmp_path: Path) -> None:
    for name in ("model_best.pt", "replay_old.safetensors", "model_1_copy.pt"):
        (tmp_path / "first").mkdir(exist_ok=True)
        (tmp_path / "first" / name).write_bytes(b"")
    make_runner(cfg, tmp_path / "first").learn(2)
    assert read_checkpoint(tmp_path / "first")[1].name == "model_1.pt"


def test_a_folder_with_a_run_takes_no_second_one(
    cfg: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    make_runner(cfg, tmp_path / "run").learn(1)
    before = {path: path.read_bytes() for path in (tmp_path / "run").glob("*.*")}
    with pytest.raises(SystemExit):
        make_runner(cfg, tmp_path / "run").learn(1)
    assert "already holds a run" in capsys.readouterr().err
    assert before == {path: path.read_bytes() for path in (tmp_path / "run").glob("*.*")}


def test_a_run_can_be_moved_and_its_inputs_can_go(cfg: dict[str, Any], tmp_path: Path) -> None:
    stopped(cfg, tmp_path / "first", iteration=2)
    (tmp_path / "first").rename(tmp_path / "moved")
    (tmp_path / "base.safetensors").unlink()
    (tmp_path / "demos.hdf5").rename(tmp_path / "elsewhere.hdf5")
    load_policy(tmp_path / "moved", 4, "cpu")
    cfg["algorithm"] |= {"base": None, "demonstrations": str(tmp_path / "elsewhere.hdf5")}
    assert resume(cfg, tmp_path / "moved", tmp_path / "second").alg.iteration == 5


def test_other_demonstrations_are_refused(cfg: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    stopped(cfg, tmp_path / "first", iteration=2)
    point_mass.write_demonstrations(tmp_path / "demos.hdf5", count=7)
    with pytest.raises(SystemExit):
        resume(cfg, tmp_path / "first", tmp_path / "second")
    assert "does not hold the demonstrations" in capsys.readouterr().err


def test_a_finished_run_is_not_repeated(cfg: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    """A requeued job that had finished ends well."""
    make_runner(cfg, tmp_path / "first").learn(5)
    assert resume(cfg, tmp_path / "first", tmp_path / "second").alg.iteration == 5
    assert "nothing left to do" in capsys.readouterr().out and list((tmp_path / "second").iterdir()) == []


def test_the_settings_of_a_checkpoint_hold(cfg: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    other = copy.deepcopy(cfg)
    other["algorithm"] |= {"beta": 0.5, "combination": "residual", "effective_horizon": 2.5}
    other["algorithm"]["critic"]["hidden_dims"] = (8, 8)
    first = stopped(other, tmp_path / "first", iteration=2)
    runner = resume(cfg, tmp_path / "first", tmp_path / "second")
    assert runner.alg.discount == first.alg.discount
    assert isinstance(runner.alg.learner, CSIL)
    assert runner.alg.learner.beta == 0.5 and isinstance(runner.alg.learner.combination, Residual)
    assert "agent.algorithm.beta=0.5, as the checkpoint was trained" in capsys.readouterr().out


def test_named_settings_are_applied_or_refused() -> None:
    saved = {"max_iterations": 5, "algorithm": {"beta": 0.1, "n_step": 3, "policy": {"hidden_dim": 8}}}
    now = {"max_iterations": 7, "algorithm": {"beta": 0.2, "n_step": 1, "policy": {"hidden_dim": 16}}}
    command = ["isaaclab", "train", "--max_iterations", "7", "agent.algorithm.beta=0.2"]
    merged, used, kept = merge(saved, now, named_on_command_line(command), ["algorithm.policy"])
    assert merged == {"max_iterations": 7, "algorithm": {"beta": 0.2, "n_step": 3, "policy": {"hidden_dim": 8}}}
    assert (len(used), len(kept)) == (2, 2) and "agent.algorithm.beta=0.2 instead of 0.1" in used[0]
    with pytest.raises(InputError, match=r"agent.algorithm.policy.hidden_dim=8, not 16"):
        merge(saved, now, named_on_command_line(["agent.algorithm.policy.hidden_dim=16"]), ["algorithm.policy"])


def test_code_in_a_checkpoint_does_not_run(cfg: dict[str, Any], tmp_path: Path) -> None:
    class Attack:
        def __reduce__(self) -> tuple[Any, tuple[str]]:
            return os.mkdir, (str(tmp_path / "attacked"),)

    torch.save({"model": Attack()}, tmp_path / "model_0.pt")
    runner = make_runner(cfg, tmp_path / "run")
    with pytest.raises(SystemExit):
        runner.load(str(tmp_path / "model_0.pt"))
    assert not (tmp_path / "attacked").exists()


def test_updates_that_are_not_finite_are_skipped_and_end_the_run(
    cfg: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    cfg["algorithm"]["update_to_data"] = 60 / 32
    runner = make_runner(cfg, tmp_path / "run")
    update = runner.alg.update

    def from_the_third() -> Any:
        if runner.alg.iteration == 2:
            draw = runner.alg.sampler.draw

            def poisoned(size: int, num_demonstrations: int) -> Batch:
                batch = draw(size, num_demonstrations)
                batch.weight[0] = torch.nan
                return batch

            runner.alg.sampler.draw = poisoned
        return update()

    runner.alg.update = from_the_third
    with pytest.raises(SystemExit) as end:
        runner.learn(5)
    assert end.value.code == 1
    assert "120 updates in a row" in capsys.readouterr().err
    content, file = read_checkpoint(tmp_path / "run")  # finite, or it would be refused
    assert file.name == "model_3.pt" and content["running"]["num_skipped"] == 120
    lines = progress(tmp_path / "run")
    assert [line["skipped_updates"] for line in lines] == [0, 0, 60, 120]
    steps = {int(state["step"]) for state in content["optimizers"]["critic"]["state"].values()}
    assert steps == {120}


@pytest.mark.parametrize(
    ("obs_dim", "action_dim", "words"), [(5, 2, "reads 5 observations"), (4, 3, "plans 3 actions")]
)
def test_a_base_of_other_sizes_ends_in_one_line(
    cfg: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture, obs_dim: int, action_dim: int, words: str
) -> None:
    spec = FlowPolicySpec(obs_dim, action_dim, hidden_dim=16, num_blocks=1)
    FlowPolicy(spec).save(tmp_path / "base.safetensors", point_mass.TASK)
    with pytest.raises(SystemExit):
        make_runner(cfg, tmp_path / "run").learn(1)
    assert words in capsys.readouterr().err
