# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A small flow-matching policy that plans action chunks from the observation of a state.

Conditional flow matching along straight paths (arXiv 2210.02747): with ``x_t = (1 - t) noise + t chunk``, the network
regresses the velocity ``chunk - noise``. A plan integrates it from noise at t = 0 to t = 1 in a few Euler steps.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from tensordict import TensorDict
from torch import nn

from cohoff.errors import InputError
from cohoff.policies.base_checkpoint import write_checkpoint

OBS_LIMIT = 5.0
"""Bound on normalized observations, in standard deviations of the demonstrations."""


@dataclass(frozen=True)
class FlowPolicySpec:
    """Sizes of a :class:`FlowPolicy`."""

    obs_dim: int
    """Size of the observation, D."""

    action_dim: int
    """Number of action dimensions, A."""

    horizon: int = 16
    """Number of actions in a chunk, H."""

    hidden_dim: int = 256
    """Width of every layer."""

    num_blocks: int = 3
    """Number of residual blocks."""

    time_features: int = 32
    """Number of sinusoidal features of the flow time, even."""

    euler_steps: int = 10
    """Integration steps of one plan."""

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not isinstance(value, int) or value < 1:
                raise InputError(f"flow policy {name} is {value!r}; it must be a positive integer")
        if self.time_features % 2:
            raise InputError(f"flow policy time_features is {self.time_features}; it must be even")


class _Block(nn.Module):
    """Residual two-layer perceptron."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.inner = nn.Linear(dim, dim)
        self.outer = nn.Linear(dim, dim)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.outer(nn.functional.silu(self.inner(self.norm(x))))


class FlowPolicy(nn.Module):
    """Flow-matching :class:`~cohoff.policies.base.ChunkPolicy`, a residual perceptron over the whole chunk.

    The observation and the grid of flow times are encoded once per plan, so Euler steps run only the residual blocks.
    """

    observations: tuple[str, ...] = ("policy",)
    groups: tuple[str, ...] = ("policy",)
    """Groups of vectors, those of features included, whose concatenation is the policy's input."""
    obs_mean: torch.Tensor
    obs_std: torch.Tensor
    action_scale: torch.Tensor
    frequencies: torch.Tensor

    def __init__(self, spec: FlowPolicySpec) -> None:
        """Initialize the weights from torch's global random state; the normalization is the identity."""
        super().__init__()
        self.spec = spec
        self.horizon = spec.horizon
        self.action_dim = spec.action_dim
        self.noise_dim = spec.horizon * spec.action_dim
        dim = spec.hidden_dim
        self.register_buffer("obs_mean", torch.zeros(spec.obs_dim))
        self.register_buffer("obs_std", torch.ones(spec.obs_dim))
        self.register_buffer("action_scale", torch.ones(spec.action_dim))
        half = spec.time_features // 2
        self.register_buffer("frequencies", torch.logspace(0.0, math.log10(100.0), half), persistent=False)
        self.encoder = nn.Sequential(
            nn.Linear(spec.obs_dim, dim), nn.SiLU(), nn.Linear(dim, dim), nn.SiLU(), nn.Linear(dim, dim)
        )
        self.time_encoder = nn.Sequential(
            nn.Linear(spec.time_features, 2 * spec.time_features), nn.SiLU(), nn.Linear(2 * spec.time_features, dim)
        )
        self.input = nn.Linear(self.noise_dim, dim)
        self.blocks = nn.ModuleList(_Block(dim) for _ in range(spec.num_blocks))
        self.norm = nn.LayerNorm(dim)
        self.output = nn.Linear(dim, self.noise_dim)
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)

    @torch.no_grad()
    def set_normalization(self, obs_mean: torch.Tensor, obs_std: torch.Tensor, action_scale: torch.Tensor) -> None:
        """Set mean and standard deviation of observations, both [D], and the positive scale of actions [A]."""
        self.obs_mean.copy_(obs_mean)
        self.obs_std.copy_(obs_std)
        self.action_scale.copy_(action_scale)

    def loss(self, obs: torch.Tensor, chunks: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
        """Return the mean squared velocity error, a scalar, with one noise and one flow time drawn per chunk.

        Args:
            obs: Observations, shape [B, D].
            chunks: Demonstrated actions, shape [B, H, A].
            generator: Source of noise and flow times. None is torch's global one.
        """
        target = (chunks / self.action_scale).flatten(1)
        noise = torch.randn(target.shape, generator=generator, device=target.device)
        time = torch.rand(len(target), 1, generator=generator, device=target.device)
        condition = self._encode(obs) + self._embed_time(time)
        velocity = self._velocity(torch.lerp(noise, target, time), condition)
        return nn.functional.mse_loss(velocity, target - noise)

    @torch.no_grad()
    def plan(self, obs: TensorDict | Mapping[str, Any], noise: torch.Tensor | None = None) -> torch.Tensor:
        """Return a chunk of actions in [-1, 1] for each of B observations, shape [B, H, A].

        Args:
            obs: What :attr:`observations` names, shape [B, ...] each.
            noise: Standard normal noise, shape [B, H * A]. None draws it from torch's global random state.

        Raises:
            InputError: The observations are of another size.
        """
        return self.plan_input(self.read(obs), noise)

    def read(self, obs: TensorDict | Mapping[str, Any]) -> torch.Tensor:
        """Return the input [B, D] that the observations make."""
        return obs["policy"].to(self.action_scale.device)

    @torch.no_grad()
    def plan_input(self, state: torch.Tensor, noise: torch.Tensor | None = None) -> torch.Tensor:
        """Return the chunks [B, H, A] of :meth:`plan` at inputs ``state`` [B, D]."""
        if state.shape[1] != self.spec.obs_dim:
            raise InputError(
                f"the base policy reads {self.spec.obs_dim} observations, the task has {state.shape[1]}; train it again"
            )
        steps = self.spec.euler_steps
        x = torch.randn(len(state), self.noise_dim, device=state.device) if noise is None else noise.to(state)
        grid = torch.arange(steps, device=state.device, dtype=state.dtype)[:, None] / steps
        times = self._embed_time(grid)
        condition = self._encode(state)
        for time in times:
            x = x + self._velocity(x, condition + time) / steps
        return (x.unflatten(1, (self.horizon, self.action_dim)) * self.action_scale).clamp(-1.0, 1.0)

    def save(self, path: str | os.PathLike[str], task: str, extra: Mapping[str, Any] | None = None) -> None:
        """Save weights, sizes and ``extra`` (JSON values: demonstrations, seed, ...) to one file, atomically."""
        metadata = {**(extra or {}), "kind": "flow", "task": task, **self.sizes()}
        write_checkpoint(path, self.state_dict(), metadata)

    def sizes(self) -> dict[str, Any]:
        """Return what the networks are built from, as JSON values."""
        return {"spec": asdict(self.spec)}

    def _encode(self, obs: torch.Tensor) -> torch.Tensor:
        """Return the embedding of the observation, shape [B, hidden]."""
        return self.encoder(((obs - self.obs_mean) / self.obs_std).clamp(-OBS_LIMIT, OBS_LIMIT))

    def _embed_time(self, time: torch.Tensor) -> torch.Tensor:
        """Return the embedding of the flow time [B, 1], shape [B, hidden]."""
        angle = time * self.frequencies
        return self.time_encoder(torch.cat([angle.sin(), angle.cos()], dim=1))

    def _velocity(self, x: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        """Return the velocity at the scaled, flattened chunks ``x``, shape [B, H * A]."""
        hidden = self.input(x) + condition
        for block in self.blocks:
            hidden = block(hidden)
        return self.output(self.norm(hidden))
