# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Check that lerobot reads every frame of an export exactly, and that what lerobot records is imported exactly.

It needs the environment that `make parity` creates::

    python scripts/check_lerobot.py
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import numpy as np
import torch
from isaaclab.utils.datasets import EpisodeData
from safetensors.numpy import load_file

from cohoff.cli import command_parser, run
from cohoff.data.demonstrations import load_demonstrations
from cohoff.data.formats.lerobot_export import export_dataset
from cohoff.data.formats.lerobot_import import open_dataset
from cohoff.isaac.recording import write_demonstrations
from lerobot_process import LEROBOT, check_lerobot

TASK = "Cohoff-Square-Camera-Franka"
FPS = 20


def random_episode(length: int, generator: torch.Generator) -> EpisodeData:
    """An episode of random values and pixels."""

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator)

    def picture(height: int, width: int) -> torch.Tensor:
        return torch.randint(0, 256, (length, height, width, 3), dtype=torch.uint8, generator=generator)

    states, actions = normal(length + 1, 49), normal(length, 7).clamp(-1, 1)
    episode = EpisodeData()
    episode.data = {
        "actions": actions,
        "intended_actions": (actions + 0.1).clamp(-1, 1),
        "obs": {
            "policy": states[:-1],
            "gripper": normal(length, 1),
            "images": {"agentview": picture(24, 32), "wrist": picture(84, 84)},
        },
        "next_obs": {"policy": states[1:], "gripper": normal(length, 1)},
        "rewards": torch.arange(length) == length - 1,
        "dones": torch.arange(length) == length - 1,
        "initial_state": {
            "articulation": {"robot": {"joint_position": normal(1, 9)}, "drawer": {"joint_position": normal(1, 1)}}
        },
    }
    episode.success = True
    return episode


def flatten(nested: dict, prefix: str = "") -> dict[str, np.ndarray]:
    """The arrays of nested dictionaries by their paths."""
    leaves = {}
    for key, value in nested.items():
        leaves |= flatten(value, f"{prefix}{key}/") if isinstance(value, dict) else {prefix + key: np.asarray(value)}
    return leaves


def main() -> None:
    """Export, read by lerobot, compare; import what lerobot recorded, compare."""
    command_parser("check_lerobot", __doc__).parse_args()
    check_lerobot()
    generator = torch.Generator().manual_seed(0)
    episodes = [random_episode(length, generator) for length in (60, 2, 33)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_demonstrations(folder / "demos.hdf5", episodes, TASK, 0, 0.0)
        demos = load_demonstrations(folder / "demos.hdf5")
        export_dataset(demos, folder / "dataset", "put the nut on the peg", FPS, state_columns=range(8))
        arguments = [folder / "dataset", folder / "frames.safetensors", folder / "copy"]
        subprocess.run([LEROBOT, Path(__file__).with_name("lerobot_reader.py"), *arguments], check=True)
        frames = load_file(folder / "frames.safetensors")
        recorded = list(open_dataset(folder / "copy", TASK).episodes())
    joined = {path: np.concatenate([flatten(e.data)[path] for e in episodes]) for path in flatten(episodes[0].data)}
    expected = {
        "action": joined["actions"],
        "observation.state": joined["obs/policy"][:, :8],
        "obs.policy": joined["obs/policy"],
        "observation.images.agentview": joined["obs/images/agentview"],
        "observation.images.wrist": joined["obs/images/wrist"],
        "episode_index": np.repeat(np.arange(3), demos.lengths.numpy()),
    }
    for feature, value in expected.items():
        np.testing.assert_array_equal(frames[feature], value, err_msg=feature)
    for episode, found in zip(episodes, recorded, strict=True):
        assert found is not None
        expected, leaves = flatten(episode.data), flatten(found)
        assert expected.keys() == leaves.keys()
        for path, value in expected.items():
            assert leaves[path].dtype == value.dtype, path
            np.testing.assert_array_equal(leaves[path], value, err_msg=path)
    count = demos.num_transitions
    print(f"lerobot reads {count} of {count} frames exactly, and what it records is imported exactly")


if __name__ == "__main__":
    run(main)
