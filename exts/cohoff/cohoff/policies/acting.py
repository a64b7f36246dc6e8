# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The policy as it acts: small policy, base policy and their combination."""

from __future__ import annotations

import copy

import torch
from tensordict import TensorDict
from torch import Tensor, nn

from cohoff.networks.stationary import StationaryPolicy
from cohoff.policies.chunking import ChunkEngine
from cohoff.policies.combine import Combination


class ActingPolicy(nn.Module):
    """Deterministic policy under rsl_rl's play protocol: ``policy(obs)``, then ``policy.reset(dones)``.

    The base policy sits in the chunk engine and is neither a parameter nor part of the state.
    """

    def __init__(self, actor: StationaryPolicy, combination: Combination, engine: ChunkEngine | None):
        super().__init__()
        self.actor = actor
        self.combination = combination
        self.engine = engine
        self._std = torch.zeros(actor.action_dim)

    @torch.no_grad()
    def forward(self, obs: TensorDict) -> Tensor:
        """Executed action [N, A] of the mean policy for observations of all N environments."""
        policy_action = torch.tanh(self.actor(obs["policy"])[0])
        base_action = policy_action if self.engine is None else self.engine.act(obs)
        return self.combination(base_action, policy_action)

    def reset(self, dones: Tensor) -> None:
        """Forget the plans of environments [N] whose episode ended."""
        if self.engine is not None:
            self.engine.reset(dones)

    @property
    def output_std(self) -> Tensor:
        """Last seen standard deviation before tanh [A], for rsl_rl's log."""
        return self._std

    def as_jit(self) -> nn.Module:
        """The small policy alone, traced for TorchScript."""
        exported = ExportedPolicy(self.actor)
        return torch.jit.trace(exported.cpu(), exported.get_dummy_inputs())  # pyright: ignore[reportReturnType]

    def as_onnx(self, verbose: bool = False) -> nn.Module:
        """The small policy alone, for ONNX."""
        return ExportedPolicy(self.actor)


class ExportedPolicy(nn.Module):
    """Mean action of the small policy from a flat observation; a deployment adds the base policy to it."""

    input_names = ["obs"]
    output_names = ["actions"]

    def __init__(self, actor: StationaryPolicy):
        super().__init__()
        self.actor = copy.deepcopy(actor).eval()

    def forward(self, obs: Tensor) -> Tensor:
        """Mean action [B, A] at observations [B, D]."""
        return torch.tanh(self.actor.features(obs) @ self.actor.mean_weight)

    def get_dummy_inputs(self) -> tuple[Tensor]:
        """One observation of zeros, to trace with."""
        return (torch.zeros(1, self.actor.obs_mean.numel()),)
