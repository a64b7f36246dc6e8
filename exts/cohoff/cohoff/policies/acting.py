# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The policy that acts in environments: small policy, base policy and their combination."""

from __future__ import annotations

from collections.abc import Callable

import torch
from tensordict import TensorDict
from torch import Tensor, nn

from cohoff.networks.gaussian import GaussianPolicy
from cohoff.networks.stationary import StationaryPolicy
from cohoff.policies.chunking import ChunkEngine
from cohoff.policies.combine import make_combination

SmallPolicy = StationaryPolicy | GaussianPolicy
"""Networks that act at every control step."""


class StepPolicy(nn.Module):
    """Deterministic policy from the actor's observation [B, D] and the base action [B, A] to the executed one [B, A].

    Args:
        actor: The small policy.
    """

    def __init__(self, actor: SmallPolicy):
        super().__init__()
        self.actor: SmallPolicy = actor

    @property
    def observation_dim(self) -> int:
        """Size D of the actor's observation."""
        return self.actor.obs_dim


class CombinedPolicy(StepPolicy):
    """Executes a combination of base action and policy action.

    Args:
        actor: Its ``mean`` is what acts.
        combination: See :mod:`cohoff.policies.combine`.
        sees_base: Whether the actor reads the base action, too, after its observation.
    """

    def __init__(self, actor: SmallPolicy, combination: Callable[[Tensor, Tensor], Tensor], sees_base: bool = False):
        super().__init__(actor)
        self.combination = combination
        self.sees_base = sees_base

    @property
    def observation_dim(self) -> int:
        """Size D of the actor's observation."""
        return super().observation_dim - (self.actor.action_dim if self.sees_base else 0)

    def forward(self, actor_obs: Tensor, base_action: Tensor) -> Tensor:
        """Executed action [B, A]."""
        seen = torch.cat([actor_obs, base_action], dim=-1) if self.sees_base else actor_obs
        return self.combination(base_action, torch.tanh(self.actor.mean(seen)))


class NoisePolicy(CombinedPolicy):
    """Executes the base action and chooses the noise that the base plans from. DSRL (arXiv 2506.15799).

    Args:
        actor: Its ``mean`` is what chooses, one value for each of the noise.
        bound: Of the noise.
    """

    def __init__(self, actor: SmallPolicy, bound: float):
        super().__init__(actor, make_combination("base"))
        self.bound = bound

    def forward(self, actor_obs: Tensor, base_action: Tensor) -> Tensor:
        """Executed action [B, A]."""
        return base_action

    def noise(self, actor_obs: Tensor) -> Tensor:
        """Noise of plans [B, noise_dim] at the actor's observations [B, D]."""
        return self.bound * torch.tanh(self.actor.mean(actor_obs))


class ActingPolicy(nn.Module):
    """Deterministic policy under rsl_rl's play protocol: ``policy(obs)``, then ``policy.reset(dones)``.

    The base policy belongs to the chunk engine; it is not among the parameters or the state of this module.

    Args:
        policy: Maps (actor's observation, base action) to the executed action.
        observe: Makes the actor's observation, under ``actor``, of the environment's groups.
        engine: Chunk engine of the base policy; None without one.
    """

    def __init__(
        self, policy: StepPolicy, observe: Callable[[TensorDict], dict[str, Tensor]], engine: ChunkEngine | None
    ):
        super().__init__()
        self.policy: StepPolicy = policy
        self.observe = observe
        self.engine = engine
        self.output_std = torch.full((1,), torch.nan)
        """Standard deviation with which the actor was last trained, before tanh, for rsl_rl's log; NaN before that."""

    @torch.no_grad()
    def forward(self, obs: TensorDict) -> Tensor:
        """Return the executed actions of the mean policy for the observations of all N environments, shape [N, A]."""
        actor_obs = self.observe(obs)["actor"]
        base_action = actor_obs[:, :0]
        if self.engine is not None:
            self.engine.choose_noise = self._choose_noise if isinstance(self.policy, NoisePolicy) else None
            base_action = self.engine.act(obs)
        return self.policy(actor_obs, base_action)

    def _choose_noise(self, obs: TensorDict, rows: Tensor) -> Tensor:
        assert isinstance(self.policy, NoisePolicy)
        return self.policy.noise(self.observe(obs)["actor"])

    def reset(self, dones: Tensor) -> None:
        """Discard the plans of environments whose episode ended, bool or integer, shape [N]."""
        if self.engine is not None:
            self.engine.reset(dones)
