# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Settings of a method: its preset, changed by words of the command line."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from cohoff.algorithms.offline.methods import METHODS, Method
from cohoff.errors import InputError
from cohoff.offpolicy.learner import learner_class
from cohoff.settings import CheckedSettings

LOOP = "cohoff.algorithms.offline.offline_cfg:OfflineTrainingCfg"
"""Configuration of the loop."""


def configure(name: str, changes: Sequence[str] = ()) -> tuple[Method, dict[str, Any], dict[str, Any]]:
    """The method called ``name``, the settings of its learner and those of the loop.

    Args:
        name: One of :data:`~cohoff.algorithms.offline.methods.METHODS`.
        changes: ``SETTING=VALUE`` each.

    Raises:
        InputError: There is no such method or setting.
        SystemExit: A value is not allowed, which is said in one line.
    """
    if name not in METHODS:
        raise InputError(f"unknown method {name!r}; available: {', '.join(METHODS)}")
    method = METHODS[name]
    learner, loop = _make(method.cfg), _make(LOOP)
    names = set(inspect.signature(learner_class(method.learner)).parameters) & set(vars(learner))
    for setting, value in method.settings.items():
        put(setting, value, learner, names, loop)
    for change in changes:
        setting, separator, text = change.partition("=")
        if not separator:
            raise InputError(f"cannot apply {change!r}; write SETTING=VALUE")
        put(setting, literal(text), learner, names, loop)
    settings = learner.to_dict()
    return method, {key: settings[key] for key in settings if key in names}, loop.to_dict()


def _make(name: str) -> CheckedSettings:
    """The configuration ``module:class``, imported only now: configurations need Isaac Lab."""
    module, _, cls = name.partition(":")
    return getattr(import_module(module), cls)()


def put(setting: str, value: Any, learner: CheckedSettings, names: set[str], loop: CheckedSettings) -> None:
    """Assign a setting, which may be one of a section, ``section.name``.

    Args:
        setting: Its name.
        value: Its value.
        learner: Configuration that has the settings ``names`` of the learner.
        names: Of the settings of the learner.
        loop: Configuration that has all others.
    """
    *sections, last = setting.split(".")
    first = setting.partition(".")[0]
    if first not in names and first not in vars(loop):
        known = sorted((*names, *vars(loop)))
        raise InputError(f"there is no setting {setting!r}; there are: {', '.join(known)}")
    target: Any = learner if first in names else loop
    for section in sections:
        target = getattr(target, section, None)
    if not isinstance(target, CheckedSettings):
        raise InputError(f"there is no setting {setting!r}: {first} has no parts")
    setattr(target, last, value)


def literal(text: str) -> Any:
    """A Python literal, or the text where it is none."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
