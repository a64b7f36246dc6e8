# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Opening base policies: a registry of their kinds, and the options that name them.

A further kind is one entry of :data:`BASE_KINDS`. If its checkpoints are written with
:func:`~cohoff.policies.base_checkpoint.write_checkpoint`, the loader is all it takes:

.. code-block:: python

    BASE_KINDS["act"] = BaseKind("my_package.act:load_act")
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import torch

from cohoff.errors import InputError
from cohoff.policies.base import ChunkPolicy
from cohoff.policies.base_checkpoint import is_checkpoint, read_metadata


@dataclass(frozen=True)
class BaseKind:
    """How base policies of one kind are found and opened.

    Functions may be given as ``"module:function"``, which is imported at first use.
    """

    load: Callable[..., ChunkPolicy] | str
    """Called as ``load(path, task, device)``, with the arguments and errors of :func:`load_base`."""

    recognizes: Callable[[Path], bool] | str | None = None
    """Whether the file or folder at a path is a checkpoint of this kind; reads little. None: a file of
    :func:`~cohoff.policies.base_checkpoint.write_checkpoint` whose metadata name this kind."""

    locate: Callable[[str], str | os.PathLike[str]] | str | None = None
    """Turns the option ``base_checkpoint`` into a path, for instance by a download. None: it is a path."""

    description: str = "a file of scripts/pretrain.py"
    """What the checkpoint is, in words, for messages."""


BASE_KINDS: dict[str, BaseKind] = {
    "flow": BaseKind("cohoff.policies.flow.loading:load_flow"),
    "pi05": BaseKind(
        "cohoff.policies.pi05.policy:load_pi05",
        recognizes="cohoff.policies.pi05.checkpoint_folder:is_checkpoint_folder",
        locate="cohoff.policies.pi05.checkpoint_folder:locate",
        description="a folder with the config.json of a pi-0.5 checkpoint",
    ),
}
"""Kinds of base policies by the name that options and checkpoints use."""


def base_path(base: str | None, checkpoint: str | None) -> str | None:
    """Return the path of the base policy that the options ``base`` and ``base_checkpoint`` name, or None.

    Args:
        base: A path, or a key of :data:`BASE_KINDS` with the path in ``checkpoint``.
        checkpoint: File or folder; for ``pi05`` also a name on the Hugging Face hub, which is downloaded at first use.

    Raises:
        InputError: The options contradict each other, or there are no weights.
    """
    if base is None or base not in BASE_KINDS:
        if base is not None and checkpoint is not None:
            raise InputError(
                f"base is {base!r} and base_checkpoint is {checkpoint!r}; "
                f"with base_checkpoint, base must be one of {', '.join(BASE_KINDS)}"
            )
        return base if checkpoint is None else checkpoint
    if checkpoint is None:
        raise InputError(f"base {base} needs its weights; give its file or folder as base_checkpoint")
    kind = BASE_KINDS[base]
    path = checkpoint if kind.locate is None else str(_function(kind.locate)(checkpoint))
    if Path(path).exists() and not _recognizes(base, Path(path)):
        raise InputError(f"base_checkpoint {checkpoint!r} is not of kind {base}; give {kind.description}")
    return path


def load_base(path: str | os.PathLike[str], task: str | None = None, device: torch.device | str = "cpu") -> ChunkPolicy:
    """Open the base policy at ``path``, frozen and in evaluation mode.

    Args:
        path: File or folder of a checkpoint of one of :data:`BASE_KINDS`.
        task: Task the policy must have been trained for, if its checkpoint names one. None accepts any.
        device: Device of the policy and of its plans.

    Raises:
        InputError: The device or the checkpoint cannot be used: missing, truncated, of unknown kind or another task.
    """
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"device {str(device)!r} of the base policy cannot be used here; use cpu or cuda:N") from error
    for name, kind in BASE_KINDS.items():
        if _recognizes(name, Path(path)):
            return _function(kind.load)(path, task, device)
    if Path(path).is_dir():
        known = "; ".join(f"{name}: {kind.description}" for name, kind in BASE_KINDS.items())
        raise InputError(f"folder {str(path)!r} is not a base policy of a known kind ({known})")
    kind = read_metadata(path)["kind"]
    raise InputError(f"base checkpoint {str(path)!r} is of unknown kind {kind!r}; known kinds: {', '.join(BASE_KINDS)}")


def _recognizes(name: str, path: Path) -> bool:
    """Return whether ``path`` is a checkpoint of the kind called ``name``."""
    recognizes = BASE_KINDS[name].recognizes
    return is_checkpoint(path, name) if recognizes is None else _function(recognizes)(path)


def _function(function: Callable[..., Any] | str) -> Callable[..., Any]:
    """Return ``function``, imported if it is given as ``"module:function"``."""
    if not isinstance(function, str):
        return function
    module, _, name = function.partition(":")
    return getattr(import_module(module), name)
