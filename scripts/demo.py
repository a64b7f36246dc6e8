# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The whole path on two CPU cores: demonstrations, base policy, CSIL++, evaluations, a table and pictures.

`make demo` runs this as it is. Everything goes to the folder ``--output``: summary.json, success.png, policy.gif, policy.png, the
demonstrations, the base policy, the results of all evaluations and a log of each stage. The training run itself is in logs/.
Stages that do not need each other share the time: while the policy trains on one core, its checkpoints are evaluated on the other.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from cohoff.cli import ArgumentParser, run
from cohoff.data.demonstrations import merge_demonstrations
from cohoff.errors import InputError
from cohoff.experiments.workflow import Stage, StageFailed, Workflow
from cohoff.files import write_json
from cohoff.isaac.launch import check_device, check_task
from cohoff.policies.loading import base_path
from cohoff.provenance import command_line, git_revision
from demo_cfg import NUM_DEMOS, QUICK, DemoCfg

SCRIPTS = Path(__file__).parent
EXPERIMENT = "demo"


class Demo:
    """The stages and what they hand on to each other."""

    def __init__(self, cfg: DemoCfg, output: Path, base_from: Path | None, flow: Workflow) -> None:
        self.cfg = cfg
        self.output = output
        self.flow = flow
        self.shared = base_from or output
        self.demos = self.shared / "demos.hdf5"
        self.base = Path(cfg.base) if cfg.base else self.shared / "base.safetensors"
        self.run = self._run_folder()
        self.started = time.monotonic()
        # What is set of the task holds wherever it is simulated; the learner's settings are for training alone.
        self.of_task = [setting for setting in cfg.overrides if not setting.startswith("agent.")]
        self.evaluations: dict[str, Stage] = {}

    def _run_folder(self) -> Path:
        """Folder of the training run: that of the interrupted demo if it had finished, else a new one."""
        outputs = self.flow.reusable_outputs("train")
        name = f"{datetime.now():%Y-%m-%d_%H-%M-%S}_{self.cfg.reward}_seed{self.cfg.seed}"
        return outputs[0] if outputs else Path("logs", "rsl_rl", EXPERIMENT, name).absolute()

    def submit(self, name: str, title: str, arguments: list[Any], outputs: list[Path], **kwargs: Any) -> Stage:
        """Queue a Python program."""
        command = [sys.executable, *map(str, arguments)]
        return self.flow.submit(Stage(name, title, command, outputs, **kwargs))

    def collect(self) -> list[Stage]:
        """Record the demonstrations, half of them on each core."""
        cfg, stages = self.cfg, []
        for part in range(2):
            count = cfg.num_demos // 2 + (cfg.num_demos % 2 if part == 0 else 0)
            file = self.output / f"demos_{part}.hdf5"
            arguments = _options(
                task=cfg.task, num_demos=count, output=file, num_envs=cfg.collect_envs,
                seed=1000 * (cfg.seed + 1) + part, device=cfg.device,
            )  # fmt: skip
            program = [SCRIPTS / "collect_demos.py", *arguments, *self.of_task]
            stages.append(self.submit(f"collect_{part}", f"demonstrations {part + 1}/2", program, [file]))
        self.flow.wait(*stages)
        merge_demonstrations([stage.outputs[0] for stage in stages], self.demos)
        return stages

    def pretrain(self) -> Stage:
        """Train the base policy on the demonstrations."""
        cfg = self.cfg
        arguments = _options(
            task=cfg.task,
            demos=self.demos,
            output=self.base,
            seed=cfg.seed,
            device=cfg.device,
            steps=cfg.pretrain_steps,
        )
        stage = self.submit(
            "pretrain", "base policy", [SCRIPTS / "pretrain.py", *arguments], [self.base], all_cores=True
        )
        self.flow.wait(stage)
        return stage

    def train(self) -> Stage:
        """Queue CSIL++ by Isaac Lab's own command."""
        cfg = self.cfg
        arguments = ["-m", "isaaclab", "train", "--rl_library", "rsl_rl", "--agent", "rsl_rl_csil_cfg_entry_point"]
        arguments += _options(
            task=cfg.task, device=cfg.device, num_envs=cfg.num_envs, seed=cfg.seed, experiment_name=EXPERIMENT,
            run_timestamp=self.run.name, max_iterations=cfg.max_iterations,
        )  # fmt: skip
        arguments += [
            f"agent.device={cfg.device}",
            f"agent.save_interval={cfg.save_interval}",
            f"agent.algorithm.reward={cfg.reward}",
            f"agent.algorithm.demonstrations={self.demos.absolute()}",
            f"agent.algorithm.base={self.base.absolute()}",
            *cfg.overrides,
        ]
        return self.submit("train", f"CSIL++ ({cfg.reward})", arguments, [self.run], status=self._progress)

    def evaluate(self, name: str, title: str, policy: str, checkpoint: Path, few: bool = False) -> Stage:
        """Queue an evaluation; its result is evaluation ``name``."""
        cfg = self.cfg
        arguments = _options(
            task=cfg.task, policy=policy, checkpoint=_relative(checkpoint), num_envs=cfg.num_envs, device=cfg.device,
            episodes=cfg.checkpoint_episodes if few else cfg.episodes,
            # Initial states that training and demonstrations have not seen, the same for all policies.
            seed=1_000_000 + cfg.seed, json=self.result(name),
        )  # fmt: skip
        program = [SCRIPTS / "evaluate.py", *arguments, *self.of_task]
        stage = self.submit(f"evaluate_{name}", title, program, [self.result(name)])
        self.evaluations[name] = stage
        return stage

    def result(self, name: str) -> Path:
        """File of the evaluation ``name``."""
        return self.output / "evaluations" / f"{name}.json"

    def follow_checkpoints(self) -> None:
        """Queue evaluations of the checkpoints that are complete, the last one apart."""
        # The newest one may still be being written.
        for checkpoint in self.checkpoints()[:-1]:
            iteration = _iteration(checkpoint)
            if "bc" not in self.evaluations:
                self.evaluate_start(checkpoint)
            if iteration > 0 and f"csil_{iteration}" not in self.evaluations:
                self.evaluate(f"csil_{iteration}", f"CSIL++ at iteration {iteration}", "csil", checkpoint, few=True)

    def evaluate_start(self, checkpoint: Path) -> None:
        """Queue evaluations of what training starts from, which every checkpoint holds."""
        self.evaluate("bc", "clone alone", "bc", checkpoint)
        self.evaluate("csil_step0", "CSIL++ at step 0", "csil_step0", checkpoint)

    def checkpoints(self) -> list[Path]:
        """Checkpoints of the training run, oldest first."""
        return sorted(self.run.glob("model_*.pt"), key=_iteration)

    def _progress(self) -> str:
        """The last line of the learner's own log, in words."""
        line = _last_json_line(self.run / "progress.jsonl")
        if line is None:
            return "cloning and critic"
        success = line.get("train_success")
        return (
            f"{line['env_steps']:,} steps, {line['updates']:,} updates, {line['env_steps'] / line['seconds']:.0f} steps/s"
            + ("" if success is None else f", success of the sampled policy {success:.2f}")
        )

    def film(self, checkpoint: Path) -> Stage:
        """Queue the film of the final policy."""
        cfg = self.cfg
        arguments = _options(
            task=cfg.task, policy="csil", checkpoint=checkpoint, num_envs=cfg.film_envs, max_steps=cfg.film_steps,
            seed=2_000_000 + cfg.seed, device=cfg.device,
        )  # fmt: skip
        outputs = [self.output / "policy.gif", self.output / "policy.png"]
        program = [SCRIPTS / "record_video.py", *arguments, *self.of_task, "--output", *outputs]
        return self.submit("film", "film", program, outputs)

    def plot(self) -> Stage:
        """Queue the learning curve."""
        label = "CSIL++" if self.cfg.reward == "coherent" else "CSIL++, sparse reward"
        arguments = [SCRIPTS / "plot.py", "--title", self.cfg.task, "--curve", label, self.output / "evaluations"]
        arguments += ["--base", self.result("base"), "--bc", self.result("bc"), "--output", self.output / "success.png"]
        return self.submit("plot", "learning curve", arguments, [self.output / "success.png"])

    def go(self) -> dict[str, Any]:
        """Run all stages; return the summary."""
        flow = self.flow
        seconds: dict[str, float] = dict.fromkeys(("collect", "pretrain", "clone", "online", "evaluate"), 0.0)
        if self.shared == self.output:
            seconds["collect"] = max(stage.seconds for stage in self.collect())
            seconds["pretrain"] = 0.0 if self.cfg.base else self.pretrain().seconds
        train = self.train()
        self.evaluate("base", "base alone", "base", self.base)
        flow.wait(train, meanwhile=self.follow_checkpoints)
        final = self.checkpoints()[-1]
        self.follow_checkpoints()
        if "bc" not in self.evaluations:
            self.evaluate_start(final)
        self.evaluate("csil_final", "CSIL++, final", "csil", final)
        film = self.film(final)
        flow.wait(film, *self.evaluations.values())
        flow.wait(self.plot())
        learner = _last_json_line(self.run / "progress.jsonl") or {}
        seconds["online"] = learner["seconds"]
        seconds["clone"] = train.seconds - learner["seconds"]
        seconds["evaluate"] = sum(stage.seconds for stage in self.evaluations.values())
        seconds["total"] = time.monotonic() - self.started
        return self._summary(learner, {name: round(value, 1) for name, value in seconds.items()})

    def _summary(self, learner: dict[str, Any], seconds: dict[str, float]) -> dict[str, Any]:
        results = {name: _read(self.result(name)) for name in self.evaluations}
        trained = sorted(
            (result for result in results.values() if result["policy"] == "csil"),
            key=lambda r: r["training"]["env_steps"],
        )
        curve = [{"env_steps": r["training"]["env_steps"], **_rate(r)} for r in [results["csil_step0"], *trained]]
        return {
            "task": self.cfg.task,
            "device": self.cfg.device,
            "base": _rate(results["base"]),
            "bc": _rate(results["bc"]),
            "csil": {
                "step0": _rate(results["csil_step0"]),
                "final": _rate(results["csil_final"]),
                "min_during_training": min(result["success"] for result in trained),
                "env_steps": learner["env_steps"],
                "updates": learner["updates"],
                "curve": curve,
            },
            "seconds": seconds,
            "throughput": {
                "env_steps_per_second": round(learner["env_steps"] / seconds["online"], 1),
                "updates_per_second": round(learner["updates"] / seconds["online"], 1),
            },
            "settings": asdict(self.cfg),
            "reused": [stage.name for stage in self.flow.stages if stage.state == "reused"],
            "run": _relative(self.run),
            "git_revision": git_revision(),
            "command": command_line(),
        }


def _options(**values: Any) -> list[Any]:
    """Arguments ``--name value``, those with None left out."""
    return [word for name, value in values.items() if value is not None for word in (f"--{name}", value)]


def _iteration(checkpoint: Path) -> int:
    return int(checkpoint.stem.removeprefix("model_"))


def _read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def _rate(result: dict[str, Any]) -> dict[str, Any]:
    return {key: result[key] for key in ("success", "low", "high", "episodes")}


def _relative(path: Path) -> str:
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _last_json_line(path: Path) -> dict[str, Any] | None:
    """The last complete line of a file of JSON lines that is being written; None before there is one."""
    if not path.is_file():
        return None
    lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    return json.loads(lines[-1]) if lines else None


def show(summary: dict[str, Any], output: Path, console: Console) -> None:
    """The summary as a table."""
    table = Table(
        title=f"{summary['task']}, seed {summary['settings']['seed']}, {summary['settings']['reward']} reward"
    )
    for column in ("policy", "success", "95% interval", "episodes", "environment steps"):
        table.add_column(column, justify="left" if column == "policy" else "right")
    csil = summary["csil"]
    rows = [
        ("base policy", summary["base"], 0),
        ("clone alone", summary["bc"], 0),
        ("CSIL++ at step 0", csil["step0"], 0),
    ]
    for title, rate, steps in [*rows, ("CSIL++, final", csil["final"], csil["env_steps"])]:
        interval = f"{rate['low']:.3f} - {rate['high']:.3f}"
        table.add_row(title, f"{rate['success']:.3f}", interval, str(rate["episodes"]), f"{steps:,}")
    console.print(table)
    seconds = summary["seconds"]
    console.print(
        f"lowest during training {csil['min_during_training']:.3f}; {seconds['total'] / 60:.1f} minutes, "
        f"{summary['throughput']['env_steps_per_second']:.0f} environment steps/s; {_relative(output)}/summary.json, success.png, policy.gif",
        highlight=False,
        soft_wrap=True,
    )


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", default=DemoCfg.task, help="task id")
    parser.add_argument("--num_demos", type=int, help="demonstrations; by default so many that the base is imperfect")
    parser.add_argument(
        "--episodes",
        type=int,
        default=DemoCfg.episodes,
        help="of an evaluation; half of them for checkpoints on the way",
    )
    parser.add_argument("--seed", type=int, default=DemoCfg.seed)
    parser.add_argument(
        "--reward", choices=("coherent", "sparse"), default=DemoCfg.reward, help="sparse is the control"
    )
    parser.add_argument("--device", default=DemoCfg.device, help="cpu, cuda or cuda:<index>")
    parser.add_argument("--output", type=Path, default=Path("outputs/demo"), help="folder for everything")
    parser.add_argument(
        "--base_from", type=Path, help="take demonstrations and base policy from the folder of another demo"
    )
    parser.add_argument("--base", help="base policy in place of one trained here: its file or folder, or flow or pi05")
    parser.add_argument("--base_checkpoint", help="file or folder of --base flow or pi05")
    parser.add_argument(
        "--resume", action="store_true", help="go on after the stages that an interrupted demo completed"
    )
    parser.add_argument("--quick", action="store_true", help="run through all stages without learning anything")
    parser.add_argument("overrides", nargs="*", help="settings of training, agent.algorithm.beta=0.1, or of the task")
    args = parser.parse_args()
    if args.num_demos is not None and args.num_demos < 2:
        raise InputError(f"--num_demos is {args.num_demos}; give at least 2")
    if args.episodes < 2:
        raise InputError(f"--episodes is {args.episodes}; give at least 2")
    if args.seed < 0:
        raise InputError(f"--seed is {args.seed}; give 0 or more")
    if args.output.exists() and not args.output.is_dir():
        raise InputError(f"--output {str(args.output)!r} is a file; give a folder")
    args.base = base_path(args.base, args.base_checkpoint)
    if args.base is not None and not Path(args.base).exists():
        raise InputError(f"no base policy at {args.base!r}; give a file of scripts/pretrain.py or a pi-0.5 folder")
    for name in ("demos.hdf5",) if args.base else ("demos.hdf5", "base.safetensors"):
        if args.base_from is not None and not (args.base_from / name).is_file():
            raise InputError(f"--base_from {str(args.base_from)!r} holds no {name}; give the folder of a finished demo")
    check_task(args.task)
    args.device = check_device(args.device)
    return args


def check_settings(cfg: DemoCfg, output: Path, resume: bool) -> None:
    """Keep the settings beside the results; refuse to resume with others."""
    path = output / "settings.json"
    settings = json.loads(json.dumps(asdict(cfg)))
    if resume:
        if not path.is_file():
            raise InputError(f"nothing to resume in {str(output)!r}; leave out --resume")
        before = _read(path)
        changed = [name for name in settings if settings[name] != before.get(name)]
        if changed:
            raise InputError(f"cannot resume {str(output)!r}: {', '.join(changed)} differ; leave out --resume")
    write_json(path, settings)


def main() -> int:
    """Run the demo and report."""
    args = parse_arguments()
    console = Console()
    num_demos = args.num_demos or NUM_DEMOS.get(args.task, DemoCfg.num_demos)
    cfg = DemoCfg(args.task, args.seed, args.device, args.reward, base=args.base, num_demos=num_demos)
    cfg = replace(cfg, episodes=args.episodes, checkpoint_episodes=args.episodes // 2)
    if args.quick:
        cfg = replace(cfg, **QUICK)
    cfg = replace(cfg, overrides=(*cfg.overrides, *args.overrides))
    args.output.mkdir(parents=True, exist_ok=True)
    check_settings(cfg, args.output, args.resume)
    if not args.resume:
        for result in (args.output / "evaluations").glob("*.json"):
            result.unlink()
    try:
        with Workflow(args.output, console, resume=args.resume) as flow:
            summary = Demo(cfg, args.output, args.base_from, flow).go()
    except StageFailed as error:
        console.print(f"error: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
        return 1
    write_json(args.output / "summary.json", summary)
    show(summary, args.output, console)
    return 0


if __name__ == "__main__":
    run(main)
