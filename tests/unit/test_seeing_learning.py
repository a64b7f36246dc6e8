# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The learning test from pictures: what is seen of the point mass is as good as knowing it, and CSIL++ improves it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from learning_cases import ITERATIONS, base_success, point_mass_cfg
from seeing_cases import SeenPointMass, pretrain
from test_learning import csil_settings

from cohoff.networks.encoders import VISION
from cohoff.offpolicy.algorithm import OffPolicyAlgorithm
from cohoff.offpolicy.checkpoint import write_checkpoint
from cohoff.offpolicy.inference import load_policy
from cohoff.offpolicy.learner import PolicyKind
from cohoff.policies.flow.seeing import ROBOT
from cohoff.stress import point_mass


@pytest.fixture
def cfg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """CSIL++ over a poor base, on demonstrations with pictures, before groups are chosen."""
    cfg = point_mass_cfg(tmp_path, monkeypatch)
    point_mass.write_demonstrations(tmp_path / "demos.hdf5", make=SeenPointMass)
    cfg["algorithm"] = csil_settings() | cfg["algorithm"] | {"learner": csil_settings()["learner"]}
    return cfg


def train(cfg: dict[str, Any], groups: list[str], folder: Path, iterations: int) -> OffPolicyAlgorithm:
    trained = point_mass.train(
        cfg | {"obs_groups": {"actor": groups, "critic": groups}}, folder, iterations, make=SeenPointMass
    )
    write_checkpoint(trained.save(), folder / f"model_{iterations}.pt")
    return trained


def success(folder: Path, kind: PolicyKind) -> float:
    return point_mass.success_rate(load_policy(folder, 256, "cpu", kind), make=SeenPointMass)


def test_csil_learns_from_pictures(cfg: dict[str, Any], tmp_path: Path) -> None:
    """The clone of pictures is about as good as that of states, and training raises success as it does with states."""
    pretrain(tmp_path / "demos.hdf5", steps=300).save(tmp_path / "seeing.safetensors", point_mass.TASK)
    train(cfg, ["policy"], tmp_path / "states", iterations=0)
    cfg["algorithm"]["encoder"] = str(tmp_path / "seeing.safetensors")
    seen = tmp_path / "seen"
    train(cfg, [VISION, ROBOT], seen, ITERATIONS)
    clones = [success(folder, "clone") for folder in (tmp_path / "states", seen)]
    start, end = success(seen, "step0"), success(seen, "trained")
    print(f"clone of states {clones[0]:.3f}, of pictures {clones[1]:.3f}, step 0 {start:.3f}, trained {end:.3f}")
    assert clones[1] > clones[0] - 0.1
    assert end > max(base_success(), start) + 0.1
