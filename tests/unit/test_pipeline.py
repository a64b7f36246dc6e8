# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A pipeline's stages and its summary, without running anything."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from result_cases import make_rate, make_result
from rich.console import Console

from cohoff.experiments.agent_kinds import OffPolicyAgent, OnPolicyAgent, agent_kind
from cohoff.experiments.pi05_pipeline import Pi05Pipeline, Pi05PipelineCfg
from cohoff.experiments.pipeline import Pipeline
from cohoff.experiments.pipeline_cfg import PipelineCfg
from cohoff.experiments.summary import summarize
from cohoff.experiments.workflow import Stage, Workflow
from cohoff.files import write_json

CFG = PipelineCfg("Cohoff-Square-Franka", num_demonstrations=8, disturbance=0.2, seed=3, episodes=32)


class IdleFlow(Workflow):
    """Stages are submitted and count as done."""

    def __init__(self, folder: Path, resume: bool = False) -> None:
        super().__init__(folder, Console(file=io.StringIO()), resume=resume)

    def wait(self, *stages: Stage, meanwhile: Any = None) -> None:
        for stage in stages:
            stage.state = "done"


def option(stage: Stage, name: str) -> str:
    """Value of an option in a stage's command."""
    return stage.command[stage.command.index(f"--{name}") + 1]


def test_the_base_has_demonstrations_of_its_own_and_the_learner_disturbed_ones(tmp_path: Path) -> None:
    flow = IdleFlow(tmp_path)
    Pipeline(CFG, OffPolicyAgent(), tmp_path, flow).make_base()
    collect, disturb, pretrain = flow.stages
    assert [stage.name for stage in flow.stages] == ["collect", "disturb", "pretrain"]
    assert float(option(collect, "disturbance")) == 0.0 and float(option(disturb, "disturbance")) == 0.2
    assert option(collect, "seed") != option(disturb, "seed")
    assert option(pretrain, "demos") == option(collect, "output") == str(tmp_path / "demos.hdf5")


@pytest.mark.parametrize("phases", [{"clone": {}, "critic": {}}, {}])
def test_all_policies_are_evaluated_from_the_same_initial_states(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, phases: dict[str, Any]
) -> None:
    """They are those of a seed and a number of environments, as long as each runs one episode."""
    monkeypatch.chdir(tmp_path)
    flow = IdleFlow(tmp_path)
    pipeline = Pipeline(CFG, OffPolicyAgent(), tmp_path, flow)
    write_json(pipeline.run_folder / "pretraining.json", phases)
    pipeline.measure_base()
    pipeline.evaluate_start(tmp_path / "model_9.pt")
    clone = {"evaluate_bc": "clone"} if phases else {}
    assert {stage.name: option(stage, "policy") for stage in flow.stages} == {
        "evaluate_base": "base",
        **clone,
        "evaluate_csil_step0": "step0",
    }
    plot = pipeline.plot()
    assert ("--bc" in plot.command) == bool(phases)
    for stage in flow.stages[:-1]:
        assert option(stage, "num_envs") == option(stage, "episodes") == "32" and option(stage, "seed") == "1000003"


def test_an_on_policy_agent_gets_its_base_through_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It starts as the base policy, and takes no demonstrations."""
    monkeypatch.chdir(tmp_path)
    flow = IdleFlow(tmp_path)
    cfg = replace(CFG, agent="resip", overrides=("presets=d1", "agent.gamma=0.99"))
    pipeline = Pipeline(cfg, agent_kind({"gamma": 0.999}), tmp_path, flow)
    train = pipeline.train()
    for iteration in (0, 5, 9):
        (pipeline.run_folder / f"model_{iteration}.pt").parent.mkdir(parents=True, exist_ok=True)
        (pipeline.run_folder / f"model_{iteration}.pt").touch()
    pipeline.evaluate_checkpoints()
    base = f"env.base={tmp_path / 'base.safetensors'}"
    assert base in train.command and not any("agent.algorithm." in word for word in train.command)
    start, middle = flow.stages[1:]
    assert (start.name, option(start, "policy")) == ("evaluate_resip_step0", "base")
    assert start.command[-1] == "presets=d1" and option(start, "checkpoint") == "base.safetensors"
    assert (middle.name, option(middle, "policy")) == ("evaluate_resip_5", "ppo")
    assert middle.command[-2:] == ["presets=d1", base]


@pytest.mark.parametrize("resume", [False, True])
def test_pi05_and_the_encoder_learn_from_the_same_demonstrations(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, resume: bool
) -> None:
    """The agent gets both, and a pi-0.5 that is half trained goes on only if its demonstrations are the same."""
    monkeypatch.chdir(tmp_path)
    half = tmp_path / "pi05" / "training.safetensors"
    half.parent.mkdir()
    half.touch()
    flow = IdleFlow(tmp_path)
    cfg = Pi05PipelineCfg(**vars(replace(CFG, pretrain_steps=9)), instruction="put the nut", encoder_steps=7)
    pipeline = Pi05Pipeline(cfg, tmp_path / "tokenizer.model", tmp_path, flow)
    monkeypatch.setattr(IdleFlow, "resumes", resume)
    pipeline.make_base()
    collect, _, encoder, pi05 = flow.stages
    assert [stage.name for stage in flow.stages] == ["collect", "disturb", "encoder", "pretrain"]
    assert option(encoder, "demos") == option(pi05, "demos") == option(collect, "output")
    assert (option(encoder, "steps"), option(pi05, "steps")) == ("7", "9") and "--base" not in encoder.command
    assert (option(pi05, "base"), option(pi05, "instruction")) == ("pi05", "put the nut")
    assert half.exists() == resume
    train = pipeline.train()
    assert f"agent.algorithm.base={option(pi05, 'output')}" in train.command
    assert f"agent.algorithm.encoder={option(encoder, 'output')}" in train.command


def test_demonstrations_tell_the_kind_of_an_agent() -> None:
    assert isinstance(agent_kind({"demonstrations": None}), OffPolicyAgent)
    assert isinstance(agent_kind({"gamma": 0.999}), OnPolicyAgent)


def test_runs_that_start_side_by_side_have_folders_of_their_own(tmp_path: Path) -> None:
    folders = {Pipeline(CFG, OffPolicyAgent(), tmp_path, IdleFlow(tmp_path)).run_folder for _ in range(5)}
    assert len(folders) == 5


@pytest.mark.parametrize(
    ("agent", "resume", "base_is_there", "goes_on"),
    [
        (OffPolicyAgent(), True, True, True),
        (OffPolicyAgent(), False, True, False),
        (OffPolicyAgent(), True, False, False),
        (OnPolicyAgent(), True, True, False),
    ],
)
def test_an_interrupted_run_goes_on_in_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, agent: Any, resume: bool, base_is_there: bool, goes_on: bool
) -> None:
    """If it has a checkpoint, and what it learns from is still the same."""
    monkeypatch.chdir(tmp_path)
    first = Pipeline(CFG, agent, tmp_path, IdleFlow(tmp_path), base_from=tmp_path)
    assert "--checkpoint" not in first.train().command
    first.run_folder.mkdir(parents=True)

    def again() -> Stage:
        flow = IdleFlow(tmp_path, resume)
        pipeline = Pipeline(CFG, agent, tmp_path, flow, base_from=tmp_path)
        if not base_is_there:
            flow.submit(Stage("collect", "demonstrations", [], []))
        return pipeline.train()

    assert "--checkpoint" not in again().command
    (first.run_folder / "model_4.pt").touch()
    write_json(tmp_path / "training.json", {"run": str(first.run_folder)})
    train = again()
    assert ("--checkpoint" in train.command) == goes_on
    assert (option(train, "run_timestamp") == first.run_folder.name) == goes_on
    assert not goes_on or option(train, "checkpoint") == str(first.run_folder)


@pytest.mark.parametrize(
    ("change", "known"),
    [
        ({}, True),
        ({"seeds": [1_000_004]}, False),
        ({"episodes": 64}, False),
        ({"overrides": []}, False),
    ],
)
def test_the_shared_base_is_not_evaluated_again(tmp_path: Path, change: dict[str, Any], known: bool) -> None:
    cfg = replace(CFG, overrides=("presets=d1", "agent.algorithm.beta=1"))
    shared, own = tmp_path / "shared", tmp_path / "own"
    shared.mkdir()
    pipeline = Pipeline(cfg, OffPolicyAgent(), own, IdleFlow(own), base_from=shared)
    assert pipeline._known_base_result() is None
    result = make_result(20, 32) | {"seeds": [1_000_003], "overrides": ["presets=d1"]} | change
    (shared / "base.json").write_text(json.dumps(result))
    assert (pipeline._known_base_result() == result) == known
    assert (pipeline._known_base_result() is not None) == known
    assert Pipeline(cfg, OffPolicyAgent(), shared, IdleFlow(shared))._known_base_result() is None


def test_the_summary_keeps_the_outcomes() -> None:
    def result(policy: str, outcomes: str, env_steps: int | None = None) -> dict[str, Any]:
        return make_rate(outcomes) | {
            "policy": policy,
            "training": None if env_steps is None else {"env_steps": env_steps, "updates": env_steps // 4},
        }

    results = {
        "base": result("base", "1100"),
        "bc": result("clone", "0000"),
        "csil_step0": result("step0", "1000"),
        "csil_final": result("trained", "1111", 200),
        "csil_9": result("trained", "0100", 100),
    }
    summary = summarize(CFG, results, {"online": 10.0})
    assert summary["base"] == make_rate("1100") and summary["bc"]["outcomes"] == "0000"
    csil = summary["csil"]
    assert csil["step0"]["outcomes"] == "1000" and csil["final"]["outcomes"] == "1111"
    points = [(point["env_steps"], point["outcomes"]) for point in csil["curve"]]
    assert points == [(0, "1000"), (100, "0100"), (200, "1111")]
    assert (csil["env_steps"], csil["updates"]) == (200, 50)
    assert csil["min_during_training"] == 0.25
    del results["bc"]
    assert summarize(CFG, results, {"online": 10.0})["bc"] is None
    assert summary["settings"]["seed"] == 3 and summary["throughput"]["env_steps_per_second"] == 20.0
