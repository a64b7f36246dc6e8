# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The two kinds of agents that a pipeline trains: how each is told about its base policy and demonstrations."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol


class AgentKind(Protocol):
    """What training and evaluation of an agent are started with."""

    policy: ClassVar[str]
    """Name of the trained policy for ``cohoff evaluate``."""
    step0: ClassVar[str]
    """Name of the policy before the first update."""
    resumes: ClassVar[bool]
    """Whether a run that was interrupted can go on to its planned number of iterations."""

    def inputs(self, demonstrations: Path, corrections: Path, base: Path) -> list[str]:
        """Overrides that hand demonstrations and base policy to training."""
        ...

    def acts_on(self, base: Path) -> list[str]:
        """Overrides of the task in which the trained policy acts."""
        ...


class OffPolicyAgent:
    """An agent of the off-policy core, which holds base policy and demonstrations itself."""

    policy: ClassVar[str] = "trained"
    step0: ClassVar[str] = "step0"
    resumes: ClassVar[bool] = True

    def inputs(self, demonstrations: Path, corrections: Path, base: Path) -> list[str]:
        """Settings of the algorithm."""
        files = {"demonstrations": demonstrations, "corrections": corrections, "base": base}
        return [f"agent.algorithm.{name}={path.absolute()}" for name, path in files.items()]

    def acts_on(self, base: Path) -> list[str]:
        """Nothing: the task stays as it is."""
        return []


class OnPolicyAgent:
    """rsl_rl's own PPO over a base policy that acts inside of the environment; it uses no demonstrations."""

    policy: ClassVar[str] = "ppo"
    step0: ClassVar[str] = "base"
    resumes: ClassVar[bool] = False

    def inputs(self, demonstrations: Path, corrections: Path, base: Path) -> list[str]:
        """Base policy of the environment."""
        return self.acts_on(base)

    def acts_on(self, base: Path) -> list[str]:
        """Base policy of the environment."""
        return [f"env.base={base.absolute()}"]


def agent_kind(settings: Mapping[str, Any]) -> AgentKind:
    """Kind of an agent whose algorithm has ``settings``."""
    return OffPolicyAgent() if "demonstrations" in settings else OnPolicyAgent()
