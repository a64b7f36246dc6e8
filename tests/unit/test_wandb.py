# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Logging to W&B, offline."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import wandb
from isaaclab_rl.utils.wandb import announce_new_run

from cohoff.stress.point_mass import smallest_run
from cohoff.stress.training import make_runner


def test_a_run_logs_curves_and_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))
    monkeypatch.setenv("WANDB_RUN_ID", "to be drawn")
    monkeypatch.delenv("WANDB_RUN_ID")
    cfg = smallest_run(tmp_path) | {"logger": "wandb", "wandb_project": "cohoff"}
    runner = make_runner(cfg, tmp_path / "run")
    announce_new_run(cfg["wandb_project"])  # as isaaclab train does
    finish, config, logged = wandb.finish, {}, set()

    def finish_and_keep() -> None:
        assert wandb.run is not None
        config.update(dict(wandb.config) | {"project": wandb.run.project, "id": wandb.run.id})
        logged.update(wandb.run.summary.keys())
        finish()

    monkeypatch.setattr(wandb, "finish", finish_and_keep)
    runner.learn(12)
    assert config["project"] == "cohoff" and config["id"] == os.environ["WANDB_RUN_ID"]
    assert config["train_cfg"]["algorithm"]["batch_size"] == 16
    assert {"Learner/critic_loss", "Train/success_rate", "Eval/success_rate", "Perf/memory_gb"} <= logged
    assert list((tmp_path / "wandb").glob("offline-run-*"))
    monkeypatch.delenv("WANDB_RUN_ID")
