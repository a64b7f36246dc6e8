# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What tests of the algorithms with a deterministic actor share."""

from __future__ import annotations

from typing import Any

import torch

from cohoff.algorithms.common.td3 import Td3Learner
from cohoff.algorithms.common.td3_cfg import Td3AlgorithmCfg
from cohoff.offpolicy.algorithm import OffPolicyAlgorithm
from cohoff.offpolicy.algorithm_cfg import OffPolicyAlgorithmCfg, OffPolicyRunnerCfg
from cohoff.offpolicy.batch import Batch, State
from cohoff.offpolicy.learner import Problem
from cohoff.stress import point_mass

B, D, A = 32, 4, 2

SMALL: dict[str, Any] = {"actor": {"hidden_dims": (64, 64)}, "critic": {"hidden_dims": (64, 64)}}
"""Networks for the point mass."""


def settings(cfg: Td3AlgorithmCfg, **changes: Any) -> dict[str, Any]:
    """A whole ``agent.algorithm``, with changes of its sections by part."""
    whole = cfg.to_dict()
    for name, value in changes.items():
        whole[name] = whole[name] | value if isinstance(value, dict) else value
    return whole


def make_learner(kind: type[Td3Learner], cfg: Td3AlgorithmCfg, **changes: Any) -> Td3Learner:
    """A learner with small networks whose actor is not at its start, on the CPU."""
    torch.manual_seed(0)
    core = OffPolicyAlgorithmCfg(learner="").to_dict()
    own = {name: value for name, value in settings(cfg, **SMALL | changes).items() if name not in core}
    learner = kind(Problem(D, D, A, torch.device("cpu")), **own)  # pyright: ignore[reportCallIssue]
    torch.nn.init.normal_(learner.model.actor.mean_head.weight)
    learner.model.target_actor.load_state_dict(learner.model.actor.state_dict())
    for optimizer in learner.optimizers.values():
        optimizer.param_groups[0]["lr"] = 1e-3
    return learner


def make_batch(weight: float = 1.0) -> Batch:
    """Random windows of return 0.25, whose end counts half."""

    def state() -> State:
        obs = torch.randn(B, D)
        return State(obs, obs, 1.6 * torch.rand(B, A) - 0.8, {})

    ones = torch.ones(B)
    return Batch(state(), 1.8 * torch.rand(B, A) - 0.9, 0.25 * ones, 0.5 * ones, ones, state(), weight * ones)


class KnownCritic(torch.nn.Module):
    """Members worth the sum of the action times ``gains``."""

    def __init__(self, *gains: float):
        super().__init__()
        self.gains = torch.tensor(gains)

    def forward(self, obs: torch.Tensor, action: torch.Tensor) -> torch.Tensor:
        return self.gains[:, None] * action.sum(-1)


def smallest_run(cfg: OffPolicyRunnerCfg, folder: Any) -> dict[str, Any]:
    """Runner settings of a run over a base policy with random weights."""
    core = point_mass.smallest_run(folder)
    known = OffPolicyAlgorithmCfg(learner="").to_dict().keys() - {"learner", "base_collection_std"}
    own: Any = settings(cfg.algorithm, actor={"hidden_dims": (16,)}, critic={"hidden_dims": (16,)})  # pyright: ignore
    return core | {"algorithm": own | {name: core["algorithm"][name] for name in known}}


def parameters(algorithm: OffPolicyAlgorithm) -> torch.Tensor:
    """All parameters of a learner, flat."""
    return torch.cat([value.detach().flatten() for value in algorithm.learner.modules.state_dict().values()])
