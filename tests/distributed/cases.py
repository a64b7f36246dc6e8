# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What a process of a distributed test does."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cohoff.errors import exit_on_input_error
from cohoff.offpolicy import inference, inputs
from cohoff.offpolicy.distributed import Ranks
from cohoff.offpolicy.finite import step_if_finite
from cohoff.offpolicy.runner import OffPolicyRunner
from cohoff.stress import gloo
from cohoff.stress.point_mass import DriftingBase, PointMass, success_rate
from cohoff.stress.training import make_runner


def rank() -> int:
    """Rank of this process."""
    return int(os.environ["RANK"])


def join() -> Ranks:
    """Meet the other processes."""
    size = int(os.environ["WORLD_SIZE"])
    gloo.join(rank(), size)
    return Ranks(rank(), size)


def learned(runner: OffPolicyRunner) -> dict[str, Any]:
    """What a test looks at after training."""
    alg = runner.alg
    assert alg.collector is not None
    return {
        "model": alg.learner.modules.state_dict(), "constants": alg.learner.constants(), "discount": alg.discount,
        "counters": [alg.iteration, alg.env_steps, alg.num_updates], "fewest": alg.report.fewest,
        "replay": alg.collector.buffer.state_dict(), "episodes": alg.collector.episodes["train"].summary(),
    }  # fmt: skip


def train(cfg: dict[str, Any], folder: Path, source: Path | None = None) -> dict[str, Any]:
    """Train to the end, after resuming where there is a ``source``; also parameters after each of the updates."""
    runner = make_runner(cfg, folder, seed=0 if source is None else 7)
    if source is not None:
        runner.load(str(source))
    after: list[Tensor] = []
    update, modules = runner.alg.update_once, runner.alg.learner.modules

    def watched(*args: Any) -> None:
        update(*args)
        after.append(torch.cat([value.flatten().double() for value in modules.state_dict().values()]))

    runner.alg.run_update = watched
    runner.learn(cfg["max_iterations"])
    return learned(runner) | {"after": torch.stack(after)}


def learn(cfg: dict[str, Any], folder: Path) -> float | None:
    """Train over the poor base policy of the learning test; return success afterwards, on rank 0."""
    for module in (inputs, inference):
        module.load_base = lambda *args: DriftingBase()  # pyright: ignore[reportAttributeAccessIssue]
    own_folder = gloo.rank_folder(folder, rank())
    make_runner(cfg, folder, PointMass(16, own_folder, seed=rank())).learn(cfg["max_iterations"])
    return success_rate(inference.load_policy(folder, 256, "cpu")) if rank() == 0 else None


def train_until(cfg: dict[str, Any], folder: Path, stop: Callable[[OffPolicyRunner], None]) -> dict[str, Any]:
    """Train, and call ``stop`` on rank 1 in the middle of the third iteration."""
    runner = make_runner(cfg, folder)
    step = runner.alg.process_env_step

    def process_env_step(*args: Any) -> None:
        step(*args)
        if rank() == 1 and runner.alg.iteration == 2:
            stop(runner)

    runner.alg.process_env_step = process_env_step  # pyright: ignore[reportAttributeAccessIssue]
    runner.learn(cfg["max_iterations"])
    return learned(runner)


def be_slow(runner: OffPolicyRunner) -> None:
    """Take longer for a step than the others."""
    time.sleep(0.2)


def die(runner: OffPolicyRunner) -> None:
    """Be killed."""
    os.kill(os.getpid(), signal.SIGKILL)


def be_preempted(runner: OffPolicyRunner) -> None:
    """Get a scheduler's signal, once."""
    del runner.alg.process_env_step
    os.kill(os.getpid(), signal.SIGTERM)


def hang(runner: OffPolicyRunner) -> None:
    """Be away for longer than the others wait, as a process whose node is gone."""
    del runner.alg.process_env_step
    time.sleep(8.0)


def train_unlike(cfg: dict[str, Any], folder: Path, changes: dict[str, Any]) -> None:
    """Train; rank 1 has other settings of the algorithm."""
    if rank() == 1:
        cfg["algorithm"] |= changes
    make_runner(cfg, folder).learn(cfg["max_iterations"])


def train_with_environments(cfg: dict[str, Any], folder: Path, num_envs: int, source: Path | None) -> None:
    """Train in ``num_envs`` environments for each process."""
    own_folder = gloo.rank_folder(folder, int(os.environ.get("RANK", "0")))
    runner = make_runner(cfg, folder, PointMass(num_envs, own_folder))
    if source is not None:
        runner.load(str(source))
    runner.learn(cfg["max_iterations"])


def step_alone() -> None:
    """Step an optimizer past ``step_if_finite``, which the check of every iteration finds."""
    ranks = join()
    module = torch.nn.Linear(2, 1)
    ranks.share_(module.state_dict().values())
    ranks.check_equal(module, "networks")
    with torch.no_grad():
        module.weight += ranks.rank
    with exit_on_input_error():
        ranks.check_equal(module, "networks")


def skip_together() -> list[Any]:
    """Steps of which one is not finite on rank 1 alone: parameters, and what was skipped."""
    ranks = join()
    weight = torch.nn.Parameter(torch.zeros(2))
    optimizer = torch.optim.Adam([weight], lr=0.1, fused=True)
    skipped = []
    with ranks.averaging([]):
        for factor in (1.0, torch.nan if ranks.rank == 1 else 1.0, 1.0):
            loss = (weight * torch.tensor([1.0, 2.0 * ranks.rank])).sum() * factor
            skipped.append(float(step_if_finite(optimizer, loss)))
    assert weight.grad is not None
    return [skipped, weight.detach(), weight.grad]
