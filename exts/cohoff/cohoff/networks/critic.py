# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The XQC critic: batch norm, weight norm and a categorical head (arXiv 2509.25174)."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn

from cohoff.networks.blocks import EnsembleBlock, EnsembleLinear, SharedInputNorm


class CategoricalCritic(nn.Module):
    """An ensemble of categorical critics Q(s, a) over a fixed support.

    Blocks are dense → batch norm → ReLU behind a batch norm on the input; weights keep unit norm through
    :meth:`project_`, to be called after every optimizer step.
    """

    def __init__(
        self,
        obs_dim: int,
        action_dim: int,
        hidden_dims: tuple[int, ...],
        num_atoms: int = 101,
        support: tuple[float, float] = (-5.0, 5.0),
        num_members: int = 2,
    ):
        super().__init__()
        dims = (obs_dim + action_dim, *hidden_dims)
        self.input_norm = SharedInputNorm(dims[0])
        self.blocks = nn.ModuleList(
            EnsembleBlock(num_members, *sizes, input_gain=i == 0) for i, sizes in enumerate(itertools.pairwise(dims))
        )
        self.head = EnsembleLinear(num_members, dims[-1], num_atoms, bias=True)
        self.atoms: Tensor
        self.register_buffer("atoms", torch.linspace(*support, num_atoms))
        self.project_()

    def forward(
        self,
        obs: Tensor,
        action: Tensor,
        batch_statistics: bool = False,
        track: bool = False,
        rows: slice | None = None,
    ) -> Tensor:
        """Logits [E, B, atoms] of the return at obs [B, D] and action [B, A].

        ``rows`` limits the head to a part of the batch: the joined pass normalizes over (s, a) and (s', a')
        together, but only one of the halves has a use for its logits.
        """
        x = self.input_norm(torch.cat([obs, action], dim=-1), batch_statistics, track)
        for block in self.blocks:
            x = block(x, batch_statistics, track)
        return self.head(x if rows is None else x[:, rows])

    def expectation(self, logits: Tensor) -> Tensor:
        """Expected return [..., atoms] → [...] in the critic's scaled unit."""
        return (logits.softmax(-1) * self.atoms).sum(-1)

    def value(self, obs: Tensor, action: Tensor) -> Tensor:
        """Expected returns [E, B] of actions [B, A] at observations [B, D], by the running statistics."""
        return self.expectation(self(obs, action))

    def project_(self) -> None:
        """Bring every weight vector, the head's included, back to unit norm."""
        for layer in self.modules():
            if isinstance(layer, EnsembleLinear):
                layer.project_()

    @torch.no_grad()
    def track_(self, online: CategoricalCritic, rate: float) -> None:
        """Move this target network towards ``online`` by ``rate``; running statistics are copied."""
        torch._foreach_lerp_(list(self.parameters()), list(online.parameters()), rate)
        torch._foreach_copy_(list(self.buffers()), list(online.buffers()))
        self.project_()
