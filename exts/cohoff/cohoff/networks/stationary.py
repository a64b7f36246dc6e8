# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The stationary heteroscedastic policy (HETSTAT) of CSIL (arXiv 2305.16498)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from cohoff.networks.normalized import NormalizedInput
from cohoff.networks.triangular import TriangularForm

PRIOR_VARIANCE = 0.75
"""Variance before tanh at which a tanh-Gaussian is closest to uniform."""

MIN_STD = math.sqrt(1e-5)
"""Floor of the standard deviation before tanh: bounds the coherent reward from above."""

LOG_PRIOR_FACTOR = math.log(2.0)
"""Initial log diagonal of the covariance factor: deep in tanh's saturation, where the spread is the prior's."""


def triangle_wave(x: Tensor) -> Tensor:
    """Triangle wave of period 2 pi and unit power: a cheap periodic activation after CSIL's appendix."""
    turns = x * (0.5 / math.pi) - 0.25
    # The rounded turns are constant between jumps, and have no gradient at them.
    return math.sqrt(3.0) * (1.0 - 4.0 * (turns - turns.detach().round()).abs())


class StationaryPolicy(NormalizedInput):
    """Tanh-Gaussian policy whose mean goes to 0 and whose spread goes to the prior away from its data.

    A network maps the observation to a small code; random periodic features of the code make the Bayesian linear
    head stationary: where the features are unlike those of the demonstrations, nothing has been learned about them.
    The code is standardized over the demonstrations (batch statistics while cloning, in training mode; fixed after), so
    that far away means phases that have wrapped. Without this the features stay in the linear part of their waves, the
    mean extrapolates and the spread stays small wherever the code goes.
    """

    def __init__(
        self,
        obs_dim: int,
        action_dim: int,
        hidden_dim: int = 256,
        code_dim: int = 12,
        num_features: int = 256,
        phase_std: float = 1.0,
    ):
        super().__init__(obs_dim)
        self.action_dim = action_dim
        self.body = nn.Sequential(
            nn.Linear(obs_dim, hidden_dim),
            nn.ELU(),
            nn.Linear(hidden_dim, hidden_dim),
            nn.ELU(),
            nn.Linear(hidden_dim, code_dim),
        )
        for layer in self.body:
            if isinstance(layer, nn.Linear):
                nn.init.orthogonal_(layer.weight)
                nn.init.zeros_(layer.bias)
        self.code_norm = nn.BatchNorm1d(code_dim, momentum=0.02, affine=False)
        self.frequencies = nn.Parameter(torch.randn(code_dim, num_features // 2) * (phase_std / math.sqrt(code_dim)))
        self.log_inverse_lengthscale = nn.Parameter(torch.zeros(code_dim))
        self.mean_weight = nn.Parameter(torch.zeros(num_features, action_dim))
        self.factor = nn.Parameter(torch.zeros(action_dim, num_features, num_features))
        self.factor.data.diagonal(dim1=1, dim2=2).fill_(LOG_PRIOR_FACTOR)

    @torch.no_grad()
    def set_spread(self, std: float) -> None:
        """Give an untrained policy the standard deviation ``std`` (before tanh) everywhere."""
        log_diagonal = math.log(math.atanh(std / math.sqrt(PRIOR_VARIANCE)))
        self.factor.zero_().diagonal(dim1=1, dim2=2).fill_(log_diagonal)

    def features(self, obs: Tensor) -> Tensor:
        """Periodic features [B, F] of unit norm of observations [B, D]."""
        code = self.code_norm(self.body(self.normalize(obs)))
        phase = (code * self.log_inverse_lengthscale.exp()) @ self.frequencies
        waves = triangle_wave(torch.cat([phase + math.pi / 4, phase - math.pi / 4], dim=-1))
        return waves / math.sqrt(waves.shape[-1])

    def mean(self, obs: Tensor) -> Tensor:
        """Mean before tanh [B, A] at observations [B, D], without the cost of the spread."""
        return self.features(obs) @ self.mean_weight

    def head(self, features: Tensor, faithful: bool = False) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation before tanh, [B, A] each, of features [B, F].

        ``faithful`` keeps the gradient of the standard deviation out of the features.
        """
        mean = features @ self.mean_weight
        if faithful:
            features = features.detach()
        variance = TriangularForm.apply(features, self.factor)
        std = math.sqrt(PRIOR_VARIANCE) * torch.tanh(torch.sqrt(MIN_STD**2 + variance))
        return mean, std

    def forward(self, obs: Tensor, faithful: bool = False) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation before tanh, [B, A] each, at observations [B, D]."""
        return self.head(self.features(obs), faithful)
