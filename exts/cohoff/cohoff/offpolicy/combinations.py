# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Combinations of settings that exclude each other, each of which is allowed by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cohoff.errors import InputError
from cohoff.offpolicy.learner import Learner, NoiseLearner


@dataclass(frozen=True)
class Rule:
    """What several settings of ``agent.algorithm`` have to fulfill together."""

    names: tuple[str, ...]
    """The settings."""
    holds: Callable[..., bool]
    """Called with their values."""
    demand: str
    """The rule in words."""


RULES = (
    Rule(
        ("batch_size", "demonstration_share"),
        lambda size, share: share == 0 or 1 <= round(size * share) < size,
        "a batch needs a demonstrated and a collected transition",
    ),
    Rule(
        ("batch_size", "final_demonstration_share"),
        lambda size, share: share is None or 1 <= round(size * share) < size,
        "a batch needs a demonstrated and a collected transition",
    ),
    Rule(
        ("final_learning_rate", "learning_rate"),
        lambda last, first: last <= first,
        "final_learning_rate must not be above learning_rate",
    ),
)


def check_combinations(settings: Mapping[str, Any]) -> None:
    """Raise InputError if the settings of the core break one of :data:`RULES`."""
    for rule in RULES:
        values = {name: settings[name] for name in rule.names}
        if not rule.holds(*values.values()):
            listed = ", ".join(f"agent.algorithm.{name}={value}" for name, value in values.items())
            raise InputError(f"{listed}: {rule.demand}")


def check_base_collection(base_collection_std: float | None, uses_base: bool) -> None:
    """Raise InputError if a base policy is to collect for a learner that has none."""
    if base_collection_std is not None and not uses_base:
        raise InputError(
            f"agent.algorithm.base_collection_std={base_collection_std}: the algorithm uses no base policy "
            "that could collect; set it to null"
        )


def check_demonstrations(shares: tuple[float, float | None], learner: Learner) -> None:
    """Raise InputError if the shares of demonstrations in a batch are not 0 for a learner that learns from noise."""
    if isinstance(learner, NoiseLearner) and not learner.values_plans() and any(shares):
        raise InputError(
            f"agent.algorithm.demonstration_share={shares[0]}, agent.algorithm.final_demonstration_share={shares[1]}: "
            "demonstrations do not tell the noise; set agent.algorithm.noise_aliased=true, or leave them out"
        )
