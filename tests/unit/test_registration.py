# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What the registration of a task derives: camera variant, agents and recipe."""

from __future__ import annotations

import subprocess
import sys

import gymnasium as gym
import pytest
from isaaclab_tasks.utils.parse_cfg import load_cfg_from_registry

import cohoff_tasks.common.derived_cfg as derived
from cohoff.isaac.launch import load_entry_point, task_names
from cohoff_tasks.common.observations_cfg import JointsObsCfg, RobotObsCfg
from cohoff_tasks.common.registration import AGENTS

EXPERIMENTS = {
    "Coffee": "cohoff_coffee",
    "HammerCleanup": "cohoff_hammer_cleanup",
    "MugCleanup": "cohoff_mug_cleanup",
    "NutAssembly": "cohoff_nut_assembly",
    "Square": "cohoff_square",
    "Threading": "cohoff_threading",
}
VARIANTS = {f"Cohoff-{task}{variant}-Franka": task for task in EXPERIMENTS for variant in ("", "-Camera")}


def test_every_task_has_a_camera_variant() -> None:
    assert task_names() == sorted(VARIANTS)


@pytest.mark.parametrize("task", VARIANTS)
def test_agents_of_both_variants_are_named_after_the_task(task: str) -> None:
    for agent in AGENTS:
        cfg = load_cfg_from_registry(task, f"rsl_rl_{agent}_cfg_entry_point")
        assert cfg.experiment_name == EXPERIMENTS[VARIANTS[task]]  # type: ignore[union-attr]
    default = load_cfg_from_registry(task, "rsl_rl_cfg_entry_point")
    assert default.to_dict() == load_cfg_from_registry(task, "rsl_rl_csil_cfg_entry_point").to_dict()  # type: ignore[union-attr]
    assert gym.spec(task).kwargs["default_agent"] == "rsl_rl"


def test_agents_of_two_tasks_do_not_share_their_parts() -> None:
    square = load_cfg_from_registry("Cohoff-Square-Franka", "rsl_rl_csil_cfg_entry_point")
    square.algorithm.beta = 7.0  # type: ignore[union-attr]
    coffee = load_cfg_from_registry("Cohoff-Coffee-Franka", "rsl_rl_csil_cfg_entry_point")
    assert coffee.algorithm.beta != 7.0  # type: ignore[union-attr]


def test_the_camera_variant_adds_images_the_robot_and_nothing_else() -> None:
    plain = load_cfg_from_registry("Cohoff-Coffee-Franka", "env_cfg_entry_point").to_dict()  # type: ignore[union-attr]
    camera = load_cfg_from_registry("Cohoff-Coffee-Camera-Franka", "env_cfg_entry_point").to_dict()  # type: ignore[union-attr]
    assert camera["observations"].pop("images").keys() >= {"agentview", "wrist"}
    assert camera["observations"].pop("robot") == JointsObsCfg().to_dict()  # type: ignore[attr-defined]
    for group, name in (("scene", "agentview"), ("scene", "wrist"), ("events", "camera_jitter")):
        camera[group].pop(name)
    assert camera == plain


def test_the_policy_that_sees_reads_no_object() -> None:
    """Its groups are features of pictures, and a group of which every term is about the robot."""
    cfg = load_cfg_from_registry("Cohoff-Coffee-Camera-Franka", "rsl_rl_csil_vision_cfg_entry_point")
    assert set(sum(cfg.obs_groups.values(), [])) == {"vision", "robot"}  # type: ignore[union-attr]
    terms = {name for name, term in JointsObsCfg().to_dict().items() if isinstance(term, dict)}  # type: ignore[attr-defined]
    robot = {name for name, term in RobotObsCfg().to_dict().items() if isinstance(term, dict)}  # type: ignore[attr-defined]
    assert terms == robot | {"joint_positions"}


def test_recipes_are_reached_by_task() -> None:
    counts = {task: load_entry_point(task, "recipe_entry_point").num_demonstrations for task in VARIANTS}
    assert all(0 < counts[task] == counts[f"Cohoff-{VARIANTS[task]}-Franka"] for task in VARIANTS)
    assert counts["Cohoff-Square-Franka"] != counts["Cohoff-NutAssembly-Franka"]


@pytest.mark.parametrize("name", ["Square_sac", "Circle_csil", "Square", "csil", "Square_csil_"])
def test_unknown_names_are_not_made(name: str) -> None:
    with pytest.raises(AttributeError, match=f"no attribute '{name}'"):
        getattr(derived, name)


def test_registration_imports_neither_tasks_nor_isaac_lab() -> None:
    code = "import sys, cohoff_tasks; print([m for m in sys.modules if m.endswith(('_cfg', 'mdp')) or 'isaaclab' in m])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert result.stdout.strip() == "[]"
