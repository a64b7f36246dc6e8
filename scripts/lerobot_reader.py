# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Read a LeRobotDataset by lerobot. scripts/check_lerobot.py starts this in the environment of `make parity`.

``lerobot_reader.py DATASET FRAMES COPY`` writes what lerobot returns of every frame to the safetensors file FRAMES, has
lerobot record the same frames into the new folder COPY, and loads a batch as lerobot's trainer does.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import torch
from lerobot.datasets.lerobot_dataset import LeRobotDataset  # pyright: ignore[reportMissingImports]
from lerobot.utils.constants import DEFAULT_FEATURES  # pyright: ignore[reportMissingImports]
from safetensors.torch import save_file

NAME = "cohoff/check"
"""lerobot wants a name of the hub even for a folder."""

CHUNK = 50
"""Actions that pi-0.5 is trained on at once."""


def main() -> None:
    """Read, write and load."""
    source, output, copy = sys.argv[1:]
    dataset = LeRobotDataset(NAME, root=source)
    features = {name: value for name, value in dataset.meta.features.items() if name not in DEFAULT_FEATURES}
    images = set(dataset.meta.image_keys)
    frames = [dataset[i] for i in range(len(dataset))]
    for frame in frames:
        for name in images:
            frame[name] = (frame[name] * 255).round().to(torch.uint8).permute(1, 2, 0)
    values = {name: torch.stack([frame[name] for frame in frames]).contiguous() for name in dataset.meta.features}
    save_file(values, output)

    recorded = LeRobotDataset.create(NAME, dataset.meta.fps, features, copy, use_videos=False)
    for i, frame in enumerate(frames):
        array: dict[str, Any] = {name: frame[name].numpy().reshape(features[name]["shape"]) for name in features}
        recorded.add_frame({**array, "task": frame["task"]})
        if i + 1 == len(frames) or frames[i + 1]["episode_index"] != frame["episode_index"]:
            recorded.save_episode()
    recorded.finalize()
    compare(dataset.meta.stats, LeRobotDataset(NAME, root=copy).meta.stats)

    times = {"action": [i / dataset.meta.fps for i in range(CHUNK)]}
    batch = next(iter(torch.utils.data.DataLoader(LeRobotDataset(NAME, root=source, delta_timestamps=times), 4)))
    assert batch["action"].shape[:2] == (4, CHUNK) and batch["action_is_pad"].shape == (4, CHUNK)


def compare(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """Statistics that do not depend on how lerobot samples frames and joins quantiles are those of lerobot."""
    assert ours.keys() == theirs.keys(), ours.keys() ^ theirs.keys()
    for name, found in theirs.items():
        assert ours[name].keys() == found.keys(), name
        for key, value in found.items():
            assert ours[name][key].shape == value.shape, (name, key)
            if key in ("min", "max", "mean", "std", "count"):
                # lerobot adds up in float32.
                np.testing.assert_allclose(ours[name][key], value, rtol=1e-3, atol=1e-5, err_msg=f"{name} {key}")


if __name__ == "__main__":
    main()
