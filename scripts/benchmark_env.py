# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Speed and soundness of a task's simulation, for several numbers of environments, each in a process of its own.

First the expert acts, under the clock; then actions drawn uniformly from [-1, 1] shake everything. Counted are breakdowns of the
simulation, which must stay out of observations and rewards, and how far the buffers for contacts are filled.

Example::

    python scripts/benchmark_env.py --task Cohoff-Square-Franka --num_envs 16 64 128 --json results/square/environment.json
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from tensordict import TensorDict

from cohoff.cli import ArgumentParser, run
from cohoff.errors import InputError
from cohoff.experiments.timing import clock
from cohoff.files import check_target, write_json
from cohoff.isaac.evaluation import Policy
from cohoff.isaac.launch import check_device, check_task, make_env, make_expert
from cohoff.isaac.overrides import parse_with_overrides
from cohoff.isaac.policies import RandomPolicy
from cohoff.provenance import command_line, git_revision, versions

WARM_UP = 10
"""Control steps before the clock starts."""


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", required=True, help="task id")
    parser.add_argument("--num_envs", type=int, nargs="+", default=[16, 64, 128])
    parser.add_argument("--expert_steps", type=int, default=200, help="control steps of the expert, timed")
    parser.add_argument("--random_steps", type=int, default=250, help="control steps of random actions")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", help="cpu, cuda or cuda:<index>; the first GPU if there is one, by default")
    parser.add_argument("--json", help="file for the result")
    args = parse_with_overrides(parser)
    for name in ("num_envs", "expert_steps", "random_steps"):
        value = getattr(args, name)
        if min(value if isinstance(value, list) else [value]) < 1:
            raise InputError(f"--{name} is {value}; give at least 1")
    check_task(args.task)
    args.device = check_device(args.device)
    if args.json:
        check_target(args.json)
    return args


@torch.no_grad()
def act(env: Any, policy: Policy, steps: int) -> dict[str, Any]:
    """Run ``policy`` for ``steps`` control steps from a reset; speed, breakdowns and the fullest buffers."""
    from cohoff.isaac.newton_manager import NewtonReplayManager

    n, device = env.num_envs, env.device
    obs, _ = env.reset()
    policy.reset(torch.ones(n, dtype=torch.bool, device=device))
    broken = torch.zeros(n, dtype=torch.bool, device=device)
    breakdowns = successes = contacts = rows = 0
    clean = True
    seconds = 0.0
    for step in range(WARM_UP + steps):
        action = policy(TensorDict(obs, batch_size=[n]))
        start = clock(device)
        obs, reward, terminated, truncated, extras = env.step(action)
        if step >= WARM_UP:
            seconds += clock(device) - start
        policy.reset(terminated | truncated)
        broken |= extras["invalid"]
        breakdowns += int(extras["invalid"].sum())
        successes += int(extras["success"].sum())
        clean &= bool(torch.isfinite(obs["policy"]).all() & torch.isfinite(reward).all())
        if extras["num_resets"] > 0:
            clean &= bool(torch.isfinite(extras["final_obs"]["policy"]).all())
        contacts, rows = map(max, (contacts, rows), NewtonReplayManager.fullest_world())
    return {
        "steps": steps,
        "env_steps_per_second": round(n * steps / seconds, 1),
        "ms_per_step": round(1e3 * seconds / steps, 2),
        "successes": successes,
        "non_finite_resets": breakdowns,
        "non_finite_environments": int(broken.sum()),
        "only_finite_values_seen": clean,
        "contacts": contacts,
        "constraints": rows,
    }


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """Both runs in this process, which makes one simulation."""
    from cohoff.isaac.newton_manager import NewtonReplayManager

    num_envs = args.num_envs[0]
    with make_env(args.task, num_envs, args.device, args.seed, args.overrides) as env:
        physics: Any = env.cfg.sim.physics
        return {
            "num_envs": num_envs,
            "expert": act(env, make_expert(args.task, env), args.expert_steps),
            "random": act(env, RandomPolicy(env, args.seed), args.random_steps),
            "contacts_available": physics.solver_cfg.nconmax,
            "constraints_available": physics.solver_cfg.njmax,
            "overflowed_environments": NewtonReplayManager.overflowed_worlds(),
        }


def measure_elsewhere(args: argparse.Namespace, num_envs: int) -> dict[str, Any]:
    """:func:`measure` for ``num_envs`` environments in a new process."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "result.json"
        command = [sys.executable, __file__, "--task", args.task, "--num_envs", str(num_envs), "--json", str(target)]
        command += ["--expert_steps", str(args.expert_steps), "--random_steps", str(args.random_steps)]
        command += ["--seed", str(args.seed), "--device", args.device, *args.overrides]
        if subprocess.run(command, stdout=subprocess.DEVNULL).returncode != 0:
            raise RuntimeError(f"measuring {num_envs} environments failed; its messages are above")
        return json.loads(target.read_text())["runs"][0]


def main() -> None:
    """Measure and report."""
    args = parse_arguments()
    console = Console()
    runs = []
    for num_envs in args.num_envs:
        runs.append(measure(args) if len(args.num_envs) == 1 else measure_elsewhere(args, num_envs))
        last, expert, random = runs[-1], runs[-1]["expert"], runs[-1]["random"]
        console.print(
            f"{args.task}, {num_envs} environments: {expert['env_steps_per_second']:.0f} environment steps/s, non-finite "
            f"{expert['non_finite_environments']} under the expert and {random['non_finite_environments']} under random "
            f"actions, contacts {max(expert['contacts'], random['contacts'])} of {last['contacts_available']}, constraints "
            f"{max(expert['constraints'], random['constraints'])} of {last['constraints_available']}",
            highlight=False,
            soft_wrap=True,
        )
    if args.json:
        result = {
            "task": args.task,
            "runs": runs,
            "overrides": args.overrides,
            "device": args.device,
            "threads": torch.get_num_threads(),
            "git_revision": git_revision(),
            "versions": versions(),
            "command": command_line(),
        }
        write_json(args.json, result)


if __name__ == "__main__":
    run(main)
