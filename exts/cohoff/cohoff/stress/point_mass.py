# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A reaching task without a simulator: what every algorithm must be able to learn within seconds.

A point mass in the plane is pushed towards a goal; the base policy overshoots and drifts, so that it often misses.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import h5py
import torch
from tensordict import TensorDict

from cohoff.offpolicy.algorithm import OffPolicyAlgorithm
from cohoff.policies.chunking import ChunkEngine
from cohoff.policies.flow.policy import FlowPolicy, FlowPolicySpec

TASK = "PointMass"
OBS_DIM, ACTION_DIM, LIMIT = 4, 2, 30
SPEED, RADIUS = 0.1, 0.08


def expert(obs: torch.Tensor) -> torch.Tensor:
    """Straight to the goal, [N, 2]."""
    return ((obs[:, 2:] - obs[:, :2]) / SPEED).clamp(-1.0, 1.0)


@dataclass
class PointMassCfg:
    """Configuration of the environment."""

    log_dir: str | None
    """Folder of the run."""
    episode_length_s: float = LIMIT
    """Time limit [s]."""


class PointMass:
    """N points; the observation is position and goal, the action a velocity.

    It is its own wrapper for rsl_rl, and restores its state exactly.
    """

    num_actions, device, step_dt = ACTION_DIM, "cpu", 1.0

    def __init__(self, num_envs: int, log_dir: Path | None, seed: int = 0) -> None:
        self.num_envs = num_envs
        self.unwrapped = self
        self.spec = SimpleNamespace(id=TASK)
        self.cfg = PointMassCfg(log_dir and str(log_dir))
        self._generator = torch.Generator().manual_seed(seed)
        self._position, self._goal = torch.zeros(num_envs, 2), torch.zeros(num_envs, 2)
        self._age = torch.zeros(num_envs, dtype=torch.long)
        self.reset()

    @property
    def max_episode_length(self) -> int:
        """Time limit in control steps."""
        return math.ceil(self.cfg.episode_length_s / self.step_dt)

    def get_observations(self) -> TensorDict:
        """Group ``policy`` [N, 4]: position and goal."""
        return TensorDict({"policy": torch.cat([self._position, self._goal], 1)}, batch_size=[self.num_envs])

    def step(self, action: torch.Tensor) -> tuple[TensorDict, torch.Tensor, torch.Tensor, dict[str, Any]]:
        """Observations, rewards, dones and extras as the tasks' environments return them."""
        self._position = self._position + SPEED * action
        self._age += 1
        success = (self._position - self._goal).norm(dim=1) < RADIUS
        done = success | (self._age >= self.max_episode_length)
        final = self.get_observations().to_dict()
        self._reset(done)
        extras = {"success": success, "invalid": torch.zeros_like(done), "num_resets": int(done.sum())}
        return self.get_observations(), success.float(), done.long(), extras | {"final_obs": final}

    def reset(self) -> TensorDict:
        """Start new episodes everywhere; return their observations."""
        self._reset(torch.ones(self.num_envs, dtype=torch.bool))
        return self.get_observations()

    def state_dict(self) -> dict[str, torch.Tensor]:
        """Where the points are, and the random state of their next episodes."""
        return {
            "position": self._position, "goal": self._goal, "age": self._age,
            "random": self._generator.get_state(),
        }  # fmt: skip

    def load_state_dict(self, state: dict[str, torch.Tensor]) -> None:
        """Restore what :meth:`state_dict` returned."""
        self._position, self._goal, self._age = (state[name].clone() for name in ("position", "goal", "age"))
        self._generator.set_state(state["random"])

    def _reset(self, rows: torch.Tensor) -> None:
        start, goal = (2.0 * torch.rand(self.num_envs, 2, generator=self._generator) - 1.0 for _ in range(2))
        self._position = torch.where(rows[:, None], start, self._position)
        self._goal = torch.where(rows[:, None], goal, self._goal)
        self._age.masked_fill_(rows, 0)


class DriftingBase:
    """Plans the expert's first action for the whole chunk, turned and with a drift: it circles around most goals."""

    horizon, action_dim, noise_dim, observations = 12, ACTION_DIM, 2, ("policy",)

    def plan(self, obs: TensorDict, noise: torch.Tensor | None = None) -> torch.Tensor:
        """Chunks [N, H, 2]."""
        action = expert(obs["policy"])
        turned = torch.stack([0.8 * action[:, 0] - 0.6 * action[:, 1], 0.6 * action[:, 0] + 0.8 * action[:, 1]], 1)
        noise = torch.randn_like(action) if noise is None else noise
        return (turned + 0.2 * noise + 0.15).clamp(-1.0, 1.0)[:, None].expand(-1, self.horizon, -1)


def write_demonstrations(path: Path, count: int = 30, make: type[PointMass] = PointMass) -> None:
    """Episodes of the expert with execution noise, in the layout of ``cohoff collect_demos``."""
    write_episodes(path, lambda obs: expert(obs["policy"]), lambda dones: None, count, seed=7, make=make)


def write_base_episodes(path: Path, count: int = 80) -> None:
    """Episodes of the drifting base with execution noise, most of them failures."""
    engine = ChunkEngine(DriftingBase(), 1, "cpu", 10)
    torch.manual_seed(11)
    write_episodes(path, engine.act, engine.reset, count, seed=11)


def write_episodes(
    path: Path,
    policy: Callable[[TensorDict], torch.Tensor],
    reset: Callable[[torch.Tensor], None],
    count: int,
    seed: int,
    make: type[PointMass] = PointMass,
) -> None:
    """Episodes of a policy with execution noise, failures included, in the layout of ``cohoff collect_demos``."""
    generator = torch.Generator().manual_seed(seed)
    env = make(1, None, seed=seed)
    with h5py.File(path, "w") as file:
        data = file.create_group("data")
        data.attrs.update({"env_args": json.dumps({"env_name": TASK}), "task": TASK, "seed": seed})
        for index in range(count):
            rows: list[TensorDict] = []
            done = False
            while not done:
                obs = env.get_observations()
                action = (policy(obs) + 0.2 * torch.randn(1, 2, generator=generator)).clamp(-1.0, 1.0)
                _, rewards, dones, extras = env.step(action)
                final = extras["final_obs"]
                vectors = {name: value for name, value in final.items() if isinstance(value, torch.Tensor)}
                row = {"obs": obs, "actions": action, "next_obs": vectors, "rewards": rewards}
                rows.append(TensorDict(row, batch_size=[1]))
                done = bool(dones)
                reset(dones)
            demo = data.create_group(f"demo_{index}")
            demo.attrs.update({"success": bool(extras["success"]), "num_samples": len(rows)})
            for name, value in TensorDict.cat(rows).flatten_keys("/").items():
                demo[str(name)] = value.numpy()


def smallest_csil(folder: Path) -> dict[str, Any]:
    """Settings of CSIL++ without a base policy, as small as can be; writes its demonstrations into ``folder``.

    7 updates for 4 control steps of 8 environments.
    """
    # The configurations need Isaac Lab, the point mass does not.
    from cohoff.algorithms.csil.csil_cfg import CsilRunnerCfg

    folder.mkdir(parents=True, exist_ok=True)
    write_demonstrations(folder / "demos.hdf5", count=6)
    runner_cfg: Any = CsilRunnerCfg(max_iterations=5)
    runner: dict[str, Any] = runner_cfg.to_dict()
    algorithm = runner["algorithm"]
    algorithm["policy"] |= {"hidden_dim": 16, "num_features": 16}
    algorithm["critic"] |= {"hidden_dims": (16,), "pretrain_steps": 20}
    algorithm["clone"] |= {"steps": 20, "holdout": 0.0}
    algorithm |= {
        "demonstrations": str(folder / "demos.hdf5"), "combination": "policy", "gradient_penalty": 0.0,
        "batch_size": 16, "update_to_data": 7 / 32, "replay_rows": 350, "learning_starts": 0,
        "actor_start_episodes": 0,
    }  # fmt: skip
    return runner


def smallest_run(folder: Path) -> dict[str, Any]:
    """Settings of five iterations of CSIL++ over a base policy with random weights; writes both inputs."""
    runner = smallest_csil(folder)
    FlowPolicy(FlowPolicySpec(OBS_DIM, ACTION_DIM, hidden_dim=16, num_blocks=1)).save(folder / "base.safetensors", TASK)
    runner["algorithm"] |= {"combination": "ensemble", "base": str(folder / "base.safetensors")}
    return runner | {"num_steps_per_env": 4, "save_interval": 10, "logger": "tensorboard"}


def go_on(algorithm: OffPolicyAlgorithm, iterations: int) -> None:
    """Run iterations of four control steps and an update in eight environments."""
    env = PointMass(8, None)
    obs = env.get_observations()
    for _ in range(iterations):
        with torch.inference_mode():
            for _ in range(4):
                obs, rewards, dones, extras = env.step(algorithm.act(obs))
                algorithm.process_env_step(obs, rewards, dones, extras)
        algorithm.update()


def success_rate(policy: Any, episodes: int = 256, make: type[PointMass] = PointMass) -> float:
    """Success of the mean policy in the first episode of ``episodes`` environments, always the same ones."""
    env = make(episodes, None, seed=99)
    obs = env.get_observations()
    policy.reset(torch.ones(episodes, dtype=torch.bool))
    ended, won = (torch.zeros(episodes, dtype=torch.bool) for _ in range(2))
    torch.manual_seed(99)
    for _ in range(LIMIT):
        obs, _, dones, extras = env.step(policy(obs))
        won |= extras["success"] & ~ended
        ended |= dones.bool()
        policy.reset(dones.bool())
    return won.float().mean().item()


def train(
    cfg: dict[str, Any],
    log_dir: Path,
    iterations: int,
    num_envs: int = 32,
    steps: int = 8,
    make: type[PointMass] = PointMass,
) -> OffPolicyAlgorithm:
    """Run the runner's loop for ``iterations``."""
    env = make(num_envs, log_dir)
    obs = env.get_observations()
    algorithm = OffPolicyAlgorithm.construct_algorithm(obs, env, cfg, "cpu")
    algorithm.train_mode()
    for _ in range(iterations):
        with torch.inference_mode():
            for _ in range(steps):
                obs, rewards, dones, extras = env.step(algorithm.act(obs))
                algorithm.process_env_step(obs, rewards, dones, extras)
        algorithm.update()
    return algorithm
