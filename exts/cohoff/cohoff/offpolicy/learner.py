# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What an off-policy algorithm is to the core: a small object with named parts."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from cohoff.errors import InputError
from cohoff.offpolicy.batch import Batch, State
from cohoff.offpolicy.transitions import Corrections, Transitions
from cohoff.policies.acting import SmallPolicy, StepPolicy

Metrics = dict[str, Tensor]
"""Detached scalars on the device."""

PolicyKind = Literal["trained", "step0", "clone"]
"""Policies of a learner: as it is trained, combined with the base as in training; the same before the first update; the
clone of the demonstrations without the base."""


@dataclass(frozen=True)
class Problem:
    """What an algorithm is told about the task before anything else."""

    actor_dim: int
    """Size D of the actor's observation."""

    critic_dim: int
    """Size C of the critic's observation."""

    action_dim: int
    """Size A of an action."""

    device: torch.device
    """Where the networks live."""

    noise_dim: int = 0
    """Number of noise values that a plan of the base policy starts from. Told to a :class:`NoiseLearner` only; 0 before
    its base policy is known."""

    plan_dim: int = 0
    """Number of action values of a plan that are executed before the next one. Told as ``noise_dim``."""


class Learner(Protocol):
    """An off-policy algorithm without its loop.

    It is built as ``Learner(problem, **settings)``; the settings are those of its configuration that the core does not
    take itself. Networks are allocated in the constructor, so that a checkpoint can be loaded without demonstrations.
    """

    modules: nn.Module
    """All networks: what a checkpoint holds."""

    optimizers: Mapping[str, torch.optim.Optimizer]
    """Optimizers by name. The core saves them and sets their learning rate, which is a tensor on the device. On CUDA
    they must be capturable."""

    uses_base: bool
    """Whether the executed action depends on a base policy."""

    relabels: bool
    """Whether the reward changes while learning, so that it has to be computed again for each batch."""

    fixed_settings: tuple[str, ...]
    """Settings that must be those of the checkpoint that is loaded."""

    fixed_for_training: tuple[str, ...]
    """Further settings that must be the checkpoint's if training goes on."""

    def features(self, actor_obs: Tensor) -> dict[str, Tensor]:
        """What is computed once for each state [B, D] and stored with it, [B, ...] each."""
        ...

    def act(self, state: State, explore: Tensor) -> Tensor:
        """Actions to execute, [B, A]: sampled where ``explore`` [B] bool holds, of the mean policy elsewhere."""
        ...

    def policy(self, kind: PolicyKind) -> StepPolicy | None:
        """Deterministic policy that maps (actor's observation [B, D], base action [B, A]) to actions [B, A].

        None for the ``clone`` of a learner that clones nothing.
        """
        ...

    def prepare(
        self, demonstrations: Transitions, corrections: Corrections | None, discount: float, progress: Any
    ) -> dict[str, dict[str, float]]:
        """Learn from the demonstrations alone, before the first step; return what was measured, by phase.

        A learner whose :meth:`policy` has a ``clone`` measures it in the phase ``clone``.
        """
        ...

    def reward(self, actor_obs: Tensor, action: Tensor, success: Tensor) -> Tensor:
        """Reward [B] that the critic learns from."""
        ...

    def update(self, batch: Batch, num_demonstrations: int, with_actor: bool) -> Metrics:
        """One update on a batch whose first rows are demonstrations; of the actor too if ``with_actor``.

        Metrics named ``skipped_...`` are 1 where an optimizer step was skipped; see
        :func:`~cohoff.offpolicy.finite.step_if_finite`.

        On CUDA it is captured once for each pair of ``num_demonstrations`` and ``with_actor`` and replayed, so that
        it may not read tensors on the host, nor keep anything outside of tensors that it changes in place.
        """
        ...

    def constants(self) -> dict[str, float]:
        """Plain numbers that a checkpoint holds beside the networks."""
        ...

    def load_constants(self, constants: dict[str, float]) -> None:
        """Take up what :meth:`constants` returned."""
        ...


@runtime_checkable
class ValueLearner(Protocol):
    """A :class:`Learner` whose critic values what is executed."""

    def value(self, state: State, action: Tensor) -> Tensor:
        """Value [B] of executing actions [B, A], the mean over the critic's members."""
        ...


@runtime_checkable
class NoiseLearner(Protocol):
    """A :class:`Learner` whose action is the noise that the base policy plans from, once for each plan.

    Its batches have windows from one plan to the next. ``now.features`` holds :data:`~cohoff.offpolicy.plans.NOISE`, or
    :data:`~cohoff.offpolicy.plans.PLAN` where it values plans.
    """

    def choose_noise(self, actor_obs: Tensor, explore: Tensor) -> Tensor:
        """Noise of plans [B, noise_dim] at observations [B, D] of the actor, sampled where ``explore`` [B] holds."""
        ...

    def values_plans(self) -> bool:
        """Whether it learns from what was executed, whatever noise it came from. Demonstrations teach only then."""
        ...

    def use_planner(self, plan: Callable[[Tensor, Tensor], Tensor]) -> None:
        """Take what maps observations [B, D] of the actor and noise [B, noise_dim] to plans [B, plan_dim].

        The core calls it before learning where the learner values plans.
        """
        ...


@runtime_checkable
class StartingLearner(Protocol):
    """A :class:`Learner` whose actor can start as a network that was trained before."""

    def start_from(self, actor: SmallPolicy) -> None:
        """Take up weights and normalization of a network like that of the policy ``step0``.

        Called before :meth:`Learner.prepare`, which leaves them as they are.
        """
        ...


def learner_class(name: str) -> type[Learner]:
    """Import the learner ``module:class``.

    Raises:
        InputError: There is no such learner.
    """
    module, _, attribute = name.partition(":")
    try:
        return getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise InputError(f"agent.algorithm.learner={name!r} cannot be imported ({error})") from error


def make_learner(name: str, problem: Problem, settings: dict[str, Any]) -> Learner:
    """Build the learner ``module:class`` with its settings.

    Raises:
        InputError: There is no such learner, or it has no such setting.
    """
    cls: Any = learner_class(name)
    known = set(inspect.signature(cls).parameters)
    for setting in settings:
        if setting not in known:
            raise InputError(f"{cls.__name__} has no setting agent.algorithm.{setting}")
    return cls(problem, **settings)
