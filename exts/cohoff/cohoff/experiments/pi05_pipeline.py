# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The pipeline from pictures: a small pi-0.5 from random weights as the base policy, and an encoder for the agent."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cohoff.experiments.agent_kinds import OffPolicyAgent
from cohoff.experiments.pipeline import Pipeline
from cohoff.experiments.pipeline_cfg import PipelineCfg
from cohoff.experiments.workflow import Stage, Workflow

TRAINING: dict[str, Any] = {
    "size": "demo",
    "state": "robot",
    "batch_size": 64,
    "micro_batch": 64,
    "flow_times": 4,
    "learning_rate": 1e-3,
    "ema_decay": 0.995,
}
"""Options of ``cohoff pretrain`` for a pi-0.5 of random weights."""

STATE_COLUMNS = (0, 1, 2, 3, 4, 9, 11)
"""Of the group ``robot`` in the prompt: the tool's position, its heading, gripper opening and command."""


@dataclass(frozen=True)
class Pi05PipelineCfg(PipelineCfg):
    """What such a pipeline runs."""

    instruction: str = ""
    """The task in words."""
    training: dict[str, Any] = field(default_factory=lambda: dict(TRAINING))
    """Options of ``cohoff pretrain --base pi05``; ``pretrain_steps`` are its steps."""
    encoder_steps: int | None = None
    """Optimizer steps of the flow policy whose encoder the agent reads; None takes the default of ``pretrain``."""


PI05_DEMO: dict[str, Any] = {"num_demonstrations": 100, "pretrain_steps": 3_000}
"""Fields of the pipeline that ``make demo-pi05`` runs, besides the defaults."""


class EncoderAgent(OffPolicyAgent):
    """An agent that sees through an encoder of its own, not the base policy's."""

    def __init__(self, encoder: Path) -> None:
        self.encoder = encoder

    def inputs(self, demonstrations: Path, corrections: Path, base: Path) -> list[str]:
        """Settings of the algorithm."""
        return [
            *super().inputs(demonstrations, corrections, base),
            f"agent.algorithm.encoder={self.encoder.absolute()}",
        ]


class Pi05Pipeline(Pipeline):
    """Trains pi-0.5 and a flow policy on the same demonstrations; the latter gives the agent its encoder.

    Args:
        cfg: What to run.
        tokenizer: SentencePiece model of pi-0.5.
        output: Folder for everything.
        flow: Runs the stages.
    """

    def __init__(self, cfg: Pi05PipelineCfg, tokenizer: Path, output: Path, flow: Workflow) -> None:
        self.encoder = output / "encoder.safetensors"
        super().__init__(cfg, EncoderAgent(self.encoder), output, flow)
        self.pi05 = cfg
        self.tokenizer = tokenizer
        self.base = output / "pi05"

    def pretrain(self) -> float:
        """Train the encoder and pi-0.5; return the seconds it took."""
        cfg = self.pi05
        common = {"demos": self.demos, "seed": cfg.seed}
        encoder = self.program("pretrain", **common, steps=cfg.encoder_steps, output=self.encoder)
        stages = [Stage("encoder", "encoder", encoder, [self.encoder], all_cores=True)]
        self.flow.wait(self.flow.submit(stages[0]))
        if not self.flow.resumes:
            # pretrain does not write over a checkpoint, and would go on with a run on other demonstrations.
            shutil.rmtree(self.base, ignore_errors=True)
        words = {"base": "pi05", "tokenizer": self.tokenizer, "instruction": cfg.instruction, **cfg.training}
        command = self.program("pretrain", **common, steps=cfg.pretrain_steps, output=self.base, **words)
        command += ["--state_columns", *map(str, STATE_COLUMNS), "--no_augmentation", "--no_gradient_checkpointing"]
        stages.append(self.flow.submit(Stage("pretrain", "pi-0.5", command, [self.base], all_cores=True)))
        self.flow.wait(stages[-1])
        return sum(stage.seconds for stage in stages)
