# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What an update sees: a batch of n-step transitions."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from cohoff.offpolicy.replay_buffer import Fields, ReplayBuffer

FEATURES = "features/"
"""Prefix of the stored names of an algorithm's features."""


@dataclass
class State:
    """What is known at B states before an action is chosen."""

    actor: Tensor
    """Observation of the actor, [B, D]."""

    critic: Tensor
    """Observation of the critic, [B, C]; the actor's own tensor where both read the same groups."""

    base_action: Tensor
    """Action of the base policy, [B, A]; [B, 0] without one."""

    features: dict[str, Tensor]
    """What the algorithm has computed once for each state, [B, ...]."""

    @staticmethod
    def of(fields: Fields) -> State:
        """View stored fields as a :class:`State`."""
        actor = fields["actor"]
        features = {name.removeprefix(FEATURES): fields[name] for name in fields if name.startswith(FEATURES)}
        return State(actor, fields.get("critic", actor), fields["base_action"], features)

    def repeat(self, count: int) -> State:
        """All states ``count`` times, one copy after the other, [count * B]."""
        actor = self.actor.repeat(count, 1)
        critic = actor if self.critic is self.actor else self.critic.repeat(count, 1)
        features = {name: value.repeat(count, *[1] * (value.ndim - 1)) for name, value in self.features.items()}
        return State(actor, critic, self.base_action.repeat(count, 1), features)


@dataclass
class Batch:
    """B windows of transitions, summed to their n-step form. Demonstrations come first."""

    now: State
    """At the window's start."""

    action: Tensor
    """Executed at the start, [B, A]."""

    returns: Tensor
    """Discounted scaled reward inside the window, [B]."""

    discount: Tensor
    """Factor of the value after the window, 0 after success, [B]."""

    followed: Tensor
    """Discounted number of states after the first in which the policy chooses an action, [B]."""

    next: State
    """After the window."""

    weight: Tensor
    """1, or 0 for a window that starts at an invalid transition, [B]."""


def assemble(buffer: ReplayBuffer, rows: Tensor, mask: Tensor, rewards: Tensor, discount: float) -> Batch:
    """Sum windows [B, n] drawn by :meth:`ReplayBuffer.sample` with their rewards [B, n] into a batch."""
    powers = discount ** torch.arange(rows.shape[1], device=rows.device)
    length = mask.sum(1)
    first = rows[:, 0]
    last = rows.gather(1, (length - 1).clamp_min(0)[:, None])[:, 0]
    bootstrap = discount**length * ~buffer.transitions["success"][last]
    return Batch(
        now=State.of(buffer.state(first)),
        action=buffer.transitions["action"][first],
        returns=(rewards * mask * powers).sum(1),
        discount=bootstrap,
        followed=(mask * powers).sum(1) - mask[:, 0].float() + bootstrap,
        next=State.of(buffer.state(buffer.successor[last])),
        weight=mask[:, 0].float(),
    )


def concatenate(first: Batch, second: Batch) -> Batch:
    """One batch of both, the rows of ``first`` first, with the features that ``first`` has."""
    return Batch(
        now=_join(first.now, second.now),
        action=torch.cat([first.action, second.action]),
        returns=torch.cat([first.returns, second.returns]),
        discount=torch.cat([first.discount, second.discount]),
        followed=torch.cat([first.followed, second.followed]),
        next=_join(first.next, second.next),
        weight=torch.cat([first.weight, second.weight]),
    )


def _join(first: State, second: State) -> State:
    actor = torch.cat([first.actor, second.actor])
    shared = first.critic is first.actor and second.critic is second.actor
    return State(
        actor=actor,
        critic=actor if shared else torch.cat([first.critic, second.critic]),
        base_action=torch.cat([first.base_action, second.base_action]),
        features={name: torch.cat([value, second.features[name]]) for name, value in first.features.items()},
    )
