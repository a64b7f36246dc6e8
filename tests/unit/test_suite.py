# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Suites: what is read, which runs they ask for, and what these share."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from cohoff.errors import InputError
from cohoff.experiments.suite import PlannedRun, SettingCfg, SuiteCfg, SuiteTaskCfg, planned_runs, read_suite

SUITES = Path(__file__).parents[2] / "scripts/benchmarks"
TEXT = """
title: a question
tasks:
  Square: {max_iterations: 10, num_demonstrations: 5}
  NutAssembly: {}
settings:
  csil: {}
  sparse: {overrides: [agent.algorithm.reward=sparse]}
seeds: [3, 1]
evaluations: 5
"""


OVERRIDES = {"csil": [], "sparse": ["agent.algorithm.reward=sparse"], "d1": ["presets=d1"]}


def make_suite(**changes: object) -> SuiteCfg:
    settings = {name: SettingCfg(overrides=overrides) for name, overrides in OVERRIDES.items()}
    suite = SuiteCfg("a question", {"Square": SuiteTaskCfg(), "NutAssembly": SuiteTaskCfg()}, settings, [3, 1])
    return replace(suite, **changes)


def plan(suite: SuiteCfg, name: str = "suite") -> dict[tuple[str, str, int], PlannedRun]:
    """Runs by the folders of their results, in the order in which they are made."""
    recipe = SimpleNamespace(num_demonstrations=45, disturbance=0.2)
    runs = planned_runs(suite, name, Path("results"), Path("outputs"), lambda task: recipe)
    return {(run.result.parts[2], run.result.parts[3], run.cfg.seed): run for run in runs}


def test_runs_are_made_seed_by_seed(tmp_path: Path) -> None:
    path = tmp_path / "question.yaml"
    path.write_text(TEXT, encoding="utf-8")
    runs = plan(read_suite(path))
    assert list(runs) == [
        (task, setting, seed)
        for seed in (3, 1)
        for task in ("square", "nut_assembly")
        for setting in ("csil", "sparse")
    ]
    run = runs["square", "sparse", 3]
    assert run.result == Path("results/suite/square/sparse/seed_3.json")
    assert run.work == Path("outputs/suite/square/sparse/seed_3")
    cfg = run.cfg
    assert (cfg.task, cfg.num_demonstrations, cfg.disturbance) == ("Cohoff-Square-Franka", 5, 0.2)
    assert (cfg.max_iterations, cfg.save_interval, cfg.overrides) == (10, 2, ("agent.algorithm.reward=sparse",))
    assert cfg.episodes == cfg.checkpoint_episodes == 256
    assert runs["nut_assembly", "csil", 1].cfg.num_demonstrations == 45


def test_a_task_has_more_seeds_than_the_others() -> None:
    tasks = {"Square": SuiteTaskCfg(more_seeds=[4, 1]), "NutAssembly": SuiteTaskCfg()}
    runs = plan(make_suite(tasks=tasks, settings={"csil": SettingCfg()}))
    seeds = [("square", 3), ("nut_assembly", 3), ("square", 1), ("nut_assembly", 1), ("square", 4)]
    assert [(task, seed) for task, _, seed in runs] == seeds


def test_every_setting_is_in_the_hash() -> None:
    before = plan(make_suite())
    assert len({run.recipe_hash for run in before.values()}) == len(before)
    assert [run.recipe_hash for run in plan(make_suite()).values()] == [run.recipe_hash for run in before.values()]
    changes = {"sparse": SettingCfg(overrides=["agent.algorithm.reward=time"])}
    other = make_suite(settings=make_suite().settings | changes)
    changed = [key for key, run in plan(other).items() if run.recipe_hash != before[key].recipe_hash]
    assert changed == [key for key in before if key[1] == "sparse"]
    for suite in (make_suite(episodes=64), make_suite(tasks={"Square": SuiteTaskCfg(max_iterations=7)})):
        assert plan(suite)["square", "csil", 1].recipe_hash != before["square", "csil", 1].recipe_hash


def test_settings_share_data_unless_they_change_the_task() -> None:
    runs = plan(make_suite())
    first = runs["square", "csil", 1]
    assert runs["square", "sparse", 1].data == first.data
    assert runs["square", "sparse", 1].data_cfg == first.data_cfg
    different = [runs["square", "d1", 1], runs["square", "csil", 3], runs["nut_assembly", "csil", 1]]
    assert len({run.data for run in (first, *different)}) == 4
    assert runs["square", "d1", 1].data_cfg.overrides == ("presets=d1",)


def test_agents_are_compared_on_the_same_data_each_with_its_iterations() -> None:
    settings = {"csil": SettingCfg(), "resip": SettingCfg("resip", max_iterations=12)}
    runs = plan(make_suite(settings=settings, evaluations=4))
    first, other = runs["square", "csil", 1], runs["square", "resip", 1]
    assert (first.cfg.agent, first.cfg.max_iterations, first.cfg.save_interval) == ("csil", 100, 25)
    assert (other.cfg.agent, other.cfg.max_iterations, other.cfg.save_interval) == ("resip", 12, 3)
    assert (other.data, other.data_cfg) == (first.data, first.data_cfg)
    assert (first.cfg.label, other.cfg.label) == ("CSIL++", "resip")
    assert replace(other, cfg=replace(other.cfg, label="a title")).recipe_hash == other.recipe_hash


def test_environments_are_compared_on_the_same_data() -> None:
    runs = plan(make_suite(settings={"few": SettingCfg(), "many": SettingCfg(num_envs=1024, max_iterations=10)}))
    first, other = runs["square", "few", 1], runs["square", "many", 1]
    assert (first.cfg.num_envs, other.cfg.num_envs) == (64, 1024) and first.recipe_hash != other.recipe_hash
    assert (other.data, other.data_cfg) == (first.data, first.data_cfg)


def test_the_suite_of_environments_has_equal_budgets() -> None:
    """In environment steps; an iteration has 8 control steps where nothing else is said."""
    suite = read_suite(SUITES / "environments.yaml")
    steps: dict[str, set[int]] = {}
    for name, setting in suite.settings.items():
        control = int(next((o.partition("=")[2] for o in setting.overrides if "num_steps_per_env" in o), "8"))
        total = (setting.max_iterations or 100) * control * setting.num_envs
        steps.setdefault(name.split("_")[0], set()).add(total)
    assert steps == {"envs": {51_200}, "long": {409_600}}


def test_suites_share_data_whatever_their_budget() -> None:
    """A folder of data belongs to one configuration; with another one, its files would be made again while in use."""
    first = plan(make_suite())["square", "csil", 1]
    longer = make_suite(tasks={"Square": SuiteTaskCfg(max_iterations=50)}, evaluations=2)
    other = plan(longer, "other")["square", "csil", 1]
    assert (other.data, other.data_cfg) == (first.data, first.data_cfg)
    for task in (SuiteTaskCfg(num_demonstrations=9), SuiteTaskCfg(disturbance=0.1), SuiteTaskCfg(overrides=["a=b"])):
        assert plan(make_suite(tasks={"Square": task}))["square", "csil", 1].data != first.data
    assert plan(make_suite(episodes=64))["square", "csil", 1].data != first.data


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("title:", "caption:", "caption"),
        ("num_demonstrations: 5", "demonstrations: 5", "demonstrations"),
        ("max_iterations: 10", "max_iterations: ten", "ten"),
        ("max_iterations: 10", "max_iterations: 0", "tasks.Square.max_iterations"),
        ("csil: {}", "csil: {max_iterations: 0}", "settings.csil.max_iterations"),
        ("csil: {}", "csil: {num_envs: 0}", "settings.csil.num_envs"),
        ("evaluations: 5", "evaluations: 0", "evaluations"),
        ("seeds: [3, 1]", "", "seeds"),
        ("seeds: [3, 1]", "seeds: []", "seeds"),
        ("seeds: [3, 1]", "seeds: [3, 1", "yaml"),
    ],
)
def test_a_wrong_suite_is_an_input_error(tmp_path: Path, old: str, new: str, word: str) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(TEXT.replace(old, new), encoding="utf-8")
    with pytest.raises(InputError, match=word) as info:
        read_suite(path)
    assert str(path) in str(info.value)


@pytest.mark.parametrize("path", sorted(SUITES.glob("*.yaml")), ids=lambda path: path.stem)
def test_suites_of_the_repository(path: Path) -> None:
    assert plan(read_suite(path), path.stem)
