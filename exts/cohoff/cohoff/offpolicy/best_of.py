# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Acting with the best of several samples, as the critic values them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from tensordict import TensorDict
from torch import Tensor, nn

from cohoff.errors import InputError
from cohoff.offpolicy.batch import FEATURES, State
from cohoff.offpolicy.finite import finite_or_zero
from cohoff.offpolicy.learner import Learner, ValueLearner
from cohoff.policies.chunking import ChunkEngine

Observe = Callable[[TensorDict], Mapping[str, Tensor]]
"""Makes ``actor`` and ``critic`` observations of the environment's groups."""


class BestOf:
    """Chooses among K samples what the base policy plans from, once for each plan, and what is executed, at each step.

    The first sample of an action is the one that the learner would execute; the others explore. Best-of-K acting as in
    IDQL (arXiv 2304.10573), over both policies.

    Args:
        learner: Its critic chooses.
        observe: Makes the observations of actor and critic.
        engine: Chunk engine of the base policy; None without one.
        num_samples: Number of samples K.

    Raises:
        InputError: The learner's critic does not value what is executed.
    """

    def __init__(self, learner: Learner, observe: Observe, engine: ChunkEngine | None, num_samples: int):
        if not isinstance(learner, ValueLearner):
            raise InputError(
                f"best_of={num_samples}: the critic of {type(learner).__name__} does not value executed actions, "
                "so that it cannot choose; leave best_of at 1"
            )
        self.learner, self.observe, self.engine = learner, observe, engine
        self.num_samples = num_samples
        self.chooses_noise = engine is not None and engine.policy.noise_dim > 0

    @torch.no_grad()
    def act(self, state: State, explore: Tensor) -> Tensor:
        """Actions [B, A]: the best of the learner's own, sampled where ``explore`` [B] holds, and K - 1 others."""
        count, k = len(explore), self.num_samples
        candidates = state.repeat(k)
        action = self.learner.act(candidates, torch.cat([explore, torch.ones_like(explore).repeat(k - 1)]))
        value = self.learner.value(candidates, action).view(k, count)
        return action.view(k, count, -1)[value.argmax(0), torch.arange(count, device=action.device)]

    @torch.no_grad()
    def choose_noise(self, obs: TensorDict, rows: Tensor) -> Tensor:
        """Noise [B, noise_dim] of the plans at ``obs`` [B] whose first action is worth most, of K for each."""
        assert self.engine is not None
        policy, count, k = self.engine.policy, len(rows), self.num_samples
        candidates = obs[torch.arange(count, device=rows.device).repeat(k)]
        noise = torch.randn(k * count, policy.noise_dim, device=rows.device)
        state = self.state_of(candidates, policy.plan(candidates, noise)[:, 0].to(noise))
        is_sampled = torch.zeros(k * count, dtype=torch.bool, device=rows.device)
        value = self.learner.value(state, self.learner.act(state, is_sampled)).view(k, count)
        return noise.view(k, count, -1)[value.argmax(0), torch.arange(count, device=rows.device)]

    def state_of(self, obs: TensorDict, base_action: Tensor) -> State:
        """State of observations [B] and base actions [B, A]."""
        fields = {name: finite_or_zero(value) for name, value in self.observe(obs).items()}
        features = self.learner.features(fields["actor"])
        fields |= {FEATURES + name: value for name, value in features.items()}
        return State.of(fields | {"base_action": base_action})


class BestOfPolicy(nn.Module):
    """A learner acting with its mean policy and the best of K samples; see :class:`BestOf`."""

    def __init__(self, best_of: BestOf):
        super().__init__()
        self.best_of = best_of

    @torch.no_grad()
    def forward(self, obs: TensorDict) -> Tensor:
        """Executed actions [N, A] for the observations of all N environments."""
        engine, best_of = self.best_of.engine, self.best_of
        explore = torch.zeros(len(obs), dtype=torch.bool, device=best_of.observe(obs)["actor"].device)
        base_action = torch.zeros(len(obs), 0, device=explore.device)
        if engine is not None:
            engine.choose_noise = best_of.choose_noise if best_of.chooses_noise else None
            base_action = engine.act(obs)
        return best_of.act(best_of.state_of(obs, base_action), explore)

    def reset(self, dones: Tensor) -> None:
        """Discard the plans of environments whose episode ended, bool or integer, shape [N]."""
        if self.best_of.engine is not None:
            self.best_of.engine.reset(dones)
