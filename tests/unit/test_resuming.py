# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A run that is interrupted and resumed equals one that was not; checkpoints are whole or not there."""

from __future__ import annotations

import copy
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from rsl_rl.runners import OnPolicyRunner

from cohoff.offpolicy.checkpoint import read_checkpoint
from cohoff.offpolicy.runner import OffPolicyRunner
from cohoff.stress import point_mass


@pytest.fixture
def cfg(tmp_path: Path) -> dict[str, Any]:
    """Five iterations with a flow base, as small as can be."""
    return point_mass.smallest_run(tmp_path)


def make_runner(cfg: dict[str, Any], folder: Path, restores: bool = True, seed: int = 0) -> OffPolicyRunner:
    """What Isaac Lab does, on the point mass."""
    torch.manual_seed(seed)
    folder.mkdir(exist_ok=True)
    env = point_mass.PointMass(8, folder) if restores else ForgetfulPointMass(8, folder)
    runner = OnPolicyRunner(env, copy.deepcopy(cfg), str(folder), "cpu")  # pyright: ignore[reportArgumentType]
    assert isinstance(runner, OffPolicyRunner)
    return runner


class ForgetfulPointMass:
    """A point mass that restores nothing, like a simulator."""

    def __init__(self, num_envs: int, folder: Path) -> None:
        self._env = point_mass.PointMass(num_envs, folder)
        self.unwrapped = self

    def __getattr__(self, name: str) -> Any:
        if name in ("state_dict", "load_state_dict"):
            raise AttributeError(name)
        return getattr(self.__dict__["_env"], name)


def resume(cfg: dict[str, Any], source: Path, folder: Path, **kwargs: Any) -> OffPolicyRunner:
    runner = make_runner(cfg, folder, seed=1, **kwargs)
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
    with pytest.raises(SystemExit if number == signal.SIGTERM else KeyboardInterrupt) as end:
        runner.learn(cfg["max_iterations"])
    if number == signal.SIGTERM:
        assert end.value.code == 143  # pyright: ignore[reportAttributeAccessIssue]
    return runner


def differences(a: Any, b: Any, name: str = "") -> list[str]:
    """Names of the entries in which two checkpoints differ."""
    if isinstance(a, dict):
        assert a.keys() == b.keys()
        return [found for key in a for found in differences(a[key], b[key], f"{name}/{key}")]
    if isinstance(a, list | tuple):
        return [found for i, pair in enumerate(zip(a, b, strict=True)) for found in differences(*pair, f"{name}/{i}")]
    same = torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b
    return [] if same else [name]


def progress(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "progress.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_interrupted_run_equals_one_that_was_not(cfg: dict[str, Any], tmp_path: Path, number: int) -> None:
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


def test_where_the_environment_forgets_new_episodes_begin(cfg: dict[str, Any], tmp_path: Path) -> None:
    stopped(cfg, tmp_path / "first", iteration=2)
    runner = resume(cfg, tmp_path / "first", tmp_path / "second", restores=False)
    assert (runner.alg.iteration, runner.alg.env_steps, runner.alg.num_updates) == (5, 160, 35)
    buffer = runner.alg.collector.buffer  # pyright: ignore[reportOptionalMemberAccess]
    assert buffer.transitions["done"][11 * 7 : 12 * 7].all()  # no window joins two episodes
    assert not buffer.transitions["done"][: 5 * 7].all()
