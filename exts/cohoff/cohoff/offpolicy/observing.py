# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Observations of actor and critic from the environment's observation groups."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from tensordict import TensorDict
from torch import Tensor

from cohoff.errors import InputError


class Observer:
    """Concatenates the groups that actor and critic read.

    Args:
        groups: Group names under ``actor`` and ``critic``; only the actor's are read without the latter.
        obs: Example of the environment's observations.

    Raises:
        InputError: A group is not there, or is not one vector per environment.
    """

    def __init__(self, groups: dict[str, list[str]], obs: TensorDict):
        self.groups = {role: list(groups.get(role, groups["actor"])) for role in ("actor", "critic")}
        self.group_sizes: dict[str, int] = {}
        """Size of each group that is read, as a demonstration must have it."""
        for role, names in self.groups.items():
            for name in names:
                value = obs.get(name, None)
                if not isinstance(value, Tensor) or value.ndim != 2:
                    available = ", ".join(str(key) for key in obs.keys())  # noqa: SIM118
                    raise InputError(
                        f"agent.obs_groups.{role} names {name!r}, which is no vector of this task; it has: {available}"
                    )
                self.group_sizes[name] = value.shape[1]
        self.sizes = {role: sum(self.group_sizes[name] for name in names) for role, names in self.groups.items()}
        """Size of the observation of ``actor`` and of ``critic``."""

    def __call__(self, obs: Mapping[str, Tensor] | TensorDict) -> dict[str, Tensor]:
        """``actor`` [B, D] and, where it reads other groups, ``critic`` [B, C] of observation groups."""
        roles = ("actor",) if self.groups["actor"] == self.groups["critic"] else ("actor", "critic")
        return {role: self._join(obs, role) for role in roles}

    def _join(self, obs: Mapping[str, Tensor] | TensorDict, role: str) -> Tensor:
        values = [obs[name] for name in self.groups[role]]
        return values[0] if len(values) == 1 else torch.cat(values, dim=-1)
