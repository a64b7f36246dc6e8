# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Settings of pi-0.5 in an environment that its checkpoint does not contain."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from cohoff.errors import InputError

FILE = "cohoff.json"
"""File in the checkpoint's folder that holds the settings."""


@dataclass(frozen=True)
class Pi05PolicyCfg:
    """Settings of a :class:`~cohoff.policies.pi05.policy.Pi05Policy`, read from ``cohoff.json`` in its folder."""

    instructions: tuple[str, ...] = ()
    """Instructions in plain words. If there are several, the observation ``instruction``, int64 [N], selects one."""

    cameras: tuple[str, ...] = ("agentview", "wrist")
    """Entries of the observation ``images``, in the order of the checkpoint's cameras; further cameras stay empty."""

    state: str = "policy"
    """Observation that holds the robot's state."""

    state_columns: tuple[int, ...] | None = None
    """Columns of that observation that the checkpoint was trained with, in its order. None takes all."""

    discrete_state: bool | None = None
    """Whether the prompt contains the state. None asks the checkpoint; openpi's pi05_libero needs ``false``."""

    tokenizer: str = "tokenizer.model"
    """PaliGemma's SentencePiece model; a path relative to the checkpoint's folder, or an absolute one."""

    dtype: Literal["float32", "bfloat16"] | None = None
    """Precision; None is bfloat16 on CUDA and float32 elsewhere."""

    micro_batch: int = 32
    """Maximum number of environments per call of the network."""

    mode: Literal["eager", "graph", "compile"] | None = None
    """How the network runs. None is a CUDA graph on CUDA and eager elsewhere."""

    spec: dict[str, Any] | None = None
    """Sizes of the network as in :class:`~cohoff.policies.pi05.spec.Pi05Spec`; None reads them from config.json."""

    def __post_init__(self) -> None:
        for name in ("instructions", "cameras"):
            values = getattr(self, name)
            if not isinstance(values, tuple) or not values or not all(isinstance(value, str) for value in values):
                raise InputError(f"pi-0.5 {name} are {values!r}; give a list of at least one string in {FILE}")
        if self.dtype not in (None, "float32", "bfloat16"):
            raise InputError(f"pi-0.5 dtype is {self.dtype!r}; use float32 or bfloat16")


def read_cfg(folder: Path) -> Pi05PolicyCfg:
    """Read the settings in ``folder``.

    Raises:
        InputError: The file is missing, is not a JSON object, or has unknown or unusable settings.
    """
    path = folder / FILE
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        example = json.dumps({"instructions": ["put the square nut on the peg"]})
        raise InputError(f"pi-0.5 needs its settings in {str(path)!r}, at least {example}; see docs/pi05.md") from error
    except (OSError, ValueError) as error:
        raise InputError(f"{str(path)!r} cannot be read ({error})") from error
    known = {field.name for field in fields(Pi05PolicyCfg)}
    if not isinstance(values, dict) or (unknown := sorted(set(values) - known)):
        reason = f"has unknown settings {', '.join(unknown)}" if isinstance(values, dict) else "is not a JSON object"
        raise InputError(f"{str(path)!r} {reason}; known: {', '.join(sorted(known))}")
    settings: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}
    return Pi05PolicyCfg(**settings)
