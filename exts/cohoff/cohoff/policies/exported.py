# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Exported policies, run by onnxruntime on the CPU: what a robot would do with the files of an export."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from tensordict import TensorDict
from torch import Tensor

from cohoff.errors import InputError
from cohoff.files import reading
from cohoff.networks.encoders import VISION
from cohoff.policies.chunking import ChunkEngine
from cohoff.policies.exporting import DESCRIPTION_FILE

CURE = "export it again with isaaclab play"
"""What to do about a damaged file."""


class ExportedPlanner:
    """The exported base policy as a :class:`~cohoff.policies.base.ChunkPolicy`."""

    def __init__(self, folder: Path, about: dict[str, Any]):
        base = about["base"]
        self.horizon, self.noise_dim, self.action_dim = base["horizon"], base["noise_dim"], about["action_dim"]
        self.observations = tuple(base["observations"])
        self._run = _open(folder / base["file"])

    def plan(self, obs: TensorDict, noise: Tensor | None = None) -> Tensor:
        """Chunks [B, H, A]."""
        observation = torch.cat([obs[name] for name in self.observations], dim=1)
        noise = torch.randn(len(observation), self.noise_dim) if noise is None else noise
        return self._run(observation=observation, noise=noise)


class ExportedPolicy:
    """What :class:`~cohoff.policies.acting.ActingPolicy` does, from the files that were exported of it.

    Args:
        folder: Folder of the export.
        num_envs: Environments that the policy will act in.
        device: Device of the observations and actions; the networks run on the CPU.
        task: Task that it must be of; None accepts any.

    Raises:
        InputError: A file is missing or damaged, of another task, or onnxruntime is not installed.
    """

    def __init__(
        self, folder: str | os.PathLike[str], num_envs: int, device: str | torch.device, task: str | None = None
    ):
        folder = Path(folder)
        path = folder / DESCRIPTION_FILE
        if not path.is_file():
            raise InputError(f"no {DESCRIPTION_FILE} in {str(folder)!r}; {CURE}, which writes a folder exported")
        with reading(path, CURE):
            about = json.loads(path.read_text(encoding="utf-8"))
            if task is not None and about["task"] != task:
                raise InputError(f"{str(folder)!r} is of task {about['task']!r}, not {task!r}")
            self._groups, self._device = list(about["observation_groups"]), torch.device(device)
            step, noise = about["step"], about.get("noise")
            self._step = None if step is None else _open(folder / step["file"])
            """Makes the executed action of the base action; None executes the latter."""
            self._noise = None if noise is None else _open(folder / noise["file"])
            self._encode, self._pictures = None, []
            if (encoder := about.get("encoder")) is not None:
                self._encode, self._pictures = _open(folder / encoder["file"]), encoder["inputs"]
            self._engine = None
            if about["base"] is not None:
                planner, interval = ExportedPlanner(folder, about), about["base"]["replan_interval"]
                self._engine = ChunkEngine(planner, num_envs, "cpu", interval)
                if self._noise is not None:
                    self._engine.choose_noise = self._choose_noise

    def __call__(self, obs: TensorDict) -> Tensor:
        """Executed actions [N, A]."""
        obs = obs.cpu()
        if self._encode is not None:
            obs[VISION] = self._encode(**{name: obs[tuple(name.split("/"))] for name in self._pictures})
        inputs = {} if self._engine is None else {"base_action": self._engine.act(obs)}
        action = self._step(observation=self._observe(obs), **inputs) if self._step else inputs["base_action"]
        return action.to(self._device)

    def _choose_noise(self, obs: TensorDict, rows: Tensor) -> Tensor:
        assert self._noise is not None
        return self._noise(observation=self._observe(obs))

    def _observe(self, obs: TensorDict) -> Tensor:
        return torch.cat([obs[name] for name in self._groups], dim=1)

    def reset(self, dones: Tensor) -> None:
        """Drop the plans of finished environments [N]."""
        if self._engine is not None:
            self._engine.reset(dones.cpu())


def _open(path: Path) -> Callable[..., Tensor]:
    """A function of named float tensors that runs the network at ``path`` and returns its output."""
    if find_spec("onnxruntime") is None:
        raise InputError("exported policies need onnxruntime; install it with pip install 'cohoff[export]'")
    import onnxruntime

    with reading(path, CURE):
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])

    def run(**inputs: Tensor) -> Tensor:
        (output,) = session.run(None, {name: value.float().numpy() for name, value in inputs.items()})
        return torch.from_numpy(output)

    return run
