# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Learning from pictures: each is encoded once, by an encoder that stays as it was cloned, and is then forgotten."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import pytest
import torch
from seeing_cases import CAMERA, SeenPointMass, load, render, smallest_seeing_run, untrained
from tensordict import TensorDict

from cohoff.algorithms.dsrl.dsrl_cfg import DsrlRunnerCfg
from cohoff.data.stored import load_pictures
from cohoff.errors import InputError
from cohoff.networks.encoders import IMAGES, VISION, EncoderSpec
from cohoff.offpolicy.inference import load_policy
from cohoff.offpolicy.observing import Observer
from cohoff.offpolicy.replay_buffer import ReplayBuffer
from cohoff.offpolicy.runner import OffPolicyRunner
from cohoff.policies.exported import ExportedPolicy
from cohoff.policies.flow.policy import FlowPolicy, FlowPolicySpec
from cohoff.policies.flow.seeing import ROBOT
from cohoff.policies.flow.seeing_training import SeeingTrainingCfg, train_seeing_flow
from cohoff.policies.loading import load_base
from cohoff.stress import point_mass
from cohoff.stress.training import make_runner

GROUPS = {"actor": [VISION, ROBOT]}


@pytest.fixture
def cfg(tmp_path: Path) -> dict[str, Any]:
    """CSIL++ from pictures, as small as can be."""
    return smallest_seeing_run(tmp_path)


def runner_of(cfg: dict[str, Any], folder: Path) -> OffPolicyRunner:
    return make_runner(cfg, folder, SeenPointMass(8, folder))


def observer() -> Observer:
    return Observer(GROUPS, SeenPointMass(2, None).get_observations())


def executed(policy: Any, steps: int = 25) -> torch.Tensor:
    """Actions of a policy from the same states and noise, [steps, 8, 2]."""
    torch.manual_seed(5)
    env = SeenPointMass(8, None, seed=5)
    obs, actions = env.get_observations(), []
    for _ in range(steps):
        actions.append(policy(obs))
        obs, _, dones, _ = env.step(actions[-1])
        policy.reset(dones.bool())
    return torch.stack(actions)


def test_demonstrations_and_steps_have_the_same_features(cfg: dict[str, Any], tmp_path: Path) -> None:
    """Also those after each action; after the last one, the picture before it stands in."""
    observe, demos = observer(), load(tmp_path / "demos.hdf5")
    seen = observe.see_demonstrations(demos)
    pictures = load_pictures(demos, IMAGES)[CAMERA]
    for row in (0, 1, len(pictures) - 1):
        obs = TensorDict({IMAGES: {CAMERA: pictures[row : row + 1]}, ROBOT: torch.ones(1, 1)}, batch_size=[1])
        torch.testing.assert_close(observe(seen.observations)["actor"][row], observe(obs)["actor"][0])
    features, following = seen.observations[VISION], seen.next_observations[VISION]
    last = demos.starts + demos.lengths - 1
    inner = torch.ones(len(features), dtype=torch.bool)
    inner[last] = False
    assert torch.equal(following[inner], features[1:][inner[:-1]])
    assert torch.equal(following[last], features[last])
    assert features.std(0).max() > 0.01
    assert VISION not in demos.observations


def test_a_step_is_encoded_once_and_only_ended_episodes_twice() -> None:
    observe = observer()
    assert observe.encoder is not None
    sizes: list[int] = []
    observe.encoder.register_forward_hook(lambda module, inputs, output: sizes.append(len(output)))
    env = SeenPointMass(6, None)
    final = env.get_observations().to_dict()
    final[IMAGES][CAMERA] = render(torch.rand(6, 2), torch.rand(6, 2))
    done = torch.tensor([False, True, False, False, True, False])
    obs, extras = observe.see_step(env.get_observations(), done, {"num_resets": 2, "final_obs": final})
    assert sizes == [6, 2]
    seen, before = observe(obs)["actor"], observe(extras["final_obs"])["actor"]
    assert sizes == [6, 2]
    torch.testing.assert_close(before[done], observe(final)["actor"][done])
    torch.testing.assert_close(seen, observe(env.get_observations())["actor"])
    assert not torch.isclose(before[done], seen[done]).all(1).any()


def test_the_encoder_stays_as_it_was_cloned(cfg: dict[str, Any], tmp_path: Path) -> None:
    """The base's encoder is the small policy's; no update changes it, and no picture is stored."""
    runner = runner_of(cfg, tmp_path / "run")
    runner.learn(3)
    base, algorithm = load_base(tmp_path / "base.safetensors"), runner.alg
    assert algorithm.num_updates == 21 and algorithm.observe.encoder is not None
    cloned = base.vision.state_dict()  # pyright: ignore[reportAttributeAccessIssue]
    assert all(torch.equal(value, cloned[name]) for name, value in algorithm.observe.encoder.state_dict().items())
    assert not any(parameter.requires_grad for parameter in algorithm.observe.encoder.parameters())
    optimized = {id(p) for o in algorithm.learner.optimizers.values() for g in o.param_groups for p in g["params"]}
    assert optimized.isdisjoint(id(parameter) for parameter in algorithm.observe.encoder.parameters())
    assert algorithm.collector is not None
    for buffer in (algorithm.collector.buffer, algorithm.demonstration_buffer):
        shapes = {name: value.shape[1:] for name, value in buffer.states.items()}
        assert shapes["actor"] == (65,) and all(len(shape) == 1 for shape in shapes.values())
        assert buffer.states["actor"][:, :64].std(0).max() > 0.01


def test_checkpoints_hold_the_encoder(cfg: dict[str, Any], tmp_path: Path) -> None:
    """Played without the files of the run, and resumed, the policy sees as it did."""
    runner = runner_of(cfg, tmp_path / "run")
    runner.learn(2)
    loaded: Any = load_policy(tmp_path / "run", 8, "cpu")
    obs = SeenPointMass(8, None, seed=5).get_observations()
    ours, theirs = (
        policy.policy(policy.observe(obs)["actor"], torch.zeros(8, 2)) for policy in (runner.alg.get_policy(), loaded)
    )
    torch.testing.assert_close(theirs, ours)
    expected = executed(loaded)
    for name in ("base.safetensors", "demos.hdf5"):
        (tmp_path / name).rename(tmp_path / f"moved_{name}")
    without = {**cfg["algorithm"], "base": None, "demonstrations": None}
    played = runner_of({**cfg, "algorithm": without}, tmp_path / "play")
    played.load(str(tmp_path / "run" / "model_1.pt"))
    torch.testing.assert_close(executed(played.alg.get_policy()), expected)
    demonstrations = {**without, "demonstrations": str(tmp_path / "moved_demos.hdf5")}
    resumed = runner_of({**cfg, "algorithm": demonstrations}, tmp_path / "resumed")
    resumed.load(str(tmp_path / "run" / "model_1.pt"))
    resumed.learn(1)
    assert resumed.alg.iteration == 5
    torch.testing.assert_close(
        resumed.alg.demonstration_buffer.states["actor"], runner.alg.demonstration_buffer.states["actor"]
    )


def test_any_learner_sees(cfg: dict[str, Any], tmp_path: Path) -> None:
    """One that chooses the noise of plans reads pictures both at a step and where a plan is due."""
    core = ("demonstrations", "base", "batch_size", "update_to_data", "replay_rows", "learning_starts")
    shared = {name: cfg["algorithm"][name] for name in core} | {"actor_start_episodes": 0}
    small = {"actor_dims": (16,), "critic_dims": (16,)}
    runner = runner_of({**cfg, "algorithm": DsrlRunnerCfg().algorithm.to_dict() | small | shared}, tmp_path / "run")
    runner.learn(3)
    assert runner.alg.num_updates == 21 and int(runner.alg.num_skipped) == 0
    assert executed(load_policy(tmp_path / "run", 8, "cpu")).isfinite().all()


def test_the_critic_may_read_the_whole_state(cfg: dict[str, Any], tmp_path: Path) -> None:
    cfg["obs_groups"]["critic"] = ["policy"]
    runner = runner_of(cfg, tmp_path / "run")
    runner.learn(1)
    assert runner.alg.collector is not None
    shapes = {name: value.shape[1] for name, value in runner.alg.collector.buffer.states.items()}
    assert (shapes["actor"], shapes["critic"]) == (65, 4)


def test_the_export_sees(cfg: dict[str, Any], tmp_path: Path) -> None:
    cfg["algorithm"]["combination"] = "residual"
    runner = runner_of(cfg, tmp_path / "run")
    runner.learn(1)
    runner.export_policy_to_onnx(str(tmp_path / "exported"))
    exported = ExportedPolicy(tmp_path / "exported", 8, "cpu", point_mass.TASK)
    torch.testing.assert_close(
        executed(exported), executed(load_policy(tmp_path / "run", 8, "cpu")), atol=1e-4, rtol=0.0
    )


def test_a_base_with_another_encoder_is_not_exported(
    cfg: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    untrained().save(tmp_path / "other.safetensors", point_mass.TASK)
    cfg["algorithm"]["encoder"] = str(tmp_path / "other.safetensors")
    runner = runner_of(cfg, tmp_path / "run")
    runner.learn(1)
    runner.export_policy_to_onnx(str(tmp_path / "exported"))
    assert "not exported: a base policy whose encoder" in capsys.readouterr().out


def test_a_hundred_thousand_steps_of_two_cameras_take_less_than_300_megabytes() -> None:
    """A state of Square: features, the robot's 31 values, the base's action, mean and spread of the prior."""
    features = EncoderSpec({"agentview": (84, 84), "wrist": (84, 84)}).num_features
    sizes = {"actor": features + 31, "base_action": 7, "features/prior_mean": 7, "features/prior_std": 7}
    buffer = ReplayBuffer(100_000 // 50, 50, {name: torch.zeros(50, size) for name, size in sizes.items()}, 7)
    tensors = [*buffer.states.values(), *buffer.transitions.values(), buffer.successor, buffer.end_owner]
    assert buffer.num_steps * buffer.stride == 100_000
    assert sum(tensor.numel() * tensor.element_size() for tensor in tensors) < 300e6


def change(path: Path, edit: Any) -> None:
    with h5py.File(path, "r+") as file:
        for demo in file["data"].values():  # pyright: ignore[reportAttributeAccessIssue]
            edit(demo["obs"])


def remove_pictures(obs: Any) -> None:
    del obs[IMAGES]


def crop_pictures(obs: Any) -> None:
    cropped = obs[IMAGES][CAMERA][:, :20]
    del obs[IMAGES][CAMERA]
    obs[IMAGES][CAMERA] = cropped


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (remove_pictures, "demo_0 of .* lacks the observation 'images/view', which the encoder reads"),
        (crop_pictures, "camera 'view' are 20 x 32 x 3, the encoder reads 32 x 32 x 3"),
    ],
)
def test_demonstrations_that_cannot_be_seen(cfg: dict[str, Any], tmp_path: Path, edit: Any, words: str) -> None:
    change(tmp_path / "demos.hdf5", edit)
    with pytest.raises(InputError, match=words):
        observer().see_demonstrations(load(tmp_path / "demos.hdf5"))


def test_training_needs_pictures(cfg: dict[str, Any], tmp_path: Path) -> None:
    change(tmp_path / "demos.hdf5", remove_pictures)
    with pytest.raises(InputError, match="demo_0 of .* lacks images of cameras; record a task that has it"):
        load_pictures(load(tmp_path / "demos.hdf5"), IMAGES)


def test_an_encoder_of_other_pictures_is_refused(
    cfg: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = untrained()
    base.vision.spec = EncoderSpec({CAMERA: (84, 84)})
    base.save(tmp_path / "base.safetensors", point_mass.TASK)
    with pytest.raises(SystemExit):
        runner_of(cfg, tmp_path / "run").learn(1)
    assert "the encoder of the base policy reads view 84 x 84, the task has view 32 x 32" in capsys.readouterr().err
    assert not (tmp_path / "run" / "base.safetensors").exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"base": "blind.safetensors"}, "no encoder for the group 'vision'"),
        ({"encoder": "blind.safetensors"}, "has no encoder; give a file of scripts/pretrain.py"),
        ({"encoder": "nowhere.safetensors"}, "no base checkpoint at"),
    ],
)
def test_no_encoder(
    cfg: dict[str, Any], tmp_path: Path, change: dict[str, str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    FlowPolicy(FlowPolicySpec(4, 2)).save(tmp_path / "blind.safetensors", point_mass.TASK)
    cfg["algorithm"] |= {name: str(tmp_path / file) for name, file in change.items()}
    with pytest.raises(SystemExit):
        runner_of(cfg, tmp_path / "run").learn(1)
    assert words in capsys.readouterr().err


def test_tasks_without_cameras_have_no_vision() -> None:
    obs = point_mass.PointMass(2, None).get_observations()
    with pytest.raises(InputError, match="names 'vision', but the task has no cameras; use a task named -Camera-"):
        Observer(GROUPS, obs)


def test_an_encoder_that_nothing_reads_is_refused(
    cfg: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cfg["obs_groups"] = {"actor": ["policy"]}
    cfg["algorithm"]["encoder"] = str(tmp_path / "base.safetensors")
    with pytest.raises(SystemExit):
        runner_of(cfg, tmp_path / "run")
    assert "agent.obs_groups do not name 'vision'" in capsys.readouterr().err


def test_the_seed_fixes_encoder_and_flow(cfg: dict[str, Any], tmp_path: Path) -> None:
    demos = load(tmp_path / "demos.hdf5")
    pictures = load_pictures(demos, IMAGES)
    first, again, other = (
        train_seeing_flow(demos, pictures, SeeingTrainingCfg(steps=2, batch_size=4, seed=seed)).state_dict()
        for seed in (0, 0, 1)
    )
    assert all(torch.equal(first[name], again[name]) for name in first)
    name = f"vision.cameras.{CAMERA}.0.weight"
    assert not torch.equal(first[name], other[name])
    start = train_seeing_flow(demos, pictures, SeeingTrainingCfg(steps=1, batch_size=4, seed=0)).state_dict()
    assert not torch.equal(first[name], start[name])


def test_a_seeing_base_round_trip(tmp_path: Path) -> None:
    policy, obs = untrained(), SeenPointMass(3, None).get_observations()
    torch.nn.init.normal_(policy.output.weight)
    policy.save(tmp_path / "base.safetensors", point_mass.TASK)
    loaded, noise = load_base(tmp_path / "base.safetensors", point_mass.TASK), torch.randn(3, policy.noise_dim)
    assert loaded.observations == (f"{IMAGES}/{CAMERA}", ROBOT)
    assert torch.equal(loaded.plan(obs, noise), policy.plan(obs, noise))
    other = obs.clone()
    other[IMAGES] = TensorDict({CAMERA: 255 - obs[IMAGES][CAMERA]}, batch_size=[3])
    assert not torch.allclose(loaded.plan(other, noise), policy.plan(obs, noise))
