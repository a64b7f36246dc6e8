# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The shared learning test: success on the point mass before and after a few hundred updates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from cohoff.algorithms.csil.csil_cfg import CsilRunnerCfg
from cohoff.offpolicy import inference, inputs
from cohoff.offpolicy.algorithm_cfg import OffPolicyAlgorithmCfg, OffPolicyRunnerCfg
from cohoff.offpolicy.inference import load_policy
from cohoff.policies.acting import ActingPolicy
from cohoff.policies.chunking import ChunkEngine
from cohoff.stress import point_mass

ITERATIONS = 20
"""320 updates."""


def point_mass_cfg(folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The core's settings for the point mass, with demonstrations in ``folder`` and a poor base policy."""
    for module in (inputs, inference):
        monkeypatch.setattr(module, "load_base", lambda *args: point_mass.DriftingBase())
    point_mass.write_demonstrations(folder / "demos.hdf5")
    runner = OffPolicyRunnerCfg(max_iterations=ITERATIONS).to_dict()
    # Three tenths of the rate for the actor, the default, are too slow to be seen in so few updates.
    runner["algorithm"] = OffPolicyAlgorithmCfg(learner="").to_dict() | {
        "demonstrations": str(folder / "demos.hdf5"), "base": "base", "replay_rows": 5_600, "n_step": 3,
        "batch_size": 128, "update_to_data": 1 / 16, "learning_starts": 0, "learning_rate": 1e-3,
        "final_learning_rate": 1e-3, "policy_delay": 1, "effective_horizon": 4.0, "actor_start_episodes": 1,
        "actor_learning_rate_share": 1.0,
    }  # fmt: skip
    return runner


def csil_settings() -> dict[str, Any]:
    """CSIL++ with small networks; the settings that the core does not take."""
    settings = CsilRunnerCfg().algorithm.to_dict()
    settings["policy"] |= {"hidden_dim": 64, "num_features": 64}
    settings["critic"] |= {"hidden_dims": (64, 64), "pretrain_steps": 300}
    settings["clone"] |= {"steps": 400, "holdout": 0.0}
    return settings | {
        "gradient_penalty": 0.0,
        "target_rate": 0.02,
        "beta": 0.35,
        "margin_share": 0.45,
        "exploration_std": 0.2,
        "demonstrated_actions": True,  # its base was not trained on them
    }


def base_success() -> float:
    """Success rate of the base policy alone."""
    base = ChunkEngine(point_mass.DriftingBase(), 256, "cpu", 10)
    return point_mass.success_rate(ActingPolicy(lambda obs, action: action, lambda obs: {"actor": obs["policy"]}, base))  # pyright: ignore


def train_on_the_point_mass(cfg: dict[str, Any], algorithm: dict[str, Any], folder: Path) -> tuple[float, float]:
    """Train, and return success before the first update and after.

    ``algorithm`` is a whole ``agent.algorithm``; of the core's settings in it, those of ``cfg`` are used instead.
    """
    cfg["algorithm"] = algorithm | cfg["algorithm"] | {"learner": algorithm["learner"]}
    trained = point_mass.train(cfg, folder, iterations=ITERATIONS)
    torch.save(trained.save(), folder / f"model_{ITERATIONS - 1}.pt")
    start, end = (point_mass.success_rate(load_policy(folder, 256, "cpu", kind)) for kind in ("step0", "trained"))
    print(f"base {base_success():.3f}, step 0 {start:.3f}, after {trained.num_updates} updates {end:.3f}")
    return start, end
