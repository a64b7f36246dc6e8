# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Changes of a task's configuration on a command line, in the syntax of Isaac Lab's own commands."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from typing import Any

from cohoff.errors import InputError

SELECTORS = ("physics", "renderer", "presets")
"""Keys that select presets by name; all other keys are paths of fields, ``env.<field>...``."""


def parse_task_cfg(task: str, num_envs: int, device: str, overrides: Sequence[str] = ()) -> Any:
    """Configuration of a registered task with ``overrides`` applied, checked.

    Raises:
        InputError: An override names no preset or no field, or the configuration is inconsistent.
    """
    from isaaclab_tasks.utils import parse_env_cfg

    for token in overrides:
        check_form(token)
    selectors = [token for token in overrides if not token.startswith("env.")]
    # Isaac Lab prints dozens of lines about the configuration; errors still get through.
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            cfg = parse_env_cfg(task, overrides=selectors)
            for token in overrides:
                if token not in selectors:
                    _check_field(cfg, token)
            cfg = parse_env_cfg(task, device=device, num_envs=num_envs, overrides=tuple(overrides))
            cfg.validate()  # pyright: ignore[reportAttributeAccessIssue]
        except InputError:
            raise
        except ValueError as error:
            reason = str(error).partition("\n")[0]
            hint = f"; its presets: {', '.join(_preset_names(task))}" if "preset" in reason else ""
            raise InputError(f"{task}: {reason}{hint}") from None
    return cfg


def check_form(token: str) -> None:
    """Raise :class:`InputError` unless ``token`` has the form of a change of a task."""
    key, separator, _ = token.partition("=")
    if not separator or not (key in SELECTORS or key.startswith("env.")):
        raise InputError(f"cannot apply {token!r}; write presets=NAME, physics=NAME or env.<field>...=VALUE")


def refuse_base(overrides: Sequence[str], actions: str) -> None:
    """Raise :class:`InputError` if ``overrides`` put a base policy into an environment for ``actions``, in words."""
    if any(token.startswith("env.base=") for token in overrides):
        raise InputError(f"env.base makes actions corrections of its own, which {actions} are not; leave it out")


def _check_field(cfg: Any, token: str) -> None:
    """Raise InputError if there is no field at the path of ``token``: Isaac Lab would create it."""
    key = token.partition("=")[0]
    node = cfg
    for name in key.split(".")[1:]:
        fields = node if isinstance(node, dict) else vars(node) if hasattr(node, "__dict__") else {}
        if name not in fields:
            raise InputError(f"cannot apply {token!r}: there is no {name!r} in {key.rpartition('.' + name)[0]!r}")
        node = fields[name]


def _preset_names(task: str) -> list[str]:
    from isaaclab_tasks.utils.preset_cli import enumerate_task_presets

    presets = enumerate_task_presets(task) or {}
    return sorted({name for names in presets.values() for name in names})
