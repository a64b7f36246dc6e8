# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Outcomes of episodes, counted on the device."""

from __future__ import annotations

import torch
from torch import Tensor

from cohoff.errors import InputError


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
        """Success rate, episodes, successes and invalid episodes so far, and the fewest of one environment, [5].

        The rate is NaN until all environments have an outcome.
        """
        seen = self._slots < self._count[:, None]
        per_env = (self._outcomes * seen).sum(1) / seen.sum(1)
        counts = torch.cat([self._totals, self._count.min()[None]])
        return torch.cat([per_env.mean()[None], counts.to(per_env.dtype)])

    def state_dict(self) -> dict[str, Tensor]:
        """What has been counted."""
        return {"outcomes": self._outcomes, "count": self._count, "totals": self._totals}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Restore what :meth:`state_dict` returned."""
        for name, value in self.state_dict().items():
            value.copy_(state[name])


def evaluation_environments(num_envs: int, share: float) -> int:
    """Number of environments set aside for evaluation: at least one where there is a share, never all.

    Raises:
        InputError: The share is outside [0, 1), or there are too few environments.
    """
    if not 0.0 <= share < 1.0:
        raise InputError(f"evaluation_share is {share}; it must be at least 0 and below 1")
    if share == 0.0:
        return 0
    if num_envs < 2:
        raise InputError(
            f"num_envs is {num_envs}, too few to set one aside for evaluation; use --num_envs 2 or more, "
            "or agent.algorithm.evaluation_share=0"
        )
    return max(1, min(round(num_envs * share), num_envs - 1))
