# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Suites of offline learning: what is planned, which programs run, and the table."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from offline_cases import small_recording
from result_cases import make_rate, make_summary
from rich.console import Console

from cohoff.errors import InputError
from cohoff.experiments.agent_kinds import OffPolicyAgent
from cohoff.experiments.offline import OfflineCfg, OfflinePipeline
from cohoff.experiments.pipeline_cfg import PipelineCfg
from cohoff.experiments.suite import planned_runs, read_suite
from cohoff.experiments.tables import build_table
from cohoff.experiments.workflow import Stage, StageFailed, Workflow
from cohoff.files import write_json

SUITE = """
title: a question
tasks: {Square: {noise: 0.4}}
settings: {csil: {}}
data: [mixed, replay]
methods: [bc, iql]
seeds: [0, 1]
"""
CFG = PipelineCfg("Cohoff-Square-Franka", num_demonstrations=8, disturbance=0.2, seed=3, episodes=4)


class WritingFlow(Workflow):
    """Stages are not run, but what a pipeline reads of them is there."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, Console(file=io.StringIO()))

    def wait(self, *stages: Stage, meanwhile: Any = None) -> None:
        for stage in stages:
            for path in stage.outputs:
                if path.suffix == ".json":
                    write_json(path, make_rate("1100"))
                elif path.suffix:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.touch()
                else:
                    path.mkdir()
                    (path / "progress.jsonl").write_text('{"updates": 7}\n')


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    path = tmp_path / "question.yaml"
    path.write_text(SUITE, encoding="utf-8")
    return path


def pipeline(data: str, folder: Path) -> OfflinePipeline:
    """A pipeline whose stages are not run."""
    write_json(folder / "shared/base.json", make_rate("1000"))
    offline = OfflineCfg("iql", data, 0.4, str(folder / "online"))
    return OfflinePipeline(
        offline, CFG, OffPolicyAgent(), folder / "iql", WritingFlow(folder / "iql"), folder / "shared"
    )


def test_every_method_on_every_kind_of_data(suite: Path, tmp_path: Path) -> None:
    recipe = SimpleNamespace(num_demonstrations=8, disturbance=0.2)
    runs = list(planned_runs(read_suite(suite), "q", tmp_path / "results", tmp_path / "outputs", lambda task: recipe))
    paths = [str(run.result.relative_to(tmp_path / "results/q/square")) for run in runs]
    kinds = [f"{data}/{method}" for data in ("mixed", "replay") for method in ("bc", "iql")]
    assert paths == [f"{name}/seed_{seed}.json" for seed in (0, 1) for name in ("csil", *kinds)]
    online, *offline = runs[:5]
    assert online.offline is None and {run.data for run in offline} == {online.data}
    assert {run.offline.online for run in offline if run.offline} == {str(online.work)}
    assert len({run.recipe_hash for run in runs}) == len(runs)


def test_unknown_data_are_refused(suite: Path) -> None:
    suite.write_text(SUITE.replace("replay", "rumors"))
    with pytest.raises(InputError, match="names rumors; there are: demonstrations, mixed, replay"):
        read_suite(suite)


def test_mixed_data_are_recorded_once_and_have_half_failures(tmp_path: Path) -> None:
    first = pipeline("mixed", tmp_path)
    first.record()
    result = first.run()
    record, train, evaluate = (" ".join(stage.command) for stage in first.flow.stages)
    assert "--policy base" in record and "--keep all" in record and "--noise 0.4" in record
    assert f"--data {tmp_path}/shared/demos.hdf5 {tmp_path}/online/mixed.hdf5" in train
    assert "--failures 0.5" in train and "--method iql" in train
    # Initial states are those of all other policies of the seed.
    assert "--policy trained" in evaluate and "--seed 1000003" in evaluate
    assert (result["final"]["outcomes"], result["base"]["outcomes"]) == ("1100", "1000")
    assert (result["method"], result["data"], result["updates"]) == ("iql", "mixed", 7)
    again = pipeline("mixed", tmp_path)
    again.record()
    assert not again.flow.stages


def test_the_replay_is_that_of_the_online_run(tmp_path: Path) -> None:
    run = pipeline("replay", tmp_path)
    with pytest.raises(StageFailed, match="the replay is in no run"):
        run.record()
    write_json(tmp_path / "online/training.json", {"run": str(tmp_path / "logs/run")})
    run.record()
    run.run()
    export, train, _ = (" ".join(stage.command) for stage in run.flow.stages)
    assert f"export_replay {tmp_path}/logs/run" in export
    assert f"--data {tmp_path}/online/replay.hdf5 --task" in train and "--failures" not in train


def test_demonstrations_need_nothing_else(tmp_path: Path) -> None:
    run = pipeline("demonstrations", tmp_path)
    run.record()
    run.run()
    assert [stage.name for stage in run.flow.stages] == ["train", "evaluate_final"]


def test_the_table_holds_methods_against_cloning_the_same_data(tmp_path: Path) -> None:
    folder = tmp_path / "offline"
    write_json(
        folder / "suite.json",
        {
            "tasks": {"Square": {}},
            "settings": {"csil": {}},
            "data": ["mixed", "replay"],
            "methods": ["bc", "iql", "red"],
        },
    )
    write_json(folder / "square/csil/seed_0.json", make_summary("Square", 0, "1000", {0: "1100", 9: "1110"}))
    for name, outcomes in (("mixed/bc", "1100"), ("mixed/iql", "0111"), ("replay/iql", "1111")):
        content = {"seed": 0, "base": make_rate("1000"), "final": make_rate(outcomes), "seconds": {"train": 90.0}}
        write_json(folder / f"square/{name}/seed_0.json", content)
    write_json(folder / "square/replay/bc/seed_0.json", {"failed": "no memory"})
    _, _, *lines = build_table("offline offline", tmp_path)
    assert lines == [
        "| Square | base | 1 | 0.250 | 0.250 | - |",
        "| Square | csil, online | 1 | 0.750 | 0.750 | - |",
        "| Square | bc | 1 | 0.500 | - | 1.5 |",
        "| Square | iql | 1 | 0.750 (+2 -1) | 1.000 | 1.5 |",
    ]


def test_the_table_of_the_oracle_says_where_ours_is_outside(tmp_path: Path) -> None:
    iql = {"method": "iql", "d3rlpy": [0.5, 0.6], "interval": [0.4, 0.7], "ours": [0.5, 0.55], "within": True}
    write_json(tmp_path / "offline/oracle.json", {"methods": {"iql": iql, "cql": iql | {"within": False}}})
    _, _, *lines = build_table("oracle offline", tmp_path)
    assert lines[0] == "| iql | 0.500, 0.600 | 0.40 to 0.70 | iql | 0.500, 0.550 | yes |"
    assert lines[1].startswith("| cql |") and lines[1].endswith("| no |")


@pytest.mark.parametrize(("share", "expected"), [(0.5, [0, 1]), (0.34, [0, 1, 2])])
def test_failures_are_a_share_of_the_episodes(share: float, expected: list[int]) -> None:
    found = small_recording().with_failures(share)
    assert found.obs[:, 0].unique().tolist() == expected
    assert found.success.tolist() == [True, False, True][: len(expected)]
    assert found.rewards is not None and found.returns.tolist() == [1.0, 0.0, 1.0][: len(expected)]


def test_one_kind_of_episodes_alone_has_no_share() -> None:
    with pytest.raises(InputError, match="2 of 2 episodes of the data succeeded"):
        small_recording((2, 3), (True, True)).with_failures(0.5)
    recording = small_recording((1, 1, 1, 1), (False, False, False, True))
    torch.testing.assert_close(recording.with_failures(0.5).obs[:, 0], torch.tensor([0.0, 3.0]))
