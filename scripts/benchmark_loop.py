# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What the learner's loop adds to the bare simulation step, and what an update costs.

Acting, the replay and the chunk engine are timed around ``env.step`` in the same loop; the base policy's network is
replaced by one that costs nothing, because its price is a matter of the base policy and not of the loop.

Example::

    python scripts/benchmark_loop.py --task Cohoff-Square-Franka --demos outputs/demo/demos.hdf5 \
        --base outputs/demo/base.safetensors --num_envs 64 --json results/square/loop.json
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from tensordict import TensorDict

from cohoff.cli import ArgumentParser, run
from cohoff.experiments.timing import clock
from cohoff.files import check_target, write_json
from cohoff.isaac.launch import check_device, check_task, make_env
from cohoff.provenance import command_line, git_revision

WARM_UP = 20
"""Control steps before the clock starts."""


class FreeBase:
    """Base policy that plans to stand still, at no cost."""

    observations: tuple[str, ...] = ("policy",)
    noise_dim = 0

    def __init__(self, horizon: int, action_dim: int, num_envs: int, device: str):
        self.horizon, self.action_dim = horizon, action_dim
        self._chunk = torch.zeros(num_envs, horizon, action_dim, device=device)

    def plan(self, obs: TensorDict, noise: torch.Tensor | None = None) -> torch.Tensor:
        """Zeros, shape [B, H, A]."""
        return self._chunk[: obs.batch_size[0]]


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", required=True, help="task id")
    parser.add_argument("--demos", type=Path, required=True, help="file written by scripts/collect_demos.py")
    parser.add_argument("--base", type=Path, required=True, help="file written by scripts/pretrain.py")
    parser.add_argument("--num_envs", type=int, default=64)
    parser.add_argument("--steps", type=int, default=200, help="control steps that are timed")
    parser.add_argument("--updates", type=int, default=50, help="updates that are timed")
    parser.add_argument("--device", help="cpu, cuda or cuda:<index>; the first GPU if there is one, by default")
    parser.add_argument("--json", type=Path, help="file for the result")
    args = parser.parse_args()
    check_task(args.task)
    args.device = check_device(args.device)
    if args.json is not None:
        check_target(args.json)
    return args


def main() -> int:
    """Time the loop and print it."""
    args = parse_arguments()
    with make_env(args.task, args.num_envs, args.device, seed=0) as env:
        from isaaclab_rl.rsl_rl import RslRlVecEnvWrapper
        from isaaclab_tasks.utils import load_cfg_from_registry

        from cohoff.algorithms.csil.csil import CSIL

        wrapped = RslRlVecEnvWrapper(env, clip_actions=1.0)  # pyright: ignore[reportArgumentType]
        runner_cfg: Any = load_cfg_from_registry(args.task, "rsl_rl_csil_cfg_entry_point")
        cfg = runner_cfg.to_dict()
        cfg["algorithm"] |= {"demonstrations": str(args.demos), "base": str(args.base)}
        cfg["algorithm"]["clone"]["steps"] = cfg["algorithm"]["critic"]["pretrain_steps"] = 1
        cfg["algorithm"]["updates_per_iteration"] = args.updates
        obs = wrapped.get_observations()
        learner = CSIL.construct_algorithm(obs, wrapped, cfg, args.device)
        learner.train_mode()
        engine = learner.engine
        assert engine is not None
        engine.policy = FreeBase(engine.policy.horizon, engine.policy.action_dim, args.num_envs, args.device)
        simulation = loop = 0.0
        with torch.inference_mode():
            for step in range(WARM_UP + args.steps):
                start = clock(args.device)
                actions = learner.act(obs)
                acted = clock(args.device)
                obs, rewards, dones, extras = wrapped.step(actions)
                stepped = clock(args.device)
                learner.process_env_step(obs, rewards, dones, extras)
                if step >= WARM_UP:
                    simulation += stepped - acted
                    loop += acted - start + clock(args.device) - stepped
        learner.env_steps = max(learner.env_steps, cfg["algorithm"]["actor_start_steps"])
        start = clock(args.device)
        learner.update()
        update = (clock(args.device) - start) / args.updates
    result = {
        "task": args.task,
        "num_envs": args.num_envs,
        "device": args.device,
        "threads": torch.get_num_threads(),
        "simulation_ms": 1e3 * simulation / args.steps,
        "loop_ms": 1e3 * loop / args.steps,
        "loop_share": loop / simulation,
        "update_ms": 1e3 * update,
        "git_revision": git_revision(),
        "command": command_line(),
    }
    if args.json is not None:
        write_json(args.json, result)
    Console().print(
        f"{args.num_envs} environments on {args.device}: env.step {result['simulation_ms']:.1f} ms, loop "
        f"{result['loop_ms']:.1f} ms ({100 * result['loop_share']:.1f}%), update {result['update_ms']:.1f} ms",
        highlight=False,
    )
    return 0


if __name__ == "__main__":
    run(main)
