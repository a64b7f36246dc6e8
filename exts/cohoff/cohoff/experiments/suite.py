# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Benchmark suites: data in ``scripts/benchmarks/<suite>.yaml``, read into the runs that they ask for."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from omegaconf import MISSING, OmegaConf

from cohoff.errors import InputError
from cohoff.experiments.offline import DATA, OfflineCfg
from cohoff.experiments.pipeline_cfg import PipelineCfg
from cohoff.experiments.results import run_folder, task_folder
from cohoff.files import reading


@dataclass
class SuiteTaskCfg:
    """What a suite does on one task; None takes the task's recipe or the agent's configuration."""

    max_iterations: int = 100
    """Iterations of training, 512 environment steps each."""
    num_demonstrations: int | None = None
    """Demonstrations for the base policy, and as many disturbed ones."""
    disturbance: float | None = None
    """Execution noise of the disturbed ones."""
    overrides: list[str] = field(default_factory=list)
    """Settings of the task or of training on it, in hydra's syntax."""
    more_seeds: list[int] = field(default_factory=list)
    """Seeds of this task besides those of the suite."""
    noise: float = 0.3
    """Standard deviation of the noise on the base's actions in the data ``mixed``, which makes it fail."""


@dataclass
class SettingCfg:
    """What a suite compares."""

    agent: str = "csil"
    """Agent of the tasks."""
    overrides: list[str] = field(default_factory=list)
    """Settings of the task or of training on it, in hydra's syntax."""
    max_iterations: int | None = None
    """Iterations on every task, where an iteration is not 512 environment steps; None takes the task's."""
    num_envs: int = 64
    """Environments of training."""


@dataclass
class SuiteCfg:
    """A suite: every task with every setting and every seed."""

    title: str = MISSING
    """One line about the question that it answers."""
    tasks: dict[str, SuiteTaskCfg] = MISSING
    """By name, ``Square`` for ``Cohoff-Square-Franka``."""
    settings: dict[str, SettingCfg] = MISSING
    """What is compared, by name."""
    seeds: list[int] = MISSING
    """Each seed has its own demonstrations, base policy, training and initial states of evaluations."""
    data: list[str] = field(default_factory=list)
    """Kinds of recorded data that ``methods`` learn from; see :data:`~cohoff.experiments.offline.DATA`."""
    methods: list[str] = field(default_factory=list)
    """Methods of ``cohoff offline``, each on each of ``data``. The replay is that of the first setting's run."""
    episodes: int = 256
    """Episodes of every evaluation."""
    evaluations: int = 4
    """Checkpoints that are evaluated, the last one included."""


@dataclass(frozen=True)
class PlannedRun:
    """One run of a suite."""

    cfg: PipelineCfg
    """What it does."""
    result: Path
    """Its one file in the folder of results."""
    work: Path
    """Folder for logs and evaluations."""
    data: Path
    """Folder of demonstrations and base policy, shared by all settings with the same ones."""
    offline: OfflineCfg | None = None
    """What is learned without a simulator; None for an agent that learns in it."""

    @property
    def data_cfg(self) -> PipelineCfg:
        """What makes the shared folder: nothing of it depends on the suite, its budget or the settings it compares."""
        return _data_cfg(self.cfg)

    @property
    def recipe_hash(self) -> str:
        """Hash of everything in the configuration but the label, which changes nothing."""
        return _hash(replace(self.cfg, label=PipelineCfg.label), self.offline)


def read_suite(path: Path) -> SuiteCfg:
    """The suite in a YAML file.

    Raises:
        InputError: It cannot be read, has fields that a suite does not have, lacks one, or asks for nothing.
    """
    with reading(path, "docs/benchmarks.md shows the fields of a suite"):
        suite = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(SuiteCfg), OmegaConf.load(path)))
    assert isinstance(suite, SuiteCfg)
    counts = {"episodes": suite.episodes, "evaluations": suite.evaluations}
    for group, entries in (("tasks", suite.tasks), ("settings", suite.settings)):
        counts |= {f"{group}.{name}.max_iterations": entry.max_iterations for name, entry in entries.items()}
    counts |= {f"settings.{name}.num_envs": entry.num_envs for name, entry in suite.settings.items()}
    for name, value in counts.items():
        if value is not None and value < 1:
            raise InputError(f"{name} in {str(path)!r} is {value}; it must be at least 1")
    for name in ("tasks", "settings", "seeds"):
        if not getattr(suite, name):
            raise InputError(f"{name} in {str(path)!r} is empty; a suite needs at least one")
    if unknown := set(suite.data) - set(DATA):
        raise InputError(f"data in {str(path)!r} names {', '.join(sorted(unknown))}; there are: {', '.join(DATA)}")
    return suite


def planned_runs(
    suite: SuiteCfg, name: str, results: Path, outputs: Path, recipe_of: Callable[[str], Any]
) -> Iterator[PlannedRun]:
    """The runs of a suite, seed by seed, so that a suite that is cut short has all tasks and settings of some seeds.

    Args:
        suite: What to run.
        name: Name of the suite, a folder in ``results`` and ``outputs``.
        results: Folder of the small files that are kept.
        outputs: Folder for everything else.
        recipe_of: Recipe of a task id, with ``num_demonstrations`` and ``disturbance``.
    """
    seeds = dict.fromkeys([*suite.seeds, *(seed for task in suite.tasks.values() for seed in task.more_seeds)])
    for seed in seeds:
        for task_name, task in suite.tasks.items():
            if seed not in (*suite.seeds, *task.more_seeds):
                continue
            task_id = f"Cohoff-{task_name}-Franka"
            recipe = recipe_of(task_id)
            for setting_name, setting in suite.settings.items():
                cfg = _pipeline_cfg(suite, task_id, task, setting, seed, name, recipe)
                yield _planned_run(cfg, setting_name, name, results, outputs)
            first = next(iter(suite.settings))
            cfg = _pipeline_cfg(suite, task_id, task, suite.settings[first], seed, name, recipe)
            for data, method in itertools.product(suite.data, suite.methods):
                online = run_folder(outputs / name, task_id, first, seed)
                run = _planned_run(cfg, f"{data}/{method}", name, results, outputs)
                yield replace(run, offline=OfflineCfg(method, data, task.noise, str(online)))


def _planned_run(cfg: PipelineCfg, setting: str, name: str, results: Path, outputs: Path) -> PlannedRun:
    data = _hash(replace(_data_cfg(cfg), seed=0))
    return PlannedRun(
        cfg,
        run_folder(results / name, cfg.task, setting, cfg.seed).with_suffix(".json"),
        run_folder(outputs / name, cfg.task, setting, cfg.seed),
        outputs / "data" / f"{task_folder(cfg.task)}_{data}" / f"seed_{cfg.seed}",
    )


def _pipeline_cfg(
    suite: SuiteCfg, task_id: str, task: SuiteTaskCfg, setting: SettingCfg, seed: int, name: str, recipe: Any
) -> PipelineCfg:
    max_iterations = setting.max_iterations or task.max_iterations
    return PipelineCfg(
        task=task_id,
        num_demonstrations=task.num_demonstrations or recipe.num_demonstrations,
        disturbance=recipe.disturbance if task.disturbance is None else task.disturbance,
        agent=setting.agent,
        label=PipelineCfg.label if setting.agent == PipelineCfg.agent else setting.agent,
        experiment=name,
        seed=seed,
        num_envs=setting.num_envs,
        max_iterations=max_iterations,
        save_interval=max(max_iterations // suite.evaluations, 1),
        episodes=suite.episodes,
        checkpoint_episodes=suite.episodes,
        overrides=(*task.overrides, *setting.overrides),
    )


def _data_cfg(cfg: PipelineCfg) -> PipelineCfg:
    """``cfg`` with the defaults of everything that neither demonstrations, base policy nor its evaluation depend on."""
    return PipelineCfg(
        task=cfg.task,
        num_demonstrations=cfg.num_demonstrations,
        disturbance=cfg.disturbance,
        experiment="data",
        seed=cfg.seed,
        device=cfg.device,
        pretrain_steps=cfg.pretrain_steps,
        episodes=cfg.episodes,
        overrides=cfg.task_overrides,
    )


def _hash(cfg: PipelineCfg, offline: OfflineCfg | None = None) -> str:
    settings = asdict(cfg) | ({} if offline is None else {"offline": asdict(replace(offline, online=""))})
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:12]
