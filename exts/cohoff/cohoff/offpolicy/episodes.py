# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Outcomes of episodes, counted on the device."""

from __future__ import annotations

import torch
from torch import Tensor


class EpisodeStatistics:
    """Outcomes of finished episodes of a group of environments.

    The success rate is the mean over environments of each one's last ``window`` outcomes: environments with short
    (successful) episodes finish more of them, and must not count for more. There is no rate before every environment
    has an outcome: the first episodes to end are successes, whatever the policy.
    """

    def __init__(self, num_envs: int, device: torch.device | str, window: int = 4):
        self._outcomes = torch.zeros(num_envs, window, device=device)
        self._count = torch.zeros(num_envs, dtype=torch.long, device=device)
        self._totals = torch.zeros(3, dtype=torch.long, device=device)
        self._slots = torch.arange(window, device=device)

    def record(self, done: Tensor, success: Tensor, invalid: Tensor) -> None:
        """Add the episodes that ended at this step; all [N] bool. An invalid end counts as a failure."""
        write = done[:, None] & (self._slots == (self._count % self._slots.numel())[:, None])
        self._outcomes.copy_(torch.where(write, success[:, None].float(), self._outcomes))
        self._count += done
        self._totals += torch.stack([done.sum(), (done & success).sum(), (done & invalid).sum()])

    def summary(self) -> Tensor:
        """Success rate, episodes, successes and invalid episodes so far, [4].

        The rate is NaN until all environments have an outcome.
        """
        seen = self._slots < self._count[:, None]
        per_env = (self._outcomes * seen).sum(1) / seen.sum(1)
        return torch.cat([per_env.mean()[None], self._totals.to(per_env.dtype)])
