# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""From demonstrations to an evaluated policy: the programs, what they hand on, and in which order they run."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from cohoff.errors import InputError
from cohoff.experiments.agent_kinds import AgentKind
from cohoff.experiments.pipeline_cfg import PipelineCfg
from cohoff.experiments.results import read_json
from cohoff.experiments.summary import summarize
from cohoff.experiments.workflow import Stage, Workflow
from cohoff.files import write_json
from cohoff.run_folder import checkpoints, has_clone, iteration_of, last_progress, settled_checkpoints

TRAINING_FILE = "training.json"
"""Names the folder of the training run, for a pipeline that goes on with an interrupted one."""


class Pipeline:
    """Records demonstrations, trains a base policy and an agent, evaluates them and records a video.

    Stages that do not need each other run side by side: while the agent trains in one lane, its checkpoints are
    evaluated in the other.

    Args:
        cfg: What to run.
        agent: Kind of ``cfg.agent``.
        output: Folder for demonstrations, base policy, results, video and logs.
        flow: Runs the stages.
        base_from: Folder of another pipeline whose demonstrations and base policy are used.
        with_pictures: Whether to record a video and draw the learning curve, with the clone alone beside it.
    """

    def __init__(
        self,
        cfg: PipelineCfg,
        agent: AgentKind,
        output: Path,
        flow: Workflow,
        base_from: Path | None = None,
        with_pictures: bool = True,
    ) -> None:
        self.cfg = cfg
        self.agent = agent
        self.output = output
        self.flow = flow
        self.makes_base = base_from is None
        self.with_pictures = with_pictures
        self.shared = base_from or output
        self.demos = self.shared / "demos.hdf5"
        self.disturbed = self.shared / "disturbed.hdf5"
        self.base = Path(cfg.base) if cfg.base else self.shared / "base.safetensors"
        self.run_folder = self._run_folder()
        self.evaluations: dict[str, Stage] = {}

    def run(self) -> dict[str, Any]:
        """Run all stages; return the summary.

        Raises:
            StageFailed: A stage failed.
        """
        flow, started = self.flow, time.monotonic()
        seconds: dict[str, float] = dict.fromkeys(("collect", "pretrain", "clone", "online", "evaluate"), 0.0)
        if self.makes_base:
            seconds |= self.make_base()
        train = self.train()
        base_result = self._known_base_result()
        if base_result is None:
            self.evaluate("base", "base policy", "base", self.base, self.cfg.episodes)
        flow.wait(train, meanwhile=self.evaluate_checkpoints)
        self.evaluate_checkpoints()
        final = checkpoints(self.run_folder)[-1]
        if self.step0 not in self.evaluations:
            self.evaluate_start(final)
        pictures = [self.record_video(final)] if self.with_pictures else []
        name = f"{self.cfg.agent}_final"
        self.evaluate(name, f"{self.cfg.label}, final", self.agent.policy, final, self.cfg.episodes)
        flow.wait(*pictures, *self.evaluations.values())
        if self.with_pictures:
            flow.wait(self.plot())
        progress = last_progress(self.run_folder)
        seconds["online"] = train.seconds if progress is None else progress["seconds"]
        # A run that was interrupted has cloned before this stage.
        seconds["clone"] = max(train.seconds - seconds["online"], 0.0)
        seconds["evaluate"] = sum(stage.seconds for stage in self.evaluations.values())
        seconds["total"] = time.monotonic() - started
        results = {name: read_json(self.result(name)) for name in self.evaluations}
        if base_result is not None:
            results["base"] = base_result
        summary = summarize(self.cfg, results, seconds)
        reused = [stage.name for stage in flow.stages if stage.state == "reused"]
        return summary | {"reused": reused, "run": relative(self.run_folder)}

    def make_base(self) -> dict[str, float]:
        """Record the demonstrations and train the base policy; return the seconds of these stages.

        Raises:
            StageFailed: A stage failed.
        """
        seconds = {"collect": self.collect()}
        if self.cfg.base is None:
            seconds["pretrain"] = self.pretrain()
        return seconds

    def measure_base(self) -> None:
        """Evaluate the base policy, for the pipelines that share this folder.

        Raises:
            StageFailed: The evaluation failed.
        """
        self.evaluate("base", "base policy", "base", self.base, self.cfg.episodes)
        self.flow.wait(self.evaluations["base"])

    def _known_base_result(self) -> Any:
        """The base's evaluation in the shared folder if it is the one that would be made here; else None."""
        path = self.shared / "base.json"
        if self.makes_base or self.cfg.base is not None or not path.is_file():
            return None
        result = read_json(path)
        same = result["seeds"] == [self.evaluation_seed] and result["episodes"] == self.cfg.episodes
        return result if same and result["overrides"] == list(self.cfg.task_overrides) else None

    @property
    def step0(self) -> str:
        """Name of the evaluation of the policy before its first update."""
        return f"{self.cfg.agent}_step0"

    @property
    def evaluation_seed(self) -> int:
        """Seed of initial states that training and demonstrations have not seen, the same for all policies."""
        return 1_000_000 + self.cfg.seed

    def collect(self) -> float:
        """Record both sets of demonstrations; return the seconds it took."""
        cfg = self.cfg
        stages = []
        for name, title, output, seed, disturbance in (
            ("collect", "demonstrations", self.demos, 1000 * (cfg.seed + 1), 0.0),
            ("disturb", "disturbed demonstrations", self.disturbed, 1000 * (cfg.seed + 1) + 500, cfg.disturbance),
        ):
            command = self.program(
                "collect_demos",
                num_demonstrations=cfg.num_demonstrations,
                num_envs=cfg.collect_envs,
                seed=seed,
                disturbance=disturbance,
                output=output,
            )
            stages.append(self.flow.submit(Stage(name, title, [*command, *cfg.task_overrides], [output])))
        self.flow.wait(*stages)
        return sum(stage.seconds for stage in stages)

    def pretrain(self) -> float:
        """Train the base policy; return the seconds it took."""
        cfg = self.cfg
        command = self.program("pretrain", demos=self.demos, seed=cfg.seed, steps=cfg.pretrain_steps, output=self.base)
        stage = self.flow.submit(Stage("pretrain", "base policy", command, [self.base], all_cores=True))
        self.flow.wait(stage)
        return stage.seconds

    def train(self) -> Stage:
        """Queue the training of the agent by Isaac Lab's own command; an interrupted run goes on."""
        cfg = self.cfg
        if not self.flow.resumes and checkpoints(self.run_folder):
            self.run_folder = self._new_run_folder()  # its demonstrations or base policy have been made anew
        write_json(self.output / TRAINING_FILE, {"run": str(self.run_folder)})
        command = [sys.executable, "-m", "isaaclab", "train", "--rl_library", "rsl_rl"]
        command += options(
            agent=f"rsl_rl_{cfg.agent}_cfg_entry_point",
            task=cfg.task,
            device=cfg.device,
            num_envs=cfg.num_envs,
            seed=cfg.seed,
            experiment_name=cfg.experiment,
            run_timestamp=self.run_folder.name,
            max_iterations=cfg.max_iterations,
            checkpoint=self.run_folder if checkpoints(self.run_folder) else None,
        )
        command += [
            f"agent.device={cfg.device}",
            f"agent.save_interval={cfg.save_interval}",
            *self.agent.inputs(self.demos, self.disturbed, self.base),
            *cfg.overrides,
        ]
        return self.flow.submit(Stage("train", cfg.label, command, [self.run_folder], status=self._training_status))

    def evaluate(self, name: str, title: str, policy: str, checkpoint: Path, episodes: int) -> None:
        """Queue an evaluation; its result is evaluation ``name``."""
        command = self.program(
            "evaluate",
            policy=policy,
            checkpoint=relative(checkpoint),
            num_envs=episodes,
            episodes=episodes,
            seed=self.evaluation_seed,
            json=self.result(name),
        )
        command += self._task_overrides(policy)
        self.evaluations[name] = self.flow.submit(
            Stage(f"evaluate_{name}", f"evaluation: {title}", command, [self.result(name)])
        )

    def evaluate_start(self, checkpoint: Path) -> None:
        """Queue evaluations of what training starts from, which every checkpoint holds; an agent may have no clone."""
        if self.with_pictures and has_clone(self.run_folder):
            self.evaluate("bc", "clone", "clone", checkpoint, self.cfg.episodes)
        policy = self.agent.step0
        start = self.base if policy == "base" else checkpoint
        self.evaluate(self.step0, f"{self.cfg.label} at step 0", policy, start, self.cfg.episodes)

    def evaluate_checkpoints(self) -> None:
        """Queue evaluations of new checkpoints, without the last of the run, which no iteration follows."""
        for checkpoint in settled_checkpoints(self.run_folder):
            iteration = iteration_of(checkpoint)
            name = f"{self.cfg.agent}_{iteration}"
            if self.step0 not in self.evaluations:
                self.evaluate_start(checkpoint)
            if iteration > 0 and name not in self.evaluations:
                title = f"{self.cfg.label} at iteration {iteration}"
                self.evaluate(name, title, self.agent.policy, checkpoint, self.cfg.checkpoint_episodes)

    def record_video(self, checkpoint: Path) -> Stage:
        """Queue the video of the policy in ``checkpoint``."""
        cfg = self.cfg
        outputs = [self.output / "policy.gif", self.output / "policy.png"]
        command = self.program(
            "record_video",
            policy=self.agent.policy,
            checkpoint=relative(checkpoint),
            num_envs=cfg.video_envs,
            max_steps=cfg.video_steps,
            seed=2_000_000 + cfg.seed,
        )
        command += [*self._task_overrides(self.agent.policy), "--output", *map(str, outputs)]
        return self.flow.submit(Stage("video", "video", command, outputs))

    def plot(self) -> Stage:
        """Queue the figure of success over environment steps."""
        output = self.output / "success.png"
        bc = self.result("bc") if "bc" in self.evaluations else None
        command = [sys.executable, "-m", "cohoff", "plot", "--curve", self.cfg.label, str(self.output)]
        command += options(title=self.cfg.task, base=self.result("base"), bc=bc, output=output)
        return self.flow.submit(Stage("plot", "learning curve", command, [output]))

    def program(self, command: str, **values: Any) -> list[str]:
        """``cohoff <command>`` on the task and device of the pipeline."""
        common = options(task=self.cfg.task, device=self.cfg.device)
        return [sys.executable, "-m", "cohoff", command, *common, *options(**values)]

    def result(self, name: str) -> Path:
        """File of the evaluation ``name``."""
        return self.output / f"{name}.json"

    def _run_folder(self) -> Path:
        """Folder of the training run: that of an interrupted pipeline if it can be used, else a new one."""
        outputs = self.flow.reusable_outputs("train")
        return outputs[0] if outputs else self._interrupted_run() or self._new_run_folder()

    def _interrupted_run(self) -> Path | None:
        """Folder of a run that an interrupted pipeline has begun, with checkpoints to go on from."""
        file = self.output / TRAINING_FILE
        if not (self.flow.resumes and self.agent.resumes and file.is_file()):
            return None
        folder = Path(read_json(file)["run"])
        return folder if checkpoints(folder) else None

    def _new_run_folder(self) -> Path:
        # To the microsecond: runs that start side by side must not share a folder.
        name = f"{datetime.now():%Y-%m-%d_%H-%M-%S-%f}_{self.cfg.agent}_seed{self.cfg.seed}"
        return Path("logs", "rsl_rl", self.cfg.experiment, name).absolute()

    def _task_overrides(self, policy: str) -> list[str]:
        """Overrides of the task in which ``policy`` acts."""
        acts_on = self.agent.acts_on(self.base) if policy == self.agent.policy else []
        return [*self.cfg.task_overrides, *acts_on]

    def _training_status(self) -> str:
        """The learner's last report in words."""
        last = last_progress(self.run_folder)
        if last is None:
            newest = checkpoints(self.run_folder)[-1:]
            return f"iteration {iteration_of(newest[0]) + 1}" if newest else "before the first iteration"
        speed = last["env_steps"] / last["seconds"]
        status = f"{last['env_steps']:,} steps, {last['updates']:,} updates, {speed:.0f} steps/s"
        success = last.get("train_success")
        return status if success is None else f"{status}, success of the sampled policy {success:.2f}"


def prepare_output(cfg: PipelineCfg, output: Path, resume: bool) -> None:
    """Make the folder ``output`` and keep the settings in it; remove older results unless they are resumed.

    Raises:
        InputError: There is nothing to resume, or it had other settings.
    """
    path = output / "settings.json"
    settings = json.loads(json.dumps(asdict(cfg)))
    if resume:
        if not path.is_file():
            raise InputError(f"nothing to resume in {str(output)!r}; leave out --resume")
        before = read_json(path)
        changed = [name for name in settings if settings[name] != before.get(name)]
        if changed:
            raise InputError(f"cannot resume {str(output)!r}: {', '.join(changed)} differ; leave out --resume")
    else:
        for name in (TRAINING_FILE, "base.json", "bc.json", "summary.json", f"{cfg.agent}_*.json"):
            for result in output.glob(name):
                result.unlink()
    write_json(path, settings)


def options(**values: Any) -> list[str]:
    """Words ``--name value`` of a command line, without those that are None."""
    return [word for name, value in values.items() if value is not None for word in (f"--{name}", str(value))]


def relative(path: Path) -> str:
    """``path``, relative to the working directory where it is inside."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
