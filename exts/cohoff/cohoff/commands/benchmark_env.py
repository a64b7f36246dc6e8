# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Measure the speed and soundness of a task's simulation, for several numbers of environments, each in its own process.

First the expert acts and is timed; then uniform actions in [-1, 1] shake everything. Reported are breakdowns of the
simulation, which must not reach observations or rewards, and how far the buffers for contacts are filled.

Example::

    cohoff benchmark_env --task Cohoff-Square-Franka --num_envs 16 64 128 --json results/tasks/square/environment.json
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from tensordict import TensorDict

from cohoff.cli import add_json, add_seed, at_least, command_parser
from cohoff.experiments.timing import clock
from cohoff.files import write_json
from cohoff.isaac.arguments import add_task_and_device, parse_with_overrides
from cohoff.isaac.evaluation import Policy
from cohoff.isaac.launch import make_env, make_expert
from cohoff.isaac.policies import RandomPolicy
from cohoff.provenance import provenance

WARM_UP = 10
"""Control steps before the clock starts."""


def parse_arguments(argv: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = command_parser("benchmark_env", __doc__)
    add_task_and_device(parser)
    parser.add_argument(
        "--num_envs", type=at_least(1), nargs="+", default=[16, 64, 128], help="numbers of environments to measure"
    )
    parser.add_argument(
        "--expert_steps", type=at_least(1), default=200, help="timed steps of the expert (default: %(default)s)"
    )
    parser.add_argument(
        "--random_steps", type=at_least(1), default=250, help="steps of random actions (default: %(default)s)"
    )
    add_seed(parser, "the initial states and the random actions")
    add_json(parser)
    return parse_with_overrides(parser, argv)


@torch.no_grad()
def act(env: Any, policy: Policy, steps: int) -> dict[str, Any]:
    """Run ``policy`` for ``steps`` control steps from a reset; return speed, breakdowns and the fullest buffers."""
    from cohoff.isaac.newton_manager import NewtonGraphMJWarpManager

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
        contacts, rows = map(max, (contacts, rows), NewtonGraphMJWarpManager.fullest_world())
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
    """Both runs, in this process; one process can make one simulation."""
    from cohoff.isaac.newton_manager import NewtonGraphMJWarpManager

    num_envs = args.num_envs[0]
    with make_env(args.task, num_envs, args.device, args.seed, args.overrides) as env:
        physics: Any = env.cfg.sim.physics
        return {
            "num_envs": num_envs,
            "expert": act(env, make_expert(args.task, env), args.expert_steps),
            "random": act(env, RandomPolicy(env, args.seed), args.random_steps),
            "contacts_available": physics.solver_cfg.nconmax,
            "constraints_available": physics.solver_cfg.njmax,
            "overflowed_environments": NewtonGraphMJWarpManager.overflowed_worlds(),
        }


def measure_elsewhere(args: argparse.Namespace, num_envs: int) -> dict[str, Any]:
    """:func:`measure` for ``num_envs`` environments in a new process."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "result.json"
        command = [sys.executable, "-m", "cohoff", "benchmark_env", "--task", args.task, "--json", str(target)]
        command += ["--num_envs", str(num_envs)]
        command += ["--expert_steps", str(args.expert_steps), "--random_steps", str(args.random_steps)]
        command += ["--seed", str(args.seed), "--device", args.device, *args.overrides]
        if subprocess.run(command, stdout=subprocess.DEVNULL).returncode != 0:
            raise RuntimeError(f"measuring {num_envs} environments failed; its messages are above")
        return json.loads(target.read_text())["runs"][0]


def main(argv: Sequence[str]) -> None:
    """Measure and report."""
    args = parse_arguments(argv)
    runs = []
    for num_envs in args.num_envs:
        runs.append(measure(args) if len(args.num_envs) == 1 else measure_elsewhere(args, num_envs))
        last, expert, random = runs[-1], runs[-1]["expert"], runs[-1]["random"]
        print(
            f"{args.task}, {num_envs} environments: {expert['env_steps_per_second']:.0f} environment steps/s, "
            f"non-finite {expert['non_finite_environments']} under the expert and "
            f"{random['non_finite_environments']} under random actions, contacts "
            f"{max(expert['contacts'], random['contacts'])} of {last['contacts_available']}, constraints "
            f"{max(expert['constraints'], random['constraints'])} of {last['constraints_available']}",
            flush=True,
        )
    if args.json:
        result = {
            "task": args.task,
            "runs": runs,
            "overrides": args.overrides,
            "device": args.device,
            "threads": torch.get_num_threads(),
            **provenance(),
        }
        write_json(args.json, result)
