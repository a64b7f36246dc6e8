# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What a checkpoint holds of a run, and how a run takes it up again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from cohoff.files import reading
from cohoff.offpolicy import parts
from cohoff.offpolicy.checkpoint import check_fits, describe_problem
from cohoff.offpolicy.collector import Collector
from cohoff.offpolicy.learning_rate import LearningRate
from cohoff.offpolicy.random_state import random_state, restore_random_state
from cohoff.offpolicy.replay_file import save_replay

if TYPE_CHECKING:
    from cohoff.offpolicy.algorithm import OffPolicyAlgorithm


def save_run(algorithm: OffPolicyAlgorithm, collector: Collector, random_before: dict[str, Any]) -> dict[str, Any]:
    """Checkpoint contents: tensors and plain values only. The replay goes to a side file in the log folder.

    Args:
        algorithm: The run.
        collector: What it collects with.
        random_before: Random state before the base planned along the demonstrations.
    """
    log_dir, learner, inputs = algorithm.log_dir, algorithm.learner, algorithm.inputs
    replay = None if log_dir is None else save_replay(collector.buffer, log_dir, algorithm.env_steps)
    return {
        "model": learner.modules.state_dict(),
        "encoder": algorithm.observe.state_dict(),
        "optimizers": {name: optimizer.state_dict() for name, optimizer in learner.optimizers.items()},
        "constants": learner.constants(),
        "counters": {
            "iteration": algorithm.iteration, "env_steps": algorithm.env_steps, "updates": algorithm.num_updates,
        },
        "running": {
            "collector": collector.state_dict(),
            "num_skipped": algorithm.num_skipped,
            "skipped_in_a_row": algorithm.skipped_in_a_row,
            "seconds": algorithm.report.seconds,
            "environment": algorithm.env.state_dict() if algorithm.restores_environment else None,
            "before": random_before,
            "random": random_state(algorithm.device),
        },
        "meta": {
            "task": algorithm.task,
            "learner": algorithm.learner_name,
            "settings": algorithm.settings,
            "agent": algorithm.agent_settings,
            "problem": describe_problem(algorithm.problem),
            "obs_groups": algorithm.observe.groups,
            "group_sizes": algorithm.observe.group_sizes,
            "replan_interval": inputs.replan_interval,
            "base": inputs.base_path,
            "demonstrations": inputs.demonstrations_path,
            "fingerprint": inputs.fingerprint,
            "replay": replay,
            "ranks": algorithm.ranks.size,
        },
    }  # fmt: skip


def load_run(
    algorithm: OffPolicyAlgorithm, rate: LearningRate, content: dict[str, Any], with_optimizers: bool, strict: bool
) -> None:
    """Take up what has been learned, the counters, and the base and demonstrations where the run was told none.

    Raises:
        InputError: The checkpoint is of another task or other sizes, or cannot be read.
    """
    learner, inputs = algorithm.learner, algorithm.inputs
    check_fits(content["meta"], algorithm.task, algorithm.problem)
    with reading("checkpoint", "train it again"):
        learner.modules.load_state_dict(content["model"], strict=strict)
        if with_optimizers:
            rate.load_optimizers(content["optimizers"])
        learner.load_constants(content["constants"])
        algorithm.observe.load_state_dict(content.get("encoder"))
    counters, meta = content["counters"], content["meta"]
    algorithm.iteration, algorithm.env_steps = counters["iteration"], counters["env_steps"]
    algorithm.num_updates = counters["updates"]
    if inputs.engine is None and meta["base"] is not None and learner.uses_base:
        inputs.open_base(meta["base"])
        algorithm.policy.engine = inputs.engine
    inputs.demonstrations_path = inputs.demonstrations_path or meta["demonstrations"]


def go_on(algorithm: OffPolicyAlgorithm, collector: Collector, content: dict[str, Any]) -> None:
    """Restore everything that changes during a run, random numbers last: nothing may draw any after that."""
    with algorithm.ranks.together():
        part = parts.read_part(content, algorithm.ranks, algorithm.device)
        episodes_go_on = algorithm.restores_environment and part.is_own
        part.restore(collector, episodes_go_on)
    running = part.running
    algorithm.num_skipped.copy_(running["num_skipped"])
    algorithm.skipped_in_a_row.copy_(running["skipped_in_a_row"])
    algorithm.report.carry_over(Path(content["meta"]["replay"]).parent, algorithm.iteration, running["seconds"])
    if episodes_go_on:
        algorithm.env.load_state_dict(running["environment"])
    if part.is_own:
        restore_random_state(running["random"], algorithm.device)
