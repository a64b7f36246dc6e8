# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The learning test of offline methods: mixed data on the point mass, where cloning everything mostly fails."""

from __future__ import annotations

import pytest
from offline_cases import mixed_recording, trained_success

from cohoff.data.recording import Recording

FAST = ("batch_size=128", "learning_rate=1e-3", "final_learning_rate=1e-4", "updates=600", "policy_delay=1")
SMALL = ("hidden_dims=64,64", "target_rate=0.03", "effective_horizon=1.5")
CHANGES = {
    "boundaries": ("clone_steps=500",), "td3_rkl": ("clone_steps=500",), "mopo": ("dynamics_steps=500",),
    "saq_iql": ("code_steps=500",), "saq_cql": ("code_steps=500",), "saq_brac": ("code_steps=500",),
}  # fmt: skip


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return mixed_recording(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def cloned(recording: Recording) -> float:
    """Success of behavior cloning."""
    return trained_success("bc", recording, (*FAST, *SMALL))


@pytest.mark.parametrize("method", ["filtered_bc", "iql", "red", "td3bc", "boundaries"])
def test_methods_learn_more_from_mixed_data_than_cloning(method: str, recording: Recording, cloned: float) -> None:
    assert cloned < 0.35
    assert trained_success(method, recording, (*FAST, *SMALL, *CHANGES.get(method, ()))) > cloned + 0.08
