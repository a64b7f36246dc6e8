# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Actions as one of K codes, whose meaning depends on the state."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn

from cohoff.networks.normalized import NormalizedInput


def perceptron(*sizes: int) -> nn.Sequential:
    """Dense layers with ReLU between them."""
    layers: list[nn.Module] = []
    for pair in itertools.pairwise(sizes):
        layers += [nn.Linear(*pair), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


class ActionCodes(NormalizedInput):
    """Vector-quantized autoencoder of actions given the observation, and how likely each code is there.

    VQ-VAE (arXiv 1711.00937), conditioned as in SAQ (arXiv 2310.11731).

    Args:
        obs_dim: Size D of an observation.
        action_dim: Size A of an action.
        hidden_dims: Widths of the hidden layers.
        num_codes: Number of codes K.
        code_dim: Size of a code's vector.
    """

    def __init__(self, obs_dim: int, action_dim: int, hidden_dims: tuple[int, ...], num_codes: int, code_dim: int):
        super().__init__(obs_dim)
        self.action_dim = action_dim
        self.encoder = perceptron(obs_dim + action_dim, *hidden_dims, code_dim)
        self.decoder = perceptron(obs_dim + code_dim, *hidden_dims, action_dim)
        self.prior = perceptron(obs_dim, *hidden_dims, num_codes)
        self.codebook = nn.Parameter(torch.randn(num_codes, code_dim))

    def embed(self, obs: Tensor, action: Tensor) -> Tensor:
        """Vectors [B, code_dim] of actions [B, A], before they are quantized."""
        return self.encoder(torch.cat([self.normalize(obs), action], dim=-1))

    def nearest(self, vector: Tensor) -> Tensor:
        """Codes [B] whose vectors are nearest to given ones [B, code_dim]."""
        return torch.cdist(vector, self.codebook).argmin(1)

    def encode(self, obs: Tensor, action: Tensor) -> Tensor:
        """Codes [B] of actions [B, A]."""
        return self.nearest(self.embed(obs, action))

    def decode(self, obs: Tensor, vector: Tensor) -> Tensor:
        """Actions [B, A] of vectors [B, code_dim]."""
        return torch.tanh(self.decoder(torch.cat([self.normalize(obs), vector], dim=-1)))

    def log_prior(self, obs: Tensor) -> Tensor:
        """Log probability [B, K] of each code among recorded actions."""
        return self.prior(self.normalize(obs)).log_softmax(-1)

    def loss(self, obs: Tensor, action: Tensor) -> tuple[Tensor, Tensor]:
        """Loss of all parts, scalar, and the mean squared error of decoded actions, scalar, without gradient."""
        vector = self.embed(obs, action)
        code = self.nearest(vector.detach())
        quantized = self.codebook[code]
        # The gradient of the decoder passes the quantization as if there were none.
        error = (self.decode(obs, vector + (quantized - vector).detach()) - action).square().mean()
        match = (quantized - vector.detach()).square().mean() + (vector - quantized.detach()).square().mean()
        return error + match + nn.functional.cross_entropy(self.prior(self.normalize(obs)), code), error.detach()

    @torch.no_grad()
    def start_from(self, obs: Tensor, action: Tensor) -> None:
        """Put the codes where the given actions, at least one, are: far codes are never used."""
        vectors = self.embed(obs, action)
        self.codebook.copy_(vectors[torch.arange(len(self.codebook), device=obs.device) % len(vectors)])
