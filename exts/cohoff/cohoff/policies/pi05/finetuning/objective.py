# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Flow matching as pi-0.5 is trained (arXiv 2410.24164, appendix B; openpi and lerobot have the same constants)."""

from __future__ import annotations

import torch
from torch import Tensor

from cohoff.policies.pi05.finetuning.network import TrainableNetwork

_ALPHA, _SCALE, _OFFSET = 1.5, 0.999, 0.001


def draw_times(count: int, generator: torch.Generator) -> Tensor:
    """Draw flow times ~ Beta(1.5, 1), scaled to [0.001, 1], shape [count]; time 1 is pure noise."""
    # The distribution function of Beta(a, 1) is t^a.
    return torch.rand(count, generator=generator).pow(1.0 / _ALPHA) * _SCALE + _OFFSET


def flow_loss(
    network: TrainableNetwork, inputs: tuple[Tensor, ...], actions: Tensor, noise: Tensor, time: Tensor, action_dim: int
) -> Tensor:
    """Return the mean squared error of the velocity ``noise - actions`` at ``time * noise + (1 - time) * actions``.

    Args:
        network: Network.
        inputs: Images, image masks, tokens and token mask of B frames.
        actions: Normalized actions, padded, [B, chunk, action_dim of the network].
        noise: Standard normal, for K flow times per frame, [B, K, chunk, action_dim of the network].
        time: Flow times, [B, K].
        action_dim: Dimensions that exist; the error of the padding does not count.
    """
    times = time.shape[1]
    encoded = network.encode(*inputs).repeat(times)
    actions, noise, time = actions.repeat_interleave(times, 0), noise.flatten(0, 1), time.flatten()
    share = time[:, None, None]
    velocity = network.velocity(encoded, share * noise + (1.0 - share) * actions, time)
    return (velocity - (noise - actions))[..., :action_dim].square().mean()
