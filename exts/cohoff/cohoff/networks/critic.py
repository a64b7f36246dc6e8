# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The XQC critic: batch norm, weight norm and a categorical head (arXiv 2509.25174)."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn

from cohoff.networks.blocks import EnsembleBatchNorm, EnsembleLinear


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
        support: float = 5.0,
        num_members: int = 2,
    ):
        super().__init__()
        dims = (obs_dim + action_dim, *hidden_dims)
        self.num_members = num_members
        self.input_norm = EnsembleBatchNorm(num_members, dims[0])
        self.dense = nn.ModuleList([EnsembleLinear(num_members, a, b) for a, b in itertools.pairwise(dims)])
        self.norms = nn.ModuleList([EnsembleBatchNorm(num_members, d) for d in hidden_dims])
        self.head = EnsembleLinear(num_members, dims[-1], num_atoms, bias=True)
        self.atoms: Tensor
        self.register_buffer("atoms", torch.linspace(-support, support, num_atoms))
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
        x = torch.cat([obs, action], dim=-1)
        if not batch_statistics:
            return self._fixed(x)
        x = self._first(x, track)
        for dense, norm in zip(self.dense[1:], self.norms[1:], strict=True):
            x = torch.relu(norm(dense(x), track))
        return self.head(x if rows is None else x[:, rows])

    def _first(self, x: Tensor, track: bool) -> Tensor:
        """First block with batch statistics, [B, in] → [E, B, out].

        All members see the same input, so it is normalized once; a member's gain and shift go into its weights. The
        batch norm after the product removes the shift again, up to the mean that it tracks.
        """
        x, mean, inverse_std = torch.native_batch_norm(x, None, None, None, None, True, 0.0, self.input_norm.eps)
        if track:
            self.input_norm.track_(mean, inverse_std)
        weight = self.input_norm.gain.transpose(1, 2) * self.dense[0].weight
        z = torch.addmm(
            torch.bmm(self.input_norm.shift, self.dense[0].weight).flatten(), x, weight.transpose(0, 1).flatten(1)
        )
        return torch.relu(self.norms[0](z.unflatten(1, (self.num_members, -1)).transpose(0, 1), track))

    def _fixed(self, x: Tensor) -> Tensor:
        """Logits [E, B, atoms] at inputs [B, in] with the running statistics, which fold into the weights."""
        factor, offset = self.input_norm.running_affine()
        x = x.expand(self.num_members, -1, -1) * factor + offset
        for dense, norm in zip(self.dense, self.norms, strict=True):
            scale, shift = norm.running_affine()
            x = torch.baddbmm(shift, x, dense.weight * scale).relu_()
        return self.head(x)

    def expectation(self, logits: Tensor) -> Tensor:
        """Expected return [..., atoms] → [...] in the critic's scaled unit."""
        return (logits.softmax(-1) * self.atoms).sum(-1)

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
