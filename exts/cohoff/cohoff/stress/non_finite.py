# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Values that are not finite, put where they could come from: training has to go on, and nothing may catch them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import torch

from cohoff.stress.point_mass import smallest_run
from cohoff.stress.training import make_runner

VALUES = {"NaN": math.nan, "inf": math.inf, "-inf": -math.inf}
ITERATIONS = 6
"""Iterations of each run; the value appears in the third."""


@dataclass(frozen=True)
class Injection:
    """What one value did to a run."""

    place: str
    """Where it was put."""
    value: str
    """A key of :data:`VALUES`."""
    contained: bool
    """Whether the run ended as planned, with networks, optimizers and replay buffer finite."""
    counted: bool
    """Whether progress.jsonl tells of it."""


def run_non_finite(folder: Path, values: Sequence[str] = tuple(VALUES)) -> Iterator[Injection]:
    """Train a small run for each place and each of ``values``, keys of :data:`VALUES`."""
    cfg = smallest_run(folder)
    for number, ((place, inject), value) in enumerate(product(PLACES.items(), values)):
        runner = make_runner(cfg, folder / f"run_{number}")
        runner.alg.train_mode()  # makes the parts whose methods are replaced
        inject(Armed(runner, VALUES[value]))
        runner.learn(ITERATIONS)
        collector: Any = runner.alg.collector
        states = [runner.alg.learner.modules.state_dict(), collector.buffer.states, collector.buffer.transitions]
        states += [s for optimizer in runner.alg.learner.optimizers.values() for s in optimizer.state.values()]
        finite = all(value.isfinite().all() for state in states for value in state.values())
        totals = runner.alg.report.totals
        yield Injection(
            place, value, finite and runner.alg.iteration == ITERATIONS,
            totals["non_finite"] + totals["skipped_updates"] > 0,
        )  # fmt: skip


class Armed:
    """Replaces methods for the third iteration of a run."""

    def __init__(self, runner: Any, value: float) -> None:
        self.runner, self.value = runner, value

    def replace(self, owner: Any, name: str, change: Callable[[Any], Any]) -> None:
        """Apply ``change`` to what the method ``name`` returns in the third iteration, once."""
        method, done = getattr(owner, name), []

        def changed(*args: Any, **kwargs: Any) -> Any:
            result = method(*args, **kwargs)
            if self.runner.alg.iteration == 2 and not done:
                done.append(True)
                return change(result)
            return result

        setattr(owner, name, changed)

    def put(self, tensor: torch.Tensor) -> torch.Tensor:
        """A copy with the value in its second row."""
        tensor = tensor.clone()
        tensor[1, 0] = self.value
        return tensor


def _observation(armed: Armed) -> None:
    def change(result: Any) -> Any:
        obs, *rest = result
        obs["policy"] = armed.put(obs["policy"])
        return obs, *rest

    armed.replace(armed.runner.env, "step", change)


def _last_observation(armed: Armed) -> None:
    def change(result: Any) -> Any:
        obs, rewards, dones, extras = result
        dones = dones.clone()
        dones[1] = 1
        extras["final_obs"]["policy"] = armed.put(extras["final_obs"]["policy"])
        return obs, rewards, dones, extras | {"num_resets": extras["num_resets"] + 1}

    armed.replace(armed.runner.env, "step", change)


def _base_action(armed: Armed) -> None:
    armed.replace(armed.runner.alg.engine, "act", armed.put)


def _plan(armed: Armed) -> None:
    armed.replace(armed.runner.alg.engine.policy, "plan", lambda chunk: chunk.fill_(armed.value))


def _action(armed: Armed) -> None:
    armed.replace(armed.runner.alg.collector, "_choose", armed.put)


def _stored_reward(armed: Armed) -> None:
    def change(reward: torch.Tensor) -> torch.Tensor:
        reward = reward.clone()
        reward[1] = armed.value
        return reward

    armed.replace(armed.runner.alg.learner, "reward", change)


def _batch(armed: Armed) -> None:
    def change(batch: Any) -> Any:
        batch.weight[0] = armed.value
        return batch

    armed.replace(armed.runner.alg.sampler, "draw", change)


def _batch_observation(armed: Armed) -> None:
    def change(batch: Any) -> Any:
        batch.now.critic = armed.put(batch.now.critic)
        return batch

    armed.replace(armed.runner.alg.sampler, "draw", change)


def _gradient(armed: Armed) -> None:
    model, done = armed.runner.alg.learner.model, []

    def change(gradient: torch.Tensor) -> torch.Tensor:
        if armed.runner.alg.iteration == 2 and not done:
            done.append(True)
            return torch.full_like(gradient, armed.value)
        return gradient

    model.critic.head.weight.register_hook(change)


PLACES: dict[str, Callable[[Armed], None]] = {
    "observation after a step": _observation,
    "last observation of an episode": _last_observation,
    "base action": _base_action,
    "whole plan of the base policy": _plan,
    "action of the small policy": _action,
    "reward": _stored_reward,
    "weight in a batch": _batch,
    "observation in a batch": _batch_observation,
    "gradient": _gradient,
}
"""Where a value is put, and how."""
