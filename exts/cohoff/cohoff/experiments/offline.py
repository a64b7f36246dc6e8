# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""From recorded data to an evaluated policy that has learned from them alone."""

from __future__ import annotations

import shutil
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cohoff.experiments.agent_kinds import AgentKind
from cohoff.experiments.pipeline import TRAINING_FILE, Pipeline, options, relative
from cohoff.experiments.pipeline_cfg import PipelineCfg
from cohoff.experiments.results import read_json
from cohoff.experiments.summary import success_of
from cohoff.experiments.workflow import Stage, StageFailed, Workflow
from cohoff.provenance import command_line, git_revision
from cohoff.run_folder import checkpoints, last_progress

DATA = ("demonstrations", "mixed", "replay")
"""Kinds of data: demonstrations; the same beside episodes of the base with noise, so that half are failures; the replay
of a training run."""

NUM_EPISODES = 200
"""Episodes of the base that are recorded."""


@dataclass(frozen=True)
class OfflineCfg:
    """What is learned from recorded data."""

    method: str
    """One of ``cohoff offline``."""
    data: str
    """One of :data:`DATA`."""
    noise: float
    """Standard deviation of the noise on the base's actions in ``mixed``."""
    online: str
    """Folder of the pipeline whose training run has the replay."""


class OfflinePipeline(Pipeline):
    """Trains a method on recorded data and evaluates it.

    Args:
        offline: What is learned.
        cfg: Task, seed and sizes.
        agent: Kind of the agent whose replay is learned from.
        output: Folder for checkpoints, results and logs.
        flow: Runs the stages.
        base_from: Folder of the pipeline whose demonstrations and base policy are used.
    """

    def __init__(
        self, offline: OfflineCfg, cfg: PipelineCfg, agent: AgentKind, output: Path, flow: Workflow, base_from: Path
    ) -> None:
        super().__init__(cfg, agent, output, flow, base_from)
        self.offline = offline
        self.recorded = Path(offline.online) / f"{offline.data}.hdf5"
        """What is learned from beside or instead of the demonstrations, shared by all methods."""

    def record(self) -> None:
        """Record episodes of the base or export the replay, unless that has been done.

        Raises:
            StageFailed: It failed, or the run with the replay has not been made.
        """
        cfg, offline = self.cfg, self.offline
        if offline.data == "demonstrations" or self.recorded.is_file():
            return
        training = Path(offline.online) / TRAINING_FILE
        if offline.data == "replay":
            if not training.is_file():
                raise StageFailed(f"the replay is in no run at {offline.online!r}; delete its result to make it again")
            run = relative(Path(read_json(training)["run"]))
            command = [sys.executable, "-m", "cohoff", "export_replay", str(run), "--output", str(self.recorded)]
        else:
            command = self.program(
                "collect_demos", policy="base", checkpoint=self.base, keep="all", num_demonstrations=NUM_EPISODES,
                num_envs=NUM_EPISODES, noise=offline.noise, seed=1000 * (cfg.seed + 1) + 700, output=self.recorded,
            )  # fmt: skip
            command += cfg.task_overrides
        self.flow.wait(self.flow.submit(Stage("record", f"data: {offline.data}", command, [self.recorded])))

    def run(self) -> dict[str, Any]:
        """Train and evaluate; return the summary.

        Raises:
            StageFailed: A stage failed.
        """
        cfg, offline, folder = self.cfg, self.offline, self.output / "run"
        if not self.flow.resumes and folder.exists():
            shutil.rmtree(folder)
        files = {"demonstrations": [self.demos], "mixed": [self.demos, self.recorded], "replay": [self.recorded]}
        command = [sys.executable, "-m", "cohoff", "offline", "--data", *map(str, files[offline.data])]
        command += options(
            task=cfg.task, method=offline.method, output=folder, seed=cfg.seed, device=cfg.device,
            failures=0.5 if offline.data == "mixed" else None,
        )  # fmt: skip
        command += ["--resume"] if checkpoints(folder) else []
        train = self.flow.submit(Stage("train", offline.method, command, [folder]))
        self.flow.wait(train)
        self.evaluate("final", offline.method, "trained", folder, cfg.episodes)
        self.flow.wait(self.evaluations["final"])
        progress = last_progress(folder)
        assert progress is not None
        return {
            "task": cfg.task,
            "method": offline.method,
            "data": offline.data,
            "seed": cfg.seed,
            "updates": progress["updates"],
            "final": success_of(read_json(self.result("final"))),
            "base": success_of(read_json(self.shared / "base.json")),
            "seconds": {"train": round(train.seconds, 1), "evaluate": round(self.evaluations["final"].seconds, 1)},
            "settings": asdict(cfg),
            "git_revision": git_revision(),
            "command": command_line(),
        }
