# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The learning test of offline methods: mixed data on the point mass, where cloning everything mostly fails."""

from __future__ import annotations

import pytest
from offline_cases import mixed_recording, trained_success

from cohoff.data.recording import Recording

LOOP = (
    "batch_size=128", "learning_rate=1e-3", "final_learning_rate=1e-3", "updates=800", "policy_delay=1",
    "effective_horizon=1.5", "target_rate=0.03",
)  # fmt: skip
SMALL = (*LOOP, "hidden_dims=64,64")
CHANGES = {
    "boundaries": (*SMALL, "clone_steps=500"),
    "td3_rkl": (*SMALL, "updates=1500", "clone_steps=1500"),
    "mopo": (*SMALL, "dynamics_steps=1000"),
    "saq_iql": (*SMALL, "code_steps=500"), "saq_cql": (*SMALL, "code_steps=500"),
    "saq_brac": (*SMALL, "code_steps=500"),
    "csil": (
        *LOOP, "effective_horizon=4.0", "policy.hidden_dim=64", "policy.num_features=64", "critic.hidden_dims=64,64",
        "critic.pretrain_steps=300", "clone.steps=400", "clone.holdout=0.0", "beta=0.35", "margin_share=0.45",
        "actor_learning_rate_share=1.0",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return mixed_recording(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def cloned(recording: Recording) -> float:
    """Success of behavior cloning."""
    return trained_success("bc", recording, SMALL)


def learns(method: str, recording: Recording, cloned: float) -> None:
    assert cloned < 0.3
    assert trained_success(method, recording, CHANGES.get(method, SMALL)) > cloned + 0.08


@pytest.mark.parametrize("method", ["filtered_bc", "iql", "red", "td3bc", "boundaries", "cwbc", "coil"])
def test_methods_learn_more_from_mixed_data_than_cloning(method: str, recording: Recording, cloned: float) -> None:
    learns(method, recording, cloned)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["relaxed_td3bc", "td3_rkl", "saq_iql", "saq_cql", "saq_brac", "mopo", "csil"])
def test_the_other_methods_do_so_too(method: str, recording: Recording, cloned: float) -> None:
    learns(method, recording, cloned)
