# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The flow-matching base policy: its loss, its plans, its training and its checkpoints."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from tensordict import TensorDict
from torch import Tensor

from cohoff.data.demonstrations import Demonstrations
from cohoff.errors import InputError
from cohoff.policies.base import ChunkPolicy
from cohoff.policies.base_checkpoint import read_metadata, write_checkpoint
from cohoff.policies.flow.loading import load_flow
from cohoff.policies.flow.policy import FlowPolicy, FlowPolicySpec
from cohoff.policies.flow.training import FlowTrainingCfg, chunk_targets, enough_steps, train_flow
from cohoff.policies.loading import load_base

TASK = "Cohoff-Square-Franka"
SMALL = FlowPolicySpec(obs_dim=3, action_dim=2, horizon=4, hidden_dim=32, num_blocks=2, time_features=8)


def small_policy(trained: bool = True) -> FlowPolicy:
    """Policy with random weights; ``trained`` gives the zero-initialized output layer random ones too."""
    policy = FlowPolicy(SMALL)
    if trained:
        for parameter in policy.parameters():
            torch.nn.init.normal_(parameter, std=0.2)
    return policy


def demonstrations(lengths: tuple[int, ...] = (5, 3), obs_dim: int = 3) -> Demonstrations:
    """Episodes with random observations; the action of transition ``m`` is (m + 1, -(m + 1)) / 100."""
    count = sum(lengths)
    number = torch.arange(1, count + 1) / 100
    obs = torch.randn(count, obs_dim)
    actions = torch.stack([number, -number], dim=1)
    return Demonstrations({"policy": obs}, actions, actions, {"policy": obs}, torch.tensor(lengths), TASK)


def test_chunk_targets() -> None:
    """Past the end: zero motion, and the episode's last gripper command."""
    chunks = chunk_targets(demonstrations(), torch.tensor([0, 3, 7]), horizon=3)
    expected = torch.tensor(
        [
            [[1, -1], [2, -2], [3, -3]],
            [[4, -4], [5, -5], [0, -5]],
            [[8, -8], [0, -8], [0, -8]],
        ]
    )
    torch.testing.assert_close(chunks, expected / 100)


def test_loss_of_a_zero_velocity() -> None:
    """The initial network predicts zero, so the loss is the mean square of (chunk / scale - noise)."""
    policy = small_policy(trained=False)
    policy.set_normalization(torch.zeros(3), torch.ones(3), torch.tensor([0.5, 0.25]))
    chunks = torch.rand(6, 4, 2)
    loss = policy.loss(torch.randn(6, 3), chunks, torch.Generator().manual_seed(5))
    noise = torch.randn(6, 8, generator=torch.Generator().manual_seed(5))
    expected = (chunks / torch.tensor([0.5, 0.25]) - noise.view(6, 4, 2)).pow(2).mean()
    torch.testing.assert_close(loss, expected)


def test_plan_of_a_zero_velocity_is_the_scaled_noise() -> None:
    policy = small_policy(trained=False)
    policy.set_normalization(torch.zeros(3), torch.ones(3), torch.tensor([0.5, 2.0]))
    noise = torch.randn(6, 8)
    plan = policy.plan({"policy": torch.randn(6, 3)}, noise)
    torch.testing.assert_close(plan, (noise.view(6, 4, 2) * torch.tensor([0.5, 2.0])).clamp(-1, 1))
    assert plan.abs().max() == 1.0


def test_plan_integrates_a_constant_velocity() -> None:
    """Ten Euler steps of a velocity v lead from the noise to noise + v."""
    policy = small_policy(trained=False)
    with torch.no_grad():
        policy.output.bias.fill_(0.125)
    policy.set_normalization(torch.zeros(3), torch.ones(3), torch.full((2,), 0.1))
    noise = torch.randn(6, 8)
    plan = policy.plan({"policy": torch.randn(6, 3)}, noise)
    torch.testing.assert_close(plan, 0.1 * (noise.view(6, 4, 2) + 0.125))


def test_observations_are_normalized_and_bounded() -> None:
    """Shifting and scaling observations and statistics alike changes nothing; outliers act as if at the bound."""
    policy = small_policy()
    obs, mean, std = torch.randn(6, 3), torch.tensor([1.0, -2.0, 0.5]), torch.tensor([0.1, 3.0, 1.0])

    noise = torch.randn(6, 8)

    def plan(obs: Tensor) -> Tensor:
        return policy.plan({"policy": obs}, noise)

    plain = plan(obs)
    bound, beyond = plan(torch.full((6, 3), 5.0)), plan(torch.full((6, 3), 1e6))
    policy.set_normalization(mean, std, torch.ones(2))
    torch.testing.assert_close(plan(obs * std + mean), plain)
    torch.testing.assert_close(beyond, bound)
    assert not torch.equal(plain, bound)


def test_policy_is_a_chunk_policy() -> None:
    policy = small_policy()
    assert isinstance(policy, ChunkPolicy)
    plan = policy.plan({"policy": torch.randn(5, 3)})
    assert plan.shape == (5, policy.horizon, policy.action_dim)
    assert plan.abs().max() <= 1.0
    assert not plan.requires_grad


def test_noise_is_the_caller_s_or_of_the_global_random_state() -> None:
    policy, obs = small_policy(), TensorDict({"policy": torch.randn(5, 3)}, batch_size=[5])
    assert policy.noise_dim == 4 * 2
    torch.manual_seed(1)
    first, second = policy.plan(obs), policy.plan(obs)
    assert not torch.equal(first, second)
    torch.manual_seed(1)
    noise = torch.randn(5, 8)
    assert torch.equal(policy.plan(obs), second)  # continues where the first plan's noise ended
    assert torch.equal(policy.plan(obs, noise), first)


def two_ways(count: int = 400) -> Demonstrations:
    """One-step episodes: the sign of the observation decides between two chunks, (0.5, 0.8) and (-0.5, -0.8)."""
    sign = torch.where(torch.rand(count, 1) < 0.5, -1.0, 1.0)
    actions = sign * torch.tensor([0.5, 0.8]) + 0.01 * torch.randn(count, 2)
    obs = torch.cat([sign, torch.full((count, 1), 3.0), torch.randn(count, 1)], dim=1)
    return Demonstrations({"policy": obs}, actions, actions, {"policy": obs}, torch.ones(count, dtype=torch.long), TASK)


TOY = FlowPolicySpec(obs_dim=3, action_dim=2, horizon=2, hidden_dim=64, num_blocks=2)


def test_training_recovers_the_demonstrated_chunks() -> None:
    """Including zero motion past the end. The second observation is constant in training, and moves slightly here."""
    reports = []
    policy = train_flow(two_ways(), TOY, FlowTrainingCfg(steps=600, batch_size=128, report_every=200), reports.append)
    obs = torch.tensor([[1.0, 3.05, 0.3], [-1.0, 3.0, -0.2]]).repeat_interleave(50, dim=0)
    plan = policy.plan({"policy": obs}).unflatten(0, (2, 50)).mean(1)
    expected = torch.tensor([[[0.5, 0.8], [0.0, 0.8]], [[-0.5, -0.8], [0.0, -0.8]]])
    torch.testing.assert_close(plan, expected, atol=0.06, rtol=0)
    assert [report.step for report in reports] == [200, 400, 600]
    assert reports[-1].holdout_loss < reports[0].holdout_loss
    assert not any(parameter.requires_grad for parameter in policy.parameters())
    assert not policy.training


def test_the_seed_fixes_the_result() -> None:
    demos = two_ways(50)
    cfg = FlowTrainingCfg(steps=5, batch_size=16)
    before = torch.random.get_rng_state()
    first = train_flow(demos, TOY, cfg).state_dict()
    assert torch.equal(torch.random.get_rng_state(), before), "training must leave the global random state alone"
    torch.manual_seed(99)
    again = train_flow(demos, TOY, cfg, lambda report: None).state_dict()
    other = train_flow(demos, TOY, FlowTrainingCfg(seed=1, steps=5, batch_size=16)).state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["input.weight"], other["input.weight"])


def test_holdout_episodes_are_not_trained_on() -> None:
    """A tenth of ten episodes is one: with it spoiled, training stays finite and its loss is not."""
    reports = []
    demos = demonstrations((4,) * 10)
    order = torch.randperm(10, generator=torch.Generator().manual_seed(0))
    demos.obs[demos.episode_of == order[0]] = float("nan")
    policy = train_flow(demos, SMALL, FlowTrainingCfg(steps=20, batch_size=8), reports.append)
    assert all(tensor.isfinite().all() for tensor in policy.state_dict().values())
    assert torch.tensor(reports[-1].loss).isfinite()
    assert torch.tensor(reports[-1].holdout_loss).isnan()


def test_a_single_episode_is_trained_on() -> None:
    reports = []
    train_flow(demonstrations((6,)), SMALL, FlowTrainingCfg(steps=2, batch_size=4), reports.append)
    assert reports[-1].holdout_loss is None


@pytest.mark.parametrize("cfg", [{"steps": 0}, {"batch_size": 0}, {"holdout": 1.0}, {"holdout": 0.0}])
def test_bad_training_configuration(cfg: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=f"flow training {next(iter(cfg))} is"):
        FlowTrainingCfg(**cfg)


def test_bad_spec() -> None:
    with pytest.raises(InputError, match="flow policy horizon is 0"):
        FlowPolicySpec(obs_dim=3, action_dim=2, horizon=0)
    with pytest.raises(InputError, match="time_features is 7; it must be even"):
        FlowPolicySpec(obs_dim=3, action_dim=2, time_features=7)


def test_sizes_of_spec_and_demonstrations_must_agree() -> None:
    with pytest.raises(InputError, match="4 observation and 2 action dimensions, but the policy has 3 and 2"):
        train_flow(demonstrations(obs_dim=4), SMALL, FlowTrainingCfg(steps=1))


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    path = tmp_path / "base.safetensors"
    small_policy().save(path, TASK, {"demos": "demos.hdf5", "seed": 3})
    return path


def test_checkpoint_round_trip(tmp_path: Path) -> None:
    policy, obs = small_policy(), TensorDict({"policy": torch.randn(5, 3)}, batch_size=[5])
    policy.set_normalization(torch.randn(3), torch.rand(3) + 0.5, torch.rand(2) + 0.5)
    path = tmp_path / "base.safetensors"
    policy.save(path, TASK, {"demos": "demos.hdf5", "seed": 3})
    loaded = load_base(path, TASK)
    noise = torch.randn(5, 8)
    assert torch.equal(loaded.plan(obs, noise), policy.plan(obs, noise))
    assert read_metadata(path) == {
        "kind": "flow",
        "task": TASK,
        "spec": {"obs_dim": 3, "action_dim": 2, "horizon": 4, "hidden_dim": 32, "num_blocks": 2}
        | {"time_features": 8, "euler_steps": 10},
        "demos": "demos.hdf5",
        "seed": 3,
    }
    assert [file.name for file in tmp_path.iterdir()] == ["base.safetensors"]


def test_missing_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no base checkpoint at .*nowhere"):
        load_base(tmp_path / "nowhere.safetensors")


def test_truncated_checkpoint(checkpoint: Path) -> None:
    checkpoint.write_bytes(checkpoint.read_bytes()[:-10])
    with pytest.raises(InputError, match="is damaged"):
        load_base(checkpoint)


def test_file_that_is_no_safetensors(tmp_path: Path) -> None:
    path = tmp_path / "base.safetensors"
    path.write_bytes(b"\x89HDF\r\n" * 100)
    with pytest.raises(InputError, match="is damaged"):
        load_base(path)


@pytest.mark.parametrize(
    "metadata", [None, {"format": "pt"}, {"cohoff": "no json"}, {"cohoff": "[]"}, {"cohoff": "{}"}]
)
def test_foreign_checkpoint(tmp_path: Path, metadata: dict[str, str] | None) -> None:
    path = tmp_path / "base.safetensors"
    save_file({"weight": torch.zeros(2)}, path, metadata)
    with pytest.raises(InputError, match="is (not a cohoff base checkpoint|damaged or not of its kind)"):
        load_base(path)


def test_checkpoint_of_another_task(checkpoint: Path) -> None:
    with pytest.raises(InputError, match="was trained for task 'Cohoff-Square-Franka', not 'Cohoff-Coffee-Franka'"):
        load_base(checkpoint, "Cohoff-Coffee-Franka")


def test_checkpoint_of_unknown_kind(tmp_path: Path) -> None:
    path = tmp_path / "base.safetensors"
    write_checkpoint(path, {"weight": torch.zeros(2)}, {"kind": "tree", "task": TASK})
    with pytest.raises(InputError, match="unknown kind 'tree'; known kinds: flow, pi05"):
        load_base(path)
    with pytest.raises(InputError, match="is of kind 'tree', not 'flow'"):
        load_flow(path)


@pytest.mark.parametrize("damage", ["missing", "extra", "shape", "spec"])
def test_checkpoint_is_loaded_strictly(checkpoint: Path, damage: Callable[[dict[str, Tensor]], object]) -> None:
    tensors = load_file(checkpoint)
    with safe_open(checkpoint, framework="pt") as file:
        metadata = json.loads(file.metadata()["cohoff"])
    if damage == "missing":
        del tensors["obs_mean"]
    elif damage == "extra":
        tensors["surplus"] = torch.zeros(1)
    elif damage == "shape":
        tensors["obs_mean"] = torch.zeros(4)
    else:
        metadata["spec"]["depth"] = 3
    write_checkpoint(checkpoint, tensors, metadata)
    with pytest.raises(InputError, match="is damaged or not of its kind"):
        load_base(checkpoint)


@pytest.mark.parametrize(
    ("transitions", "batch_size", "steps"), [(1, 256, 3000), (1, 64, 12_000), (64_000, 64, 50_000)]
)
def test_smaller_batches_take_more_steps(transitions: int, batch_size: int, steps: int) -> None:
    """As many chunks are seen, and 50 passes through large sets."""
    assert enough_steps(transitions, batch_size) == steps
