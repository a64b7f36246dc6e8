# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Settings of a checkpoint wherever it is used: they hold unless the command line names another value."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from cohoff.errors import InputError

RUNNER_SETTINGS = ("max_iterations", "num_steps_per_env", "save_interval", "obs_groups")
"""Settings of rsl_rl's runner that belong to a checkpoint, beside those of the algorithm."""

OF_THIS_PLACE = (
    "demonstrations",
    "num_demonstrations",
    "start",
    "base",
    "base_checkpoint",
    "base_device",
    "encoder",
    "capture",
    "class_name",
)
"""Settings of the algorithm that are not taken from a checkpoint: files, devices, and the program itself."""


def agent_settings(cfg: dict[str, Any]) -> dict[str, Any]:
    """The settings of a runner's configuration that a checkpoint holds, as plain values."""
    algorithm = {name: value for name, value in cfg["algorithm"].items() if name not in OF_THIS_PLACE}
    return _plain({name: cfg[name] for name in RUNNER_SETTINGS} | {"algorithm": algorithm})


def named_on_command_line(arguments: Sequence[str] | None = None) -> set[str]:
    """Names of the settings that this process was started with: ``agent.<name>=<value>`` and ``--max_iterations``."""
    names = {argument.partition("=")[0] for argument in (sys.orig_argv if arguments is None else arguments)}
    found = {name.lstrip("+").removeprefix("agent.") for name in names if name.lstrip("+").startswith("agent.")}
    return found | ({"max_iterations"} if "--max_iterations" in names else set())


def merge(
    saved: dict[str, Any], current: dict[str, Any], named: set[str], fixed: Iterable[str]
) -> tuple[dict[str, Any], list[str], list[str]]:
    """Settings for going on with a checkpoint: its own, except where ``named`` ones differ.

    Args:
        saved: What :func:`agent_settings` was when the checkpoint was written.
        current: What it is now.
        named: See :func:`named_on_command_line`.
        fixed: Names that must not differ, or whose entries must not.

    Returns:
        The settings, a line for each named value that is used, and one for each value that is kept.

    Raises:
        InputError: A fixed setting was named with another value.
    """
    fixed = tuple(fixed)
    merged, used, kept = _plain(current), [], []
    before, now = flat_settings(saved), flat_settings(merged)
    for name in sorted(before.keys() & now.keys()):
        old, new = before[name], now[name]
        if old == new:
            continue
        is_named = any(name == n or name.startswith(n + ".") for n in named)
        if is_named and any(name == f or name.startswith(f + ".") for f in fixed):
            raise InputError(f"the checkpoint was trained with agent.{name}={old}, not {new}; leave the setting out")
        if is_named:
            used.append(f"agent.{name}={new} instead of {old}, which the checkpoint was trained with")
        else:
            kept.append(f"agent.{name}={old}, as the checkpoint was trained, not {new}")
            _put(merged, name, old)
    return merged, used, kept


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value))


def flat_settings(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings by dotted names."""
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        flat |= flat_settings(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return flat


def _put(settings: dict[str, Any], name: str, value: Any) -> None:
    *sections, last = name.split(".")
    for section in sections:
        settings = settings[section]
    settings[last] = value
