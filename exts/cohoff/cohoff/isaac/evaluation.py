# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Success rate of a policy, with the same number of episodes from every environment."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from tensordict import TensorDict

from cohoff.experiments.intervals import wilson_interval


class Policy(Protocol):
    """What can be evaluated: experts, base policies behind a chunk engine, trained policies."""

    def __call__(self, obs: TensorDict) -> torch.Tensor:
        """Actions in [-1, 1], shape [N, A], for the observations of N environments."""
        ...

    def reset(self, dones: torch.Tensor) -> None:
        """Forget the past of the environments where ``dones``, bool, shape [N], holds."""
        ...


@dataclass(frozen=True)
class EvaluationProgress:
    """Progress of an evaluation."""

    finished: int
    """Counted episodes that have finished."""
    episodes: int
    """Episodes that are counted in total."""
    success: float | None
    """Success rate of the rounds that all environments have finished, None before there is one. Of all finished
    episodes it would be too high at first, as successful episodes are short."""
    env_steps: int
    """Steps so far, summed over the environments."""


@dataclass(frozen=True)
class EvaluationResult:
    """Outcome of an evaluation; tensors are on the host."""

    success: torch.Tensor
    """Whether each episode succeeded, bool, shape [E]."""
    lengths: torch.Tensor
    """Control steps of each episode, int64, shape [E]."""
    non_finite: int
    """Episodes in which the simulation broke down; they count as failures."""
    env_steps: int
    """Simulated steps, summed over the environments, including uncounted episodes."""
    seconds: float
    """Wall time of the evaluation [s]."""

    def summary(self) -> dict[str, Any]:
        """Success rate with its 95% Wilson interval, and episode lengths [control steps], as JSON values.

        ``outcomes`` has a digit for each episode, in the order of the environments for each round. Two policies that
        are evaluated with the same seed and number of environments begin their first round in the same states.
        """
        successes, episodes = int(self.success.sum()), len(self.success)
        low, high = wilson_interval(successes, episodes)
        return {
            "success": successes / episodes,
            "low": low,
            "high": high,
            "episodes": episodes,
            "successes": successes,
            "outcomes": "".join("1" if won else "0" for won in self.success.tolist()),
            "non_finite": self.non_finite,
            "lengths": {"all": _describe(self.lengths), "success": _describe(self.lengths[self.success])},
            "env_steps": self.env_steps,
            "seconds": round(self.seconds, 3),
            "env_steps_per_second": round(self.env_steps / self.seconds, 1),
        }


def round_up_episodes(episodes: int, num_envs: int) -> int:
    """Smallest number of at least ``episodes`` that is the same in each of ``num_envs`` environments."""
    return math.ceil(episodes / num_envs) * num_envs


@torch.no_grad()
def evaluate(
    env: Any, policy: Policy, episodes: int, progress: Callable[[EvaluationProgress], None] | None = None
) -> EvaluationResult:
    """Run ``policy`` for ``episodes`` episodes, rounded up by :func:`round_up_episodes`.

    Only the first episodes of each environment count: taking episodes as they finish would favor short ones. Cameras
    then keep the last picture of an environment that is through with them. The host reads from the device only after
    steps in which an episode ended.

    Args:
        env: Gymnasium environment on top of :class:`cohoff.isaac.env.ManipulationEnv` with N environments.
        policy: Called with the observations, shape [N, ...]; its ``reset`` is called after steps that ended an episode.
        episodes: Number of episodes, at least 1.
        progress: Called at the start and whenever episodes ended.
    """
    num_envs, device = env.unwrapped.num_envs, env.unwrapped.device
    total = round_up_episodes(episodes, num_envs)
    per_env = total // num_envs
    # One more row than needed, for the uncounted episodes of environments that are ahead of the others.
    success = torch.zeros(per_env + 1, num_envs, dtype=torch.bool, device=device)
    invalid = torch.zeros_like(success)
    lengths = torch.zeros(per_env + 1, num_envs, dtype=torch.long, device=device)
    rounds = torch.arange(per_env, device=device)[:, None]
    count = torch.zeros(1, num_envs, dtype=torch.long, device=device)
    length = torch.zeros(1, num_envs, dtype=torch.long, device=device)
    start = time.perf_counter()
    steps = finished = 0
    obs, _ = env.reset()
    policy.reset(torch.ones(num_envs, dtype=torch.bool, device=device))
    if progress is not None:
        progress(EvaluationProgress(0, total, None, 0))
    while finished < total:
        obs, _, terminated, truncated, extras = env.step(policy(TensorDict(obs, batch_size=[num_envs])))
        steps += 1
        length += 1
        if extras["num_resets"] == 0:
            continue
        dones = terminated | truncated
        policy.reset(dones)
        # Row of this episode; running environments rewrite their row until it is final.
        row = count.clamp(max=per_env)
        success.scatter_(0, row, (extras["success"] & ~extras["invalid"] & dones)[None])
        invalid.scatter_(0, row, (extras["invalid"] & dones)[None])
        lengths.scatter_(0, row, length)
        count += dones
        length.masked_fill_(dones, 0)
        complete = count.clamp(max=per_env).min()
        successes = (success[:per_env] & (rounds < complete)).sum()
        finished, num_complete, num_successes = torch.stack(
            (count.clamp(max=per_env).sum(), complete * num_envs, successes)
        ).tolist()
        env.unwrapped.ignore_pictures(count[0] >= per_env)
        if progress is not None:
            rate = num_successes / num_complete if num_complete else None
            progress(EvaluationProgress(finished, total, rate, steps * num_envs))
    env.unwrapped.ignore_pictures(None)
    return EvaluationResult(
        success=success[:per_env].flatten().cpu(),
        lengths=lengths[:per_env].flatten().cpu(),
        non_finite=int(invalid[:per_env].sum()),
        env_steps=steps * num_envs,
        seconds=time.perf_counter() - start,
    )


def _describe(lengths: torch.Tensor) -> dict[str, float] | None:
    if len(lengths) == 0:
        return None
    values = lengths.double()
    p10, p50, p90 = torch.quantile(values, torch.tensor([0.1, 0.5, 0.9], dtype=torch.double)).tolist()
    return {"mean": round(values.mean().item(), 2), "p10": p10, "p50": p50, "p90": p90, "max": values.max().item()}
