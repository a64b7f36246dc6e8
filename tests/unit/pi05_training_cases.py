# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Demonstrations with pictures that a tiny pi-0.5 can learn from, and runs on them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import torch
from pi05_cases import TINY, random_state

from cohoff.data.demonstrations import load_demonstrations
from cohoff.data.stored import stored_frames
from cohoff.policies.pi05.finetuning.cfg import Pi05TrainingCfg
from cohoff.policies.pi05.finetuning.finetune import FineTuning
from cohoff.policies.pi05.finetuning.network import TrainableNetwork
from cohoff.policies.pi05.finetuning.scope import make_scope
from cohoff.policies.pi05.finetuning.start import start_from_checkpoint
from cohoff.policies.pi05.finetuning.statistics import compute_statistics
from cohoff.policies.pi05.weights import from_state

TASK = "Cohoff-Square-Camera-Franka"
CPU = torch.device("cpu")


def write_camera_demos(path: Path, side: int = 28, episodes: int = 4, length: int = 10) -> Path:
    """The brighter the picture, the larger the first action; the second follows the state, the third is a gripper."""
    generator = torch.Generator().manual_seed(0)
    with h5py.File(path, "w") as file:
        data = file.create_group("data")
        data.attrs.update({"env_args": json.dumps({"env_name": TASK}), "task": TASK, "seed": 0})
        for index in range(episodes):
            demo = data.create_group(f"demo_{index}")
            demo.attrs.update({"success": True, "num_samples": length})
            bright = torch.randint(0, 256, (length, 1, 1, 1), generator=generator)
            state = torch.rand(length, 5, generator=generator)
            images = (bright + torch.randint(-20, 20, (length, side, side, 3), generator=generator)).clamp(0, 255)
            for camera in ("agentview", "wrist"):
                demo[f"obs/images/{camera}"] = images.to(torch.uint8).numpy()
            actions = torch.stack([bright.flatten() / 127.5 - 1.0, 2.0 * state[:, 0] - 1.0, torch.ones(length)], 1)
            demo["actions"] = actions.float().numpy()
            demo["obs/policy"] = demo["next_obs/policy"] = state.numpy()
    return path


def make_network(scope: str = "everything", dtype: torch.dtype = torch.float32, **settings: Any) -> TrainableNetwork:
    return TrainableNetwork(from_state(random_state()), TINY, make_scope(scope, 2, 3), CPU, dtype, **settings)


def make_cfg(**settings: Any) -> Pi05TrainingCfg:
    defaults: dict[str, Any] = {
        "steps": 4, "batch_size": 4, "micro_batch": 4, "dtype": "float32", "report_every": 1, "learning_rate": 1e-3,
        "lora_rank": 2, "lora_expert_rank": 3,
    }  # fmt: skip
    return Pi05TrainingCfg(**defaults | settings)


@contextmanager
def open_run(demos_file: Path, base: Path, folder: Path, cfg: Pi05TrainingCfg) -> Iterator[FineTuning]:
    start = start_from_checkpoint(str(base), {})
    demos = load_demonstrations(demos_file)
    names = ["images/agentview", "images/wrist", "policy"]
    with stored_frames(demos, names) as frames:
        statistics = compute_statistics(demos.obs, demos.actions)
        yield FineTuning(start, demos, frames, statistics, cfg, folder, {"demos": "demos"}, CPU)
