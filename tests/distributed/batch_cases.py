# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Updates of every learner on parts of the same batches."""

from __future__ import annotations

import copy
import os
from dataclasses import fields, is_dataclass
from typing import Any

import torch
from cases import join
from torch import Tensor

from cohoff.algorithms.csil.csil_cfg import CsilAlgorithmCfg
from cohoff.algorithms.csil2023.csil2023_cfg import Csil2023AlgorithmCfg
from cohoff.algorithms.dice.dice_cfg import DiceAlgorithmCfg
from cohoff.algorithms.dsrl.dsrl_cfg import DsrlAlgorithmCfg
from cohoff.algorithms.ibrl.ibrl_cfg import IbrlAlgorithmCfg
from cohoff.algorithms.resfit.resfit_cfg import ResfitAlgorithmCfg
from cohoff.algorithms.rlpd.rlpd_cfg import RlpdAlgorithmCfg
from cohoff.algorithms.xqc.xqc_cfg import XqcAlgorithmCfg
from cohoff.offpolicy.algorithm_cfg import OffPolicyAlgorithmCfg
from cohoff.offpolicy.batch import Batch, State
from cohoff.offpolicy.distributed import Ranks, running_statistics
from cohoff.offpolicy.learner import Learner, Problem, make_learner

ROWS, DEMOS, D, A, K = 64, 32, 4, 2, 6
SMALL = {"hidden_dims": (16,)}
POLICY = {"hidden_dim": 16, "num_features": 16}

EXACT: dict[str, tuple[Any, dict[str, Any]]] = {
    "csil2023": (Csil2023AlgorithmCfg(), {"policy": POLICY, "critic": SMALL, "gradient_penalty": 0.0}),
    "dsrl": (DsrlAlgorithmCfg(), {"actor_dims": (16,), "critic_dims": (16,)}),
    "ibrl": (IbrlAlgorithmCfg(), {"actor": SMALL, "critic": SMALL}),
    "resfit": (ResfitAlgorithmCfg(), {"actor": SMALL, "critic": SMALL}),
    "rlpd": (RlpdAlgorithmCfg(), {"actor": SMALL, "critic": SMALL}),
}
"""Losses that are means over the rows of a batch."""

APPROXIMATE: dict[str, tuple[Any, dict[str, Any]]] = {
    "csil": (CsilAlgorithmCfg(), {"policy": POLICY, "critic": SMALL, "gradient_penalty": 0.0}),  # batch norm
    "csil2023, penalty": (Csil2023AlgorithmCfg(), {"policy": POLICY, "critic": SMALL, "gradient_penalty": 1.0}),
    "xqc": (XqcAlgorithmCfg(), {"actor": SMALL, "critic": SMALL}),  # batch norm
    "dice": (DiceAlgorithmCfg(), {"actor": SMALL, "critic": SMALL}),  # divides by the mean size of a batch's values
}
"""Losses that depend on a batch as a whole."""


def task(cfg: Any, changes: dict[str, Any]) -> Learner:
    """A learner that is not trained, with small networks."""
    whole, core = cfg.to_dict(), OffPolicyAlgorithmCfg(learner="").to_dict()
    for name, value in changes.items():
        whole[name] = whole[name] | value if isinstance(value, dict) else value
    settings = {name: value for name, value in whole.items() if name not in core}
    problem = Problem(D, D, A, torch.device("cpu"), K if "DSRL" in whole["learner"] else 0)
    learner = make_learner(whole["learner"], problem, settings)
    learner.load_constants(dict.fromkeys(learner.constants(), 1.0))
    return learner


def batch() -> Batch:
    """Random windows, some of which do not count."""

    def state() -> State:
        obs = torch.randn(ROWS, D)
        features = {"prior_mean": torch.randn(ROWS, A), "prior_std": torch.rand(ROWS, A) + 0.1}
        return State(obs, obs, torch.rand(ROWS, A) - 0.5, features | {"noise": torch.randn(ROWS, K)})

    weight = (torch.rand(ROWS) < 0.9).float()
    half = torch.full((ROWS,), 0.5)
    return Batch(state(), torch.rand(ROWS, A) - 0.5, torch.randn(ROWS), half, half, state(), weight)


def rows(batch: Any, chosen: Tensor) -> Any:
    """The rows ``chosen`` of every tensor in a batch or state."""
    if isinstance(batch, Tensor):
        return batch[chosen]
    if isinstance(batch, dict):
        return {name: rows(value, chosen) for name, value in batch.items()}
    assert is_dataclass(batch)
    return type(batch)(**{field.name: rows(getattr(batch, field.name), chosen) for field in fields(batch)})


def chosen_rows(ranks: Ranks) -> Tensor:
    """The rank's part of a batch, of which the first rows are demonstrations."""
    demos, replay = torch.arange(DEMOS), torch.arange(DEMOS, ROWS)
    return torch.cat([part.chunk(ranks.size)[ranks.rank] for part in (demos, replay)])


def update_on_parts() -> dict[str, dict[str, Tensor]]:
    """Update all learners on this rank's parts of the same batches, with its part of the same noise."""
    torch.manual_seed(0)
    tasks = {name: task(*made) for name, made in (EXACT | APPROXIMATE).items()}
    batches = [batch() for _ in range(3)]
    ranks = join() if "WORLD_SIZE" in os.environ else Ranks()
    chosen = chosen_rows(ranks)
    draw = torch.randn_like

    def part_of_noise(tensor: Tensor) -> Tensor:
        return draw(tensor.new_empty(ROWS, *tensor.shape[1:]))[chosen]

    found = {}
    torch.randn_like = part_of_noise  # pyright: ignore[reportAttributeAccessIssue]
    try:
        for name, one in tasks.items():
            torch.manual_seed(5)
            before = copy.deepcopy(one.modules.state_dict())
            for whole in batches:
                with ranks.averaging(running_statistics(one.modules)):
                    one.update(rows(whole, chosen), DEMOS // ranks.size, True)
            found[name] = one.modules.state_dict()
            moved = max(float((value - before[key]).abs().max()) for key, value in found[name].items())
            assert moved > 1e-3, name
    finally:
        torch.randn_like = draw
    return found
