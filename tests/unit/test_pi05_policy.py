# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""pi-0.5 as a base policy: opened from a folder, planning from observations, behind the chunk engine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import pytest
import torch
from pi05_cases import TINY, random_state, write_lerobot, write_openpi
from tensordict import TensorDict

from cohoff.data.demonstrations import Demonstrations, load_demonstrations
from cohoff.errors import InputError
from cohoff.offpolicy.transitions import demonstrated_transitions
from cohoff.policies.base import ChunkPolicy
from cohoff.policies.chunking import ChunkEngine
from cohoff.policies.loading import load_base
from cohoff.policies.pi05.network import Pi05
from cohoff.policies.pi05.policy import Pi05Policy, load_pi05
from cohoff.policies.pi05.preprocess import digitize
from cohoff.policies.pi05.prompt import Tokenizer

TWO: dict[str, Any] = {"instructions": ["put the nut on the peg", "pick up the red mug"]}


def observe(num_envs: int, side: int = 28, seed: int = 2) -> TensorDict:
    """What a camera task would show: two cameras, the state, and an instruction for each environment."""
    generator = torch.Generator().manual_seed(seed)
    shape = (num_envs, side, side, 3)
    images = {
        name: torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator) for name in ("agentview", "wrist")
    }
    return TensorDict(
        {
            "images": TensorDict(images, batch_size=[num_envs]),
            "policy": torch.rand(num_envs, 5, generator=generator),
            "instruction": torch.arange(num_envs) % 2,
        },
        batch_size=[num_envs],
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_lerobot(tmp_path_factory.mktemp("pi05"), **TWO)


@pytest.fixture
def policy(folder: Path) -> Pi05Policy:
    return load_pi05(folder)


def test_plan_is_the_network_around_host_code(folder: Path, policy: Pi05Policy) -> None:
    """Images, prompt and normalization written out for one environment at a time."""
    obs = observe(3)
    noise = torch.randn(3, policy.noise_dim)
    plan = policy.plan(obs, noise)
    assert isinstance(policy, ChunkPolicy) and plan.shape == (3, policy.horizon, policy.action_dim) == (3, 12, 3)
    model, tokenizer = Pi05.from_state_dict(random_state(), TINY), Tokenizer(folder / "tokenizer.model", 400)
    noise = noise.view(3, 12, 32)
    low, high = torch.tensor([-1.0, 0.0, -2.0, 0.5, 0.0]), torch.tensor([1.0, 2.0, 2.0, 1.5, 1e-8])
    for row in range(3):
        images = torch.stack([obs["images", name][row] for name in ("agentview", "wrist")])
        images = images.permute(0, 3, 1, 2) / 127.5 - 1.0
        bins = digitize(2.0 * (obs["policy"][row] - low) / (high - low) - 1.0).tolist()
        text = f"Task: {TWO['instructions'][row % 2]}, State: {' '.join(map(str, bins))};\nAction: "
        tokens = torch.tensor([tokenizer.encode(text)])
        inputs = (images[None], torch.ones(1, 2, dtype=torch.bool), tokens, torch.ones_like(tokens).bool())
        chunk = model.sample_actions(*inputs, noise[row : row + 1])[0, :, :3]
        low_a, high_a = torch.tensor([-0.5, -1.0, 0.0]), torch.tensor([0.5, 1.0, 0.1])
        expected = ((chunk + 1.0) / 2.0 * (high_a - low_a) + low_a).clamp(-1.0, 1.0)
        torch.testing.assert_close(plan[row], expected, atol=1e-5, rtol=0)


def test_layouts_and_micro_batches_plan_the_same(tmp_path: Path, policy: Pi05Policy) -> None:
    obs = observe(7)
    noise = torch.randn(7, policy.noise_dim)
    expected = policy.plan(obs, noise)
    others = [write_openpi(tmp_path / "a", **TWO), write_lerobot(tmp_path / "b", micro_batch=3, **TWO)]
    for other in others:
        torch.testing.assert_close(load_base(other).plan(obs, noise), expected, atol=1e-5, rtol=0)


def test_noise_of_the_global_random_state(policy: Pi05Policy) -> None:
    obs = observe(2)
    assert policy.noise_dim == 12 * 32
    torch.manual_seed(5)
    plan = policy.plan(obs)
    torch.manual_seed(5)
    assert torch.equal(policy.plan(obs, torch.randn(2, 12 * 32)), plan)
    assert not torch.equal(policy.plan(obs), plan)


def test_each_environment_follows_its_instruction(policy: Pi05Policy) -> None:
    obs = observe(4)
    swapped = obs.clone()
    swapped["instruction"][1] = 0
    noise = torch.randn(4, policy.noise_dim)
    before, after = policy.plan(obs, noise), policy.plan(swapped, noise)
    moved = (before - after).abs().amax((1, 2))
    assert moved[1] > 1e-4 and (moved[[0, 2, 3]] < 1e-5).all()


def test_only_due_environments_are_encoded(policy: Pi05Policy) -> None:
    """Twenty environments, a plan every ten steps: two plans a step once all have one, and none of them late."""
    seen: list[int] = []
    vision = policy.model.vision
    policy.model.vision = lambda images: (seen.append(len(images)), vision(images))[1]
    engine = ChunkEngine(policy, 20, "cpu", 10)
    obs = observe(20)
    for _ in range(12):
        assert engine.act(obs).shape == (20, 3)
        engine.reset(torch.zeros(20, dtype=torch.bool), 0)
    assert seen == [40] + [4] * 11


def test_state_columns_and_a_single_camera(tmp_path: Path) -> None:
    settings = {"instructions": ["put the nut on the peg"], "cameras": ["wrist"], "state": "joints"}
    policy = load_pi05(write_lerobot(tmp_path, state_columns=[4, 3, 2, 1, 0], **settings))
    obs = observe(2)
    obs["joints"] = torch.cat([obs["policy"].flip(1), torch.full((2, 3), 9.0)], 1)
    other = load_pi05(write_lerobot(tmp_path, instructions=settings["instructions"], cameras=["wrist"]))
    noise = torch.randn(2, policy.noise_dim)
    torch.testing.assert_close(policy.plan(obs, noise), other.plan(obs, noise))


def test_prompt_without_state(tmp_path: Path) -> None:
    """The plan does not depend on the state, which need not be there."""
    policy = load_pi05(write_openpi(tmp_path, discrete_state=False))
    obs = observe(2)
    del obs["policy"]
    assert policy.plan(obs).isfinite().all()


def test_inside_inference_mode(policy: Pi05Policy) -> None:
    """As rsl_rl calls it, and then outside of it again."""
    with torch.inference_mode():
        policy.plan(observe(2))
    policy.plan(observe(2))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda o: o.pop("images"), "needs the observation 'images/agentview', but there is instruction, policy"),
        (lambda o: o["images"].pop("wrist"), "needs the observation 'images/wrist', but there is agentview"),
        (lambda o: o["policy"].fill_(torch.nan), "the state 'policy' is not finite"),
        (lambda o: o.update(policy=torch.zeros(2, 6)), r"state 'policy' has shape \(2, 6\), the checkpoint's \(2, 5\)"),
        (lambda o: o["instruction"].fill_(2), "'instruction' has rows outside of the 2 instructions"),
        (
            lambda o: o["images"].update(wrist=torch.full((2, 28, 28, 3), 255.0)),
            r"images have values outside \[-1, 1\]",
        ),
    ],
    ids=["no images", "camera", "nan", "state", "instruction", "range"],
)
def test_bad_observations(policy: Pi05Policy, change: Any, message: str) -> None:
    obs = observe(2)
    change(obs)
    with pytest.raises(InputError, match=message):
        policy.plan(obs)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"camera": ["a"]}, "unknown settings camera; known: cameras, discrete_state"),
        ({"cameras": "wrist"}, "cameras are 'wrist'; give a list"),
        ({"cameras": ["a", "b", "c"]}, "cameras are a, b, c, but the checkpoint has 2"),
        ({"instructions": []}, r"instructions are \(\); give a list of at least one"),
        ({"dtype": "float16"}, "dtype is 'float16'; use float32 or bfloat16"),
        ({"tokenizer": "none.model"}, "no tokenizer at .*none.model"),
        ({"spec": {"width": 3}}, "spec in the settings of .* is unusable"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_bad_settings(tmp_path: Path, settings: dict[str, Any], message: str) -> None:
    folder = write_lerobot(tmp_path, **settings)
    with pytest.raises(InputError, match=message):
        load_pi05(folder)


def test_no_settings(tmp_path: Path) -> None:
    folder = write_lerobot(tmp_path)
    (folder / "cohoff.json").unlink()
    with pytest.raises(InputError, match=r"pi-0.5 needs its settings in .*cohoff.json', at least \{\"instructions\""):
        load_base(folder)
    (folder / "cohoff.json").write_text("[]")
    with pytest.raises(InputError, match="is not a JSON object"):
        load_base(folder)


def write_demonstrations(path: Path, obs: TensorDict, lengths: tuple[int, ...]) -> Demonstrations:
    """Write successful episodes with one row of ``obs`` per step; groups other than ``policy`` stay in the file."""
    with h5py.File(path, "w") as file:
        data = file.create_group("data")
        data.attrs.update(task="Test", env_args='{"env_name": "Test"}')
        for index, rows in enumerate(torch.arange(sum(lengths)).split(lengths)):
            demo = data.create_group(f"demo_{index}")
            demo.attrs["success"] = True
            demo["actions"] = torch.zeros(len(rows), 3)
            demo["next_obs/policy"] = obs["policy"][rows] + 0.01
            for name, value in obs[rows].flatten_keys("/").items():
                demo[f"obs/{name}"] = value
    return load_demonstrations(path)


def test_observations_are_those_that_a_plan_reads(tmp_path: Path, policy: Pi05Policy) -> None:
    assert policy.observations == ("images/agentview", "images/wrist", "policy", "instruction")
    settings = {"instructions": TWO["instructions"][:1], "cameras": ["wrist"], "discrete_state": False}
    assert load_pi05(write_lerobot(tmp_path, **settings)).observations == ("images/wrist",)


def both_see_the_state(groups: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {"actor": groups["policy"], "critic": groups["policy"]}


def test_actions_on_demonstrations_see_their_images(tmp_path: Path, policy: Pi05Policy) -> None:
    """As an engine that is shown the same observations one after another. The shorter episode's last one stays."""
    obs = observe(7)
    demos = write_demonstrations(tmp_path / "d.hdf5", obs, (3, 4))
    torch.manual_seed(3)
    transitions = demonstrated_transitions(demos, both_see_the_state, policy, 2)
    torch.manual_seed(3)
    engine = ChunkEngine(policy, 2, "cpu", 2)
    actions = []
    for first, second in ((0, 3), (1, 4), (2, 5), (2, 6), (2, 6)):
        seen = obs[torch.tensor([first, second])]
        if len(actions) > 2:
            seen["policy"][0] += 0.01
        if len(actions) > 3:
            seen["policy"][1] += 0.01
        actions.append(engine.act(seen))
    steps = torch.stack(actions, 1)
    torch.testing.assert_close(transitions.states["base_action"], torch.cat([steps[0, :3], steps[1, :4]]))
    torch.testing.assert_close(transitions.last_states["base_action"], torch.stack([steps[0, 3], steps[1, 4]]))


def test_demonstrations_without_images(tmp_path: Path, policy: Pi05Policy) -> None:
    """Training asks the base for its actions on the demonstrations before anything long."""
    demos = write_demonstrations(tmp_path / "d.hdf5", observe(6).exclude("images"), (6,))
    with pytest.raises(InputError, match="demo_0 of .*lacks the observation 'images/agentview', which the base policy"):
        demonstrated_transitions(demos, both_see_the_state, policy, 10)
