# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The result of a pipeline in one dictionary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from cohoff.experiments.pipeline_cfg import PipelineCfg
from cohoff.provenance import command_line, git_revision


def summarize(
    cfg: PipelineCfg,
    results: Mapping[str, Mapping[str, Any]],
    seconds: Mapping[str, float],
) -> dict[str, Any]:
    """Success rates, learning curve, times and origin, as JSON values.

    Args:
        cfg: What was run.
        results: Results of ``cohoff evaluate`` by name: base, bc where there is a clone, <agent>_step0, <agent>_final
            and others of the agent.
        seconds: Wall time of the stages [s], with ``online``.
    """
    of_agent = {name: result for name, result in results.items() if name.startswith(f"{cfg.agent}_")}
    start, final = of_agent.pop(f"{cfg.agent}_step0"), of_agent[f"{cfg.agent}_final"]
    counts = final["training"]
    trained = sorted(of_agent.values(), key=lambda result: result["training"]["env_steps"])
    return {
        "task": cfg.task,
        "device": cfg.device,
        "base": success_of(results["base"]),
        "bc": success_of(results["bc"]) if "bc" in results else None,
        cfg.agent: {
            "step0": success_of(start),
            "final": success_of(final),
            "min_during_training": min(result["success"] for result in trained),
            "env_steps": counts["env_steps"],
            "updates": counts["updates"],
            "curve": [
                {"env_steps": 0, **success_of(start)},
                *({"env_steps": result["training"]["env_steps"], **success_of(result)} for result in trained),
            ],
        },
        "seconds": {name: round(value, 1) for name, value in seconds.items()},
        "throughput": {
            "env_steps_per_second": round(counts["env_steps"] / seconds["online"], 1),
            "updates_per_second": round(counts["updates"] / seconds["online"], 1),
        },
        "settings": asdict(cfg),
        "git_revision": git_revision(),
        "command": command_line(),
    }


def success_of(result: Mapping[str, Any]) -> dict[str, Any]:
    """Success rate, its interval, the number of episodes of a result and their outcomes."""
    return {key: result[key] for key in ("success", "low", "high", "episodes", "outcomes")}
