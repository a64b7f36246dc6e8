# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""``cohoff benchmark`` with a pipeline that does nothing."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from cohoff.commands import benchmark
from cohoff.experiments.agent_kinds import AgentKind
from cohoff.experiments.pipeline_cfg import PipelineCfg
from cohoff.experiments.suite import PlannedRun, planned_runs, read_suite
from cohoff.experiments.workflow import StageFailed, Workflow

SUITE = """
title: a question
tasks: {Square: {}}
settings: {csil: {}, sparse: {overrides: [agent.algorithm.reward=sparse]}}
seeds: [0, 1]
"""


class FakePipeline:
    """Notes what it is asked for; fails or is interrupted where a test says so."""

    bases: list[Path] = []
    runs: list[tuple[tuple[str, ...], int]] = []
    failing: set[tuple[str, ...]] = set()
    interrupted: bool = False

    def __init__(
        self,
        cfg: PipelineCfg,
        agent: AgentKind,
        output: Path,
        flow: Workflow,
        base_from: Path | None = None,
        with_pictures: bool = True,
    ) -> None:
        assert (output / "settings.json").is_file()
        assert (base_from is None) == (cfg.experiment == "data") and with_pictures == (base_from is None)
        self.cfg, self.output = cfg, output

    def make_base(self) -> None:
        self.bases.append(self.output)

    def measure_base(self) -> None:
        assert self.bases[-1] == self.output

    def run(self) -> dict[str, Any]:
        if self.interrupted:
            raise KeyboardInterrupt
        self.runs.append((self.cfg.overrides, self.cfg.seed))
        if self.cfg.overrides in self.failing:
            raise StageFailed("CSIL++: ended with status 1\nend of train.log:\nout of memory")
        return {"task": self.cfg.task, "seed": self.cfg.seed}


SPARSE = ("agent.algorithm.reward=sparse",)


@pytest.fixture(autouse=True)
def pipeline(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[FakePipeline]]:
    recipe = SimpleNamespace(num_demonstrations=45, disturbance=0.2)
    monkeypatch.setattr(benchmark, "Pipeline", FakePipeline)
    monkeypatch.setattr(benchmark, "recipe_of", lambda task: recipe)
    FakePipeline.bases, FakePipeline.runs, FakePipeline.failing, FakePipeline.interrupted = [], [], set(), False
    yield FakePipeline


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    path = tmp_path / "question.yaml"
    path.write_text(SUITE, encoding="utf-8")
    return [str(path), "--workers", "1", "--results", str(tmp_path / "results"), "--outputs", str(tmp_path / "outputs")]


def planned(folder: Path) -> list[PlannedRun]:
    suite = read_suite(folder / "question.yaml")
    return list(planned_runs(suite, "question", folder / "results", folder / "outputs", benchmark.recipe_of))


def test_every_run_leaves_one_file(tmp_path: Path, arguments: list[str]) -> None:
    assert benchmark.main(arguments) == 0
    files = {str(path.relative_to(tmp_path / "results")) for path in (tmp_path / "results").rglob("*.json")}
    runs = {f"question/square/{setting}/seed_{seed}.json" for setting in ("csil", "sparse") for seed in (0, 1)}
    assert files == {"question/suite.json", *runs}
    for run in planned(tmp_path):
        content = json.loads(run.result.read_text(encoding="utf-8"))
        assert content["seed"] == run.cfg.seed and content["recipe_hash"] == run.recipe_hash
        assert "torch" in content["versions"]
    assert list(json.loads((tmp_path / "results/question/suite.json").read_text())["settings"]) == ["csil", "sparse"]


def test_what_is_there_is_not_made_again(tmp_path: Path, arguments: list[str], pipeline: type[FakePipeline]) -> None:
    benchmark.main(arguments)
    missing, other, *_ = planned(tmp_path)
    missing.result.unlink()
    changed = json.loads(other.result.read_text()) | {"recipe_hash": "another"}
    other.result.write_text(json.dumps(changed))
    pipeline.runs.clear()
    benchmark.main([*arguments, "--retry"])
    assert pipeline.runs == [((), 0)]
    assert json.loads(other.result.read_text()) == changed


def test_a_failure_is_written_down_and_tried_again_only_with_retry(
    tmp_path: Path, arguments: list[str], pipeline: type[FakePipeline]
) -> None:
    pipeline.failing = {SPARSE}
    assert benchmark.main(arguments) == 2
    assert pipeline.runs == [((), 0), (SPARSE, 0), ((), 1), (SPARSE, 1)]  # a failure does not end the suite
    result = tmp_path / "results/question/square/sparse/seed_0.json"
    content = json.loads(result.read_text())
    assert (content["task"], content["failed"]) == ("Cohoff-Square-Franka", "CSIL++: ended with status 1")
    pipeline.failing = set()
    assert benchmark.main(arguments) == 0 and len(pipeline.runs) == 4
    assert benchmark.main([*arguments, "--retry"]) == 0 and pipeline.runs[4:] == [(SPARSE, 0), (SPARSE, 1)]
    assert "failed" not in json.loads(result.read_text())


def test_an_interruption_leaves_no_result(tmp_path: Path, arguments: list[str], pipeline: type[FakePipeline]) -> None:
    pipeline.interrupted = True
    with pytest.raises(KeyboardInterrupt):
        benchmark.main(arguments)
    assert not list((tmp_path / "results").rglob("seed_*.json"))
    pipeline.interrupted = False
    assert benchmark.main(arguments) == 0 and len(pipeline.runs) == 4


def test_a_run_of_another_worker_is_left_alone(
    tmp_path: Path, arguments: list[str], pipeline: type[FakePipeline]
) -> None:
    runs = planned(tmp_path)
    with benchmark._claim(runs[0]) as mine:
        assert mine
        assert benchmark.main(arguments) == 0
    assert not runs[0].result.exists() and pipeline.runs == [(SPARSE, 0), ((), 1), (SPARSE, 1)]
    assert benchmark.work(runs, False, Console(file=io.StringIO())) == 0 and runs[0].result.exists()


def test_settings_share_the_base_of_a_seed(tmp_path: Path, arguments: list[str], pipeline: type[FakePipeline]) -> None:
    benchmark.main(arguments)
    first, second, third, fourth = pipeline.bases
    assert first == second and third == fourth and first.parent == third.parent and first != third


def test_list_tells_the_state_and_makes_nothing(
    tmp_path: Path, arguments: list[str], pipeline: type[FakePipeline], capsys: pytest.CaptureFixture[str]
) -> None:
    done, failed, other, missing = planned(tmp_path)
    for run, content in ((done, {}), (failed, {"failed": "x"}), (other, {"recipe_hash": "another"})):
        run.result.parent.mkdir(parents=True, exist_ok=True)
        run.result.write_text(json.dumps({"recipe_hash": run.recipe_hash} | content))
    assert benchmark.main([*arguments, "--list"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    expected = [("done", done), ("failed", failed), ("other", other), ("missing", missing)]
    assert lines == [[state, str(run.result)] for state, run in expected]
    assert pipeline.runs == [] and not (tmp_path / "outputs").exists()


def test_one_worker_on_each_core(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []

    def start(command: list[str]) -> Any:
        started.append(command)
        return SimpleNamespace(wait=lambda: len(started))

    monkeypatch.setattr(benchmark.subprocess, "Popen", start)
    monkeypatch.setattr(benchmark.os, "sched_getaffinity", lambda _: {2, 5, 7})
    arguments[2] = "2"
    assert benchmark.main(arguments) == 4  # the failed runs of both
    assert [command[:3] for command in started] == [["taskset", "-c", "2"], ["taskset", "-c", "5"]]
    for command in started:
        worker = benchmark.parse_arguments(command[command.index("benchmark") + 1 :])
        assert worker.workers == 1 and worker.suite == Path(arguments[0])
