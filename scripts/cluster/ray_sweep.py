# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Search settings of training with Ray Tune: a trial is a run, and ASHA ends those that fall behind.

Example, on this machine or, with an address, on a cluster that shares the folder::

    pip install -e ".[sweep]"
    python scripts/cluster/ray_sweep.py scripts/cluster/sweep.yaml --trials 16 --max_iterations 100 --gpus 1
    ray job submit --address http://HEAD:8265 -- \\
        python $PWD/scripts/cluster/ray_sweep.py $PWD/scripts/cluster/sweep.yaml --folder $PWD --trials 16 ...

The command and the ranges are those of a sweep file of W&B. The runs are in logs/rsl_rl/<experiment>/<trial>/, and
`cohoff status` shows them. A trial whose machine fails goes on with its run elsewhere. Arguments after ``--`` are for
every trial.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import yaml
from ray import tune  # pyright: ignore[reportMissingImports]
from ray.tune.schedulers import ASHAScheduler  # pyright: ignore[reportMissingImports]

from cohoff.cli import ArgumentParser, at_least, run
from cohoff.errors import InputError
from cohoff.files import reading, write_json
from cohoff.run_folder import PROGRESS_FILE, checkpoints

GRACE = 60.0
"""Time that a run has to save when its trial is ended [s]."""

SHOWN = ("iteration", "env_steps", "train_success", "eval_success", "seconds")
"""What is reported of a run's progress."""

METRICS = ("eval_success", "train_success")
"""What trials can be compared by."""

FAILURES = 3
"""Times that a trial which failed is started again."""


class Training(tune.Trainable):
    """A run of ``isaaclab train``, which reports what it writes to ``progress.jsonl``."""

    def setup(self, config: dict[str, Any]) -> None:
        """Start the run, or go on with it."""
        job = config["job"]
        run_folder = Path(job["folder"], "logs", "rsl_rl", job["experiment"], self.trial_id)
        run_folder.mkdir(parents=True, exist_ok=True)
        settings = [f"{name}={value}" for name, value in config.items() if name != "job"]
        command = [*job["command"], f"--experiment_name={job['experiment']}", f"--run_timestamp={self.trial_id}"]
        if checkpoints(run_folder):
            command += ["--checkpoint", str(run_folder)]
        self._progress = run_folder / PROGRESS_FILE
        self._read, self._last = 0, dict.fromkeys(SHOWN, 0.0)
        self._log = run_folder / "console.log"
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, *settings], cwd=job["folder"], stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )

    def step(self) -> dict[str, Any]:
        """Wait for the next iteration; return its counters, and a success rate of 0 while none is known."""
        while True:
            status = self._process.poll()
            text = self._progress.read_text(encoding="utf-8") if self._progress.is_file() else ""
            lines = text.split("\n")[:-1]
            if len(lines) > self._read:
                # Every line is reported, because trials are compared at the same iterations.
                line = json.loads(lines[self._read])
                self._read += 1
                self._last = {name: line.get(name) or 0.0 for name in SHOWN}
                return self._last
            if status == 0:
                return self._last | {"done": True}
            if status is not None:
                raise RuntimeError(f"training ended with status {status}, see {self._log}")
            time.sleep(1.0)

    def save_checkpoint(self, checkpoint_dir: str) -> dict[str, Any]:
        """Nothing: the run saves itself, and :meth:`setup` finds it."""
        return {}

    def load_checkpoint(self, checkpoint: dict[str, Any] | None) -> None:
        """Nothing, for the same reason."""

    def cleanup(self) -> None:
        """End the run; it saves itself."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(GRACE)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)


def read_sweep(path: Path) -> tuple[list[str], dict[str, Any]]:
    """Command of a trial and ranges of its settings, from a sweep file of W&B.

    Raises:
        InputError: The file cannot be read, or has a range of a kind that is not known here.
    """
    if not path.is_file():
        raise InputError(f"no sweep file {str(path)!r}; scripts/cluster/sweep.yaml is one")
    with reading(path, "scripts/cluster/sweep.yaml shows what a sweep needs"):
        sweep = yaml.safe_load(path.read_text(encoding="utf-8"))
        words = {"${program}": [sweep["program"]], "${env}": [], "${args_no_hyphens}": []}
        command = [word for entry in sweep["command"] for word in words.get(entry, [entry])]
        return command, {name: read_range(name, spec) for name, spec in sweep["parameters"].items()}


def read_range(name: str, spec: dict[str, Any]) -> Any:
    """What Ray draws a setting from."""
    match spec:
        case {"value": value}:
            return value
        case {"values": values}:
            return tune.choice(values)
        case {"distribution": "log_uniform_values", "min": low, "max": high}:
            return tune.loguniform(low, high)
        case {"min": int(low), "max": int(high)}:
            return tune.randint(low, high + 1)
        case {"min": low, "max": high, **rest} if rest.get("distribution", "uniform") == "uniform":
            return tune.uniform(low, high)
    raise InputError(f"{name} in the sweep is {spec}; give value, values, or min and max (log_uniform_values, uniform)")


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sweep", type=Path, help="sweep file of W&B")
    parser.add_argument("--trials", type=at_least(1), default=16, help="runs (default: %(default)s)")
    parser.add_argument("--max_iterations", type=at_least(1), default=100, help="of a run (default: %(default)s)")
    parser.add_argument("--first", type=at_least(1), default=20, help="iterations that every run has (%(default)s)")
    parser.add_argument("--metric", choices=METRICS, default=METRICS[0], help="what is compared (%(default)s)")
    parser.add_argument("--cpus", type=at_least(1), default=1, help="cores of a trial (default: %(default)s)")
    parser.add_argument("--gpus", type=at_least(0.0), default=0.0, help="GPUs of a trial, 0.5 is half of one")
    parser.add_argument("--folder", type=Path, default=Path.cwd(), help="where trials run (default: .)")
    parser.add_argument("--json", help="file to write the table to")
    words = sys.argv[1:]
    end = words.index("--") if "--" in words else len(words)
    args = parser.parse_args(words[:end])
    args.arguments = words[end + 1 :]
    return args


def main() -> int:
    """Run the sweep; the number of trials that failed."""
    args = parse_arguments()
    command, space = read_sweep(args.sweep)
    experiment = f"ray_{args.sweep.stem}_{time.strftime('%Y-%m-%d_%H-%M-%S')}"
    job = {
        "command": [*command, "--max_iterations", str(args.max_iterations), *args.arguments],
        "experiment": experiment,
        "folder": str(args.folder.absolute()),
    }
    scheduler = ASHAScheduler(
        time_attr="iteration", max_t=args.max_iterations, grace_period=min(args.first, args.max_iterations)
    )
    results = tune.Tuner(
        tune.with_resources(Training, {"cpu": args.cpus, "gpu": args.gpus}),
        param_space={**space, "job": job},
        tune_config=tune.TuneConfig(
            metric=args.metric, mode="max", num_samples=args.trials, scheduler=scheduler,
            trial_dirname_creator=lambda trial: trial.trial_id,
        ),
        run_config=tune.RunConfig(
            name=experiment, storage_path=str(args.folder.absolute() / "outputs" / "ray"),
            failure_config=tune.FailureConfig(max_failures=FAILURES),
        ),
    ).fit()  # fmt: skip
    rows = [
        {
            "trial": (result.metrics or {}).get("trial_id"),
            "settings": {name: value for name, value in (result.config or {}).items() if name in space},
            **{name: (result.metrics or {}).get(name) for name in SHOWN},
            "failed": result.error is not None,
        }
        for result in results
    ]
    rows.sort(key=lambda row: row.get(args.metric) or 0.0, reverse=True)
    for row in rows:
        print(json.dumps(row))
    if args.json is not None:
        write_json(args.json, {"experiment": experiment, "command": job["command"], "trials": rows})
    return sum(row["failed"] for row in rows)


if __name__ == "__main__":
    run(main)
