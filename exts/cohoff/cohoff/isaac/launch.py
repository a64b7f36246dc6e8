# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Environments of registered tasks in a simulation without Isaac Sim."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

import gymnasium as gym

from cohoff.cli import check_device
from cohoff.errors import InputError, exit_on_input_error

from .overrides import parse_task_cfg

if TYPE_CHECKING:
    from isaaclab.sensors import CameraCfg

    from .env import ManipulationEnv

_PREFIX = "Cohoff-"
"""Start of the names of this project's tasks."""


def task_names() -> list[str]:
    """Names of the registered tasks, sorted."""
    _load_tasks()
    return sorted(name for name in gym.registry if name.startswith(_PREFIX))


def check_task(task: str) -> None:
    """Raise :class:`InputError` unless ``task`` is one of :func:`task_names`."""
    names = task_names()
    if task not in names:
        raise InputError(f"unknown task {task!r}; available: {', '.join(names)}")


def has_cameras(task: str) -> bool:
    """Whether a task is the variant with cameras, which its name says."""
    return "-Camera-" in task


def agent_names(task: str) -> list[str]:
    """Names of the agents that a task registers as ``rsl_rl_<agent>_cfg_entry_point``."""
    check_task(task)
    found = (re.fullmatch(r"rsl_rl_(\w+)_cfg_entry_point", key) for key in gym.spec(task).kwargs)
    return [name[1] for name in found if name is not None]


def agent_settings(task: str, agent: str) -> dict[str, Any]:
    """Settings of the algorithm of an agent that ``task`` registers, as plain values.

    Raises:
        InputError: Unknown task, or it has no such agent.
    """
    if agent not in (names := agent_names(task)):
        raise InputError(f"task {task!r} has no agent {agent!r}; available: {', '.join(names)}")
    return load_entry_point(task, f"rsl_rl_{agent}_cfg_entry_point")().to_dict()["algorithm"]


@contextlib.contextmanager
def make_env(
    task: str,
    num_envs: int,
    device: str | None = None,
    seed: int = 0,
    overrides: Sequence[str] = (),
    log_dir: str | None = None,
    cameras: dict[str, CameraCfg] | None = None,
) -> Iterator[ManipulationEnv]:
    """Environment of ``task`` in its own simulation, closed after the ``with`` block; one at a time per process.

    Args:
        task: Registered name.
        num_envs: Number of parallel environments.
        device: ``cpu``, ``cuda``, ``cuda:N``, or None for the first GPU if there is one.
        seed: Seed of the initial states.
        overrides: Changes of the configuration in hydra's syntax, ``env.sim.dt=0.005`` or ``physics=newton_mjwarp``.
        log_dir: Folder that the environment may log to.
        cameras: Cameras to add to the scene, by name.

    Raises:
        InputError: Unknown task, device, preset or field, or a number of environments below 1.
    """
    check_task(task)
    if num_envs < 1:
        raise InputError(f"num_envs must be at least 1, not {num_envs}")
    device = check_device(device)

    from isaaclab.app import launch_simulation

    cfg = parse_task_cfg(task, num_envs, device, overrides)
    cfg.seed = seed
    cfg.log_dir = log_dir
    for name, camera in (cameras or {}).items():
        setattr(cfg.scene, name, camera)
    with launch_simulation(cfg, {"device": device}):
        # Isaac Lab prints dozens of lines about the environment; errors still get through.
        with contextlib.redirect_stdout(io.StringIO()):
            env = cast("ManipulationEnv", gym.make(task, cfg=cfg).unwrapped)
        try:
            # Here, because the launcher prints the traceback of what leaves it.
            with exit_on_input_error():
                yield env
        finally:
            env.close()


def load_entry_point(task: str, key: str) -> Any:
    """The object registered by ``task`` under ``key``, for example its ``expert_entry_point``.

    Raises:
        InputError: Unknown task, or the task has no ``key``.
    """
    check_task(task)
    entry_point = gym.spec(task).kwargs.get(key)
    if entry_point is None:
        raise InputError(f"task {task!r} has no {key}")
    module, _, name = entry_point.partition(":")
    return getattr(import_module(module), name)


def make_expert(task: str, env: ManipulationEnv) -> Any:
    """The scripted expert of ``task`` acting in ``env``; called with observations, it returns actions, shape [N, A]."""
    return load_entry_point(task, "expert_entry_point")(env)


def _load_tasks() -> None:
    """Import the packages that register tasks, as Isaac Lab's own commands do."""
    from importlib.metadata import entry_points

    for entry_point in entry_points(group="isaaclab.tasks"):
        entry_point.load()
