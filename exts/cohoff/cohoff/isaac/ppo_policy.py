# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Policies in rsl_rl's own checkpoints of PPO, which ``isaaclab train`` writes for on-policy agents."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import torch
import yaml
from rsl_rl.models import MLPModel
from rsl_rl.utils import resolve_class
from tensordict import TensorDict
from torch import Tensor

from cohoff.errors import InputError
from cohoff.files import reading
from cohoff.run_folder import checkpoints, iteration_of


class PpoPolicy:
    """The mean action of PPO's actor.

    A checkpoint holds weights alone; network and task are in other files of the run's folder.

    Args:
        path: ``model_<it>.pt`` or the folder of a run, whose newest checkpoint is taken.
        device: Where the policy acts.
        task: Task that the run must be of.

    Raises:
        InputError: There is no checkpoint, a file is damaged, or the run is of another task.
    """

    def __init__(self, path: str | os.PathLike[str], device: torch.device | str, task: str):
        file = find_checkpoint(path)
        folder = file.parent
        with reading(folder / "run.json", "train it again"):
            trained_on = json.loads((folder / "run.json").read_text(encoding="utf-8"))["task"]
        if trained_on != task:
            raise InputError(f"checkpoint {str(path)!r} is of task {trained_on!r}, not {task!r}")
        with reading(folder / "params" / "agent.yaml", "train it again"):
            cfg = yaml.load((folder / "params" / "agent.yaml").read_text(encoding="utf-8"), _Loader)
        with reading(file, "give a checkpoint of rsl_rl's PPO, or --policy trained for one of cohoff's own"):
            content = torch.load(file, map_location=device, weights_only=True)
            self._actor = _actor(cfg, content["actor_state_dict"]).to(device).eval().requires_grad_(False)

    @torch.no_grad()
    def __call__(self, obs: TensorDict) -> Tensor:
        """Mean actions [N, A].

        Raises:
            InputError: The environment shows other observations than in training.
        """
        missing = [name for name in self._actor.obs_groups if name not in obs.keys()]  # noqa: SIM118
        if missing:
            raise InputError(f"the environment shows no {missing[0]!r}; give the env.<field>=VALUE of the training run")
        size = sum(obs[name].shape[1] for name in self._actor.obs_groups)
        if size != self._actor.obs_dim:
            raise InputError(f"the checkpoint's actor reads {self._actor.obs_dim} values, the environment shows {size}")
        return self._actor(obs)

    def reset(self, dones: Tensor) -> None:
        """Do nothing: the policy has no memory."""


def find_checkpoint(path: str | os.PathLike[str]) -> Path:
    """The checkpoint at ``path``, or the newest one in that folder.

    Raises:
        InputError: There is none.
    """
    path = Path(path)
    found = checkpoints(path) if path.is_dir() else [path] if path.is_file() else []
    if not found:
        raise InputError(f"no checkpoint model_<iteration>.pt at {str(path)!r}")
    return max(found, key=iteration_of) if path.is_dir() else path


def counters(file: Path) -> dict[str, int]:
    """Iterations, environment steps and updates of a checkpoint; a run's settings tell the sizes of an iteration.

    Raises:
        InputError: The settings are missing or damaged.
    """
    params = file.parent / "params"
    with reading(params, "train it again"):
        agent, env = (yaml.load((params / f"{name}.yaml").read_text("utf-8"), _Loader) for name in ("agent", "env"))
        iterations, algorithm = iteration_of(file) + 1, agent["algorithm"]
        steps = iterations * agent["num_steps_per_env"] * env["scene"]["num_envs"]
        updates = iterations * algorithm["num_learning_epochs"] * algorithm["num_mini_batches"]
    return {"iteration": iterations, "env_steps": steps, "updates": updates}


def _actor(cfg: dict[str, Any], weights: dict[str, Tensor]) -> MLPModel:
    """rsl_rl's actor with its weights. The sizes of the single observation groups are not needed, only their sum."""
    matrices = [value for name, value in weights.items() if name.startswith("mlp.") and value.ndim == 2]
    groups = cfg["obs_groups"]["actor"]
    sizes = dict.fromkeys(groups, 0) | {groups[0]: matrices[0].shape[1]}
    obs = TensorDict({name: torch.zeros(0, size) for name, size in sizes.items()}, batch_size=[0])
    model_class, settings = resolve_class(cfg["actor"])
    actor: MLPModel = model_class(obs, {"actor": groups}, "actor", matrices[-1].shape[0], **settings)
    actor.load_state_dict(weights)
    return actor


class _Loader(yaml.SafeLoader):
    """Plain values and, as Isaac Lab writes them, tuples."""


def _tuple(loader: yaml.SafeLoader, node: yaml.Node) -> tuple[Any, ...]:
    assert isinstance(node, yaml.SequenceNode)
    return tuple(loader.construct_sequence(node))


_Loader.add_constructor("tag:yaml.org,2002:python/tuple", _tuple)
