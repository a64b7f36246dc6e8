# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Sizes of the demo's stages."""

from __future__ import annotations

from dataclasses import dataclass

NUM_DEMOS = {
    "Cohoff-Square-Franka": 45,
    "Cohoff-Coffee-Franka": 18,
    "Cohoff-MugCleanup-Franka": 30,
    "Cohoff-Threading-Franka": 18,
    "Cohoff-HammerCleanup-Franka": 30,
    "Cohoff-NutAssembly-Franka": 60,
}
"""Demonstrations of each task: so few that the base policy leaves room for improvement (results/)."""


@dataclass(frozen=True)
class DemoCfg:
    """Sizes of the stages."""

    task: str = "Cohoff-Square-Franka"
    """Task id."""
    seed: int = 0
    """Of training; demonstrations and evaluations have seeds of their own that follow from it."""
    device: str = "cpu"
    """Device of simulation and learning."""
    reward: str = "coherent"
    """Reward that is learned from: coherent, or sparse for the control."""
    num_envs: int = 64
    """Environments of training and evaluation."""
    num_demos: int = NUM_DEMOS["Cohoff-Square-Franka"]
    """Demonstrations of base policy and clone, recorded by two processes with half of them each."""
    collect_envs: int = 23
    """Environments of each recording process."""
    pretrain_steps: int | None = None
    """Optimiser steps of the base policy; None leaves it to scripts/pretrain.py."""
    max_iterations: int | None = None
    """Iterations of training; None leaves it to the task's configuration."""
    save_interval: int = 50
    """Iterations between checkpoints, each of which is evaluated."""
    episodes: int = 256
    """Episodes of the evaluations of base, clone, first and final policy."""
    checkpoint_episodes: int = 128
    """Episodes of the evaluation of each checkpoint in between."""
    film_envs: int = 3
    """Episodes in the film."""
    film_steps: int = 500
    """Longest film [control steps]."""
    base: str | None = None
    """Checkpoint of the base policy; None trains one on the demonstrations."""
    overrides: tuple[str, ...] = ()
    """Further settings of training as hydra writes them, agent.algorithm.beta=0.1."""


QUICK = {
    "num_envs": 4,
    "num_demos": 4,
    "collect_envs": 4,
    "pretrain_steps": 20,
    "max_iterations": 3,
    "save_interval": 1,
    "episodes": 4,
    "checkpoint_episodes": 4,
    "film_envs": 1,
    "film_steps": 10,
    "overrides": ("agent.algorithm.clone.steps=20", "agent.algorithm.critic.pretrain_steps=5"),
}
"""What ``--quick`` changes: every stage runs, none long enough to learn anything."""
