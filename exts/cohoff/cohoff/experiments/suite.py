# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Benchmark suites: data in ``scripts/benchmarks/<suite>.yaml``, read into the runs that they ask for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from omegaconf import MISSING, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from cohoff.errors import InputError
from cohoff.experiments.pipeline_cfg import PipelineCfg
from cohoff.experiments.results import run_folder, task_folder
from cohoff.isaac.launch import load_entry_point


@dataclass
class SuiteTaskCfg:
    """What a suite does on one task; None takes the task's recipe or the agent's configuration."""

    max_iterations: int = 200
    """Iterations of training, 512 environment steps each."""
    num_demonstrations: int | None = None
    """Demonstrations for the base policy, and as many disturbed ones."""
    disturbance: float | None = None
    """Execution noise of the disturbed ones."""
    overrides: list[str] = field(default_factory=list)
    """Settings of the task or of training on it, in hydra's syntax."""


@dataclass
class SuiteCfg:
    """A suite: every task with every setting and every seed."""

    title: str = MISSING
    """One line about the question that it answers."""
    tasks: dict[str, SuiteTaskCfg] = MISSING
    """By name, ``Square`` for ``Cohoff-Square-Franka``."""
    settings: dict[str, list[str]] = MISSING
    """What is compared: overrides by name."""
    seeds: list[int] = MISSING
    """Each seed has its own demonstrations, base policy, training and initial states of evaluations."""
    agent: str = "csil"
    """Agent of the tasks."""
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

    @property
    def data_cfg(self) -> PipelineCfg:
        """What makes the shared folder: nothing of it depends on the settings that are compared."""
        return replace(self.cfg, experiment="data", max_iterations=None, overrides=self.cfg.task_overrides)

    @property
    def recipe_hash(self) -> str:
        """Hash of everything in the configuration."""
        return _hash(self.cfg)


def read_suite(path: Path) -> SuiteCfg:
    """The suite in a YAML file.

    Raises:
        InputError: It cannot be read, or has fields that a suite does not have.
    """
    try:
        loaded = OmegaConf.merge(OmegaConf.structured(SuiteCfg), OmegaConf.load(path))
        suite = OmegaConf.to_object(loaded)
    except OSError as error:
        raise InputError(f"cannot read {str(path)!r}: {error.strerror}") from error
    except Exception as error:
        if not isinstance(error, OmegaConfBaseException) and type(error).__module__.partition(".")[0] != "yaml":
            raise
        raise InputError(f"{str(path)!r} is no suite: {str(error).splitlines()[0]}") from error
    assert isinstance(suite, SuiteCfg)
    return suite


def planned_runs(suite: SuiteCfg, name: str, results: Path, outputs: Path) -> Iterator[PlannedRun]:
    """The runs of a suite, seed by seed, so that a suite that is cut short has all tasks and settings of some seeds."""
    for seed in suite.seeds:
        for task_name, task in suite.tasks.items():
            for setting, overrides in suite.settings.items():
                task_id, combined = f"Cohoff-{task_name}-Franka", [*task.overrides, *overrides]
                cfg = _pipeline_cfg(suite, task_id, task, combined, seed, name)
                data = _hash((cfg.num_demonstrations, cfg.disturbance, cfg.task_overrides, cfg.episodes))
                yield PlannedRun(
                    cfg,
                    run_folder(results / name, cfg.task, setting, seed).with_suffix(".json"),
                    run_folder(outputs / name, cfg.task, setting, seed),
                    outputs / "data" / f"{task_folder(cfg.task)}_{data}" / f"seed_{seed}",
                )


def _pipeline_cfg(
    suite: SuiteCfg, task_id: str, task: SuiteTaskCfg, overrides: list[str], seed: int, name: str
) -> PipelineCfg:
    recipe = load_entry_point(task_id, "recipe_entry_point")
    return PipelineCfg(
        task=task_id,
        num_demonstrations=task.num_demonstrations or recipe.num_demonstrations,
        disturbance=recipe.disturbance if task.disturbance is None else task.disturbance,
        agent=suite.agent,
        experiment=name,
        seed=seed,
        max_iterations=task.max_iterations,
        save_interval=max(task.max_iterations // suite.evaluations, 1),
        episodes=suite.episodes,
        checkpoint_episodes=suite.episodes,
        overrides=tuple(overrides),
    )


def _hash(value: object) -> str:
    content = asdict(value) if isinstance(value, PipelineCfg) else value
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]
