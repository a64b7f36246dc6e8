# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Which recorded transitions a batch is drawn from: a weight for each episode."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

from cohoff.data.recording import Recording

Deviation = Callable[[], Tensor]
"""Squared errors [M] of the policy of now from all recorded actions."""

SMALL = 0.05
"""Weight of an episode of the least return relative to one of the highest."""


class Sampler(Protocol):
    """Weights of the episodes, which may change while learning."""

    weights: Tensor
    """Of each episode, [E], not negative; each of its transitions has it."""

    def refresh(self, share: float, deviation: Deviation) -> bool:
        """Take the ``share`` of the updates that is over into account; return whether the weights have changed."""
        ...

    def state_dict(self) -> dict[str, Tensor]:
        """What changes."""
        ...

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Restore it."""
        ...


class Fixed:
    """Weights that stay."""

    def __init__(self, weights: Tensor):
        self.weights = weights

    def refresh(self, share: float, deviation: Deviation) -> bool:
        """Change nothing."""
        return False

    def state_dict(self) -> dict[str, Tensor]:
        """Nothing changes."""
        return {}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Nothing to restore."""


class Curriculum:
    """First the episodes that the policy nearly acts out, of ever higher return. COIL (arXiv 2111.02056).

    At each of the stages, the ``size`` unused episodes whose actions are nearest to the policy's are learned from; the
    episode's distance is the squared error that 95% of its steps stay below. A moving average of the least return of
    each selection drops the episodes below. Without any left, all that are not below are drawn (ours).

    Args:
        recording: E episodes.
        stages: Number of selections in the whole training.
        size: Episodes in each.
        momentum: Of the moving average.
    """

    def __init__(self, recording: Recording, stages: int, size: int, momentum: float = 0.9):
        self.returns, self.lengths = recording.returns, recording.lengths
        self.episode_of = recording.episode_of
        self.stages, self.size, self.momentum = stages, size, momentum
        self.weights = torch.ones_like(self.returns)
        self.unused = torch.ones_like(self.returns, dtype=torch.bool)
        self.threshold = self.returns.min()
        self.stage = torch.zeros((), dtype=torch.long)

    def refresh(self, share: float, deviation: Deviation) -> bool:
        """Select anew when a stage is over."""
        if int(share * self.stages) < int(self.stage):
            return False
        self.stage += 1
        open_ones = self.unused & (self.returns >= self.threshold)
        if not open_ones.any():
            self.weights = (self.returns >= self.threshold).float()
            return True
        distance = nearly_largest(deviation(), self.lengths).masked_fill(~open_ones, torch.inf)
        chosen = distance.topk(min(self.size, int(open_ones.sum())), largest=False).indices
        self.weights = torch.zeros_like(self.returns).index_fill(0, chosen, 1.0)
        self.unused[chosen] = False
        self.threshold = self.momentum * self.threshold + (1.0 - self.momentum) * self.returns[chosen].min()
        return True

    def state_dict(self) -> dict[str, Tensor]:
        """Weights, what has been used, threshold and stage."""
        return {name: getattr(self, name) for name in ("weights", "unused", "threshold", "stage")}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Restore them."""
        for name, value in state.items():
            setattr(self, name, value)


def nearly_largest(values: Tensor, lengths: Tensor, share: float = 0.95) -> Tensor:
    """What the ``share`` of each episode's values [M] stay below, [E]."""
    return torch.stack([part.quantile(share) for part in values.split(lengths.tolist())])


def by_return(returns: Tensor) -> Tensor:
    """Weights that rise linearly with the episode's return, from .05 to 1, [E]. ReD (arXiv 2210.09241)."""
    low, high = returns.min(), returns.max()
    return SMALL + (1.0 - SMALL) * (returns - low) / (high - low).clamp_min(1e-6)


def by_bins(returns: Tensor, lengths: Tensor, num_bins: int = 20, smoothing: float = 0.01) -> Tensor:
    """Weights that favor high returns but not the rare ones alone, [E]. CWBC (arXiv 2210.05158), sec. 4.1.

    A bin with the share p of the episodes is drawn in proportion to p/(p + smoothing)·exp(−(best − return)/spread), the
    spread being the distance of the best return from the 90% quantile, or a tenth of the range where that is 0 (ours).
    All episodes of a bin are drawn equally often.
    """
    low, high = returns.min(), returns.max()
    bins = ((returns - low) / (high - low).clamp_min(1e-6) * num_bins).long().clamp_max(num_bins - 1)
    count = torch.bincount(bins, minlength=num_bins).float()
    p = count / count.sum()
    spread = high - returns.quantile(0.9)
    spread = torch.where(spread > 0, spread, 0.1 * (high - low))
    mean = torch.zeros_like(p).index_add_(0, bins, returns) / count.clamp_min(1.0)
    wanted = p / (p + smoothing) * torch.exp(-(high - mean) / spread.clamp_min(1e-6))
    return (wanted / count.clamp_min(1.0))[bins] / lengths


def make_sampler(name: str, recording: Recording, stages: int, size: int) -> Sampler:
    """The sampler called ``name``, one of :data:`SAMPLERS`; the numbers are the curriculum's."""
    return SAMPLERS[name](recording, stages, size)


SAMPLERS: dict[str, Callable[[Recording, int, int], Sampler]] = {
    "uniform": lambda recording, stages, size: Fixed(
        torch.ones(recording.num_episodes, device=recording.lengths.device)
    ),
    "success": lambda recording, stages, size: Fixed(recording.success.float()),
    "return": lambda recording, stages, size: Fixed(by_return(recording.returns)),
    "bins": lambda recording, stages, size: Fixed(by_bins(recording.returns, recording.lengths)),
    "curriculum": Curriculum,
}
"""Samplers by name."""


def cumulative(weights: Tensor, episode_of: Tensor) -> Tensor:
    """Running sum [M] of the transitions' weights, as shares of their total."""
    total = weights[episode_of].double().cumsum(0)
    return total / total[-1]


def draw_transitions(shares: Tensor, count: int) -> Tensor:
    """``count`` transitions [B] by the running sum :func:`cumulative` [M] of their weights."""
    uniform = torch.rand(count, dtype=shares.dtype, device=shares.device)
    return torch.searchsorted(shares, uniform, right=True).clamp_max(len(shares) - 1)
