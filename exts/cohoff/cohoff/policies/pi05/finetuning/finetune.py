# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Fine-tuning from start to checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from cohoff.errors import InputError
from cohoff.policies.flow.training import Episodes
from cohoff.policies.pi05.checkpoint_folder import Recipe
from cohoff.policies.pi05.finetuning.batches import Batches, Frames
from cohoff.policies.pi05.finetuning.cfg import Pi05TrainingCfg
from cohoff.policies.pi05.finetuning.export import merged, write_folder
from cohoff.policies.pi05.finetuning.loop import Report, train
from cohoff.policies.pi05.finetuning.network import TrainableNetwork
from cohoff.policies.pi05.finetuning.optimizer import MasterOptimizer
from cohoff.policies.pi05.finetuning.processes import place
from cohoff.policies.pi05.finetuning.run_state import FILE, identify, load_state, save_state
from cohoff.policies.pi05.finetuning.scope import make_scope
from cohoff.policies.pi05.finetuning.start import MAX_TOKENS, Start
from cohoff.policies.pi05.finetuning.statistics import Statistics, normalizers
from cohoff.policies.pi05.finetuning.training_memory import check_training_memory
from cohoff.policies.pi05.inputs import Pi05Inputs
from cohoff.policies.pi05.prompt import Tokenizer
from cohoff.policies.pi05.spec import Pi05Shapes
from cohoff.policies.pi05.tensor_names import resolve


class FineTuning:
    """One run: from demonstrations and a start to a checkpoint in a folder."""

    def __init__(
        self,
        start: Start,
        demos: Episodes,
        frames: Frames,
        statistics: Statistics,
        cfg: Pi05TrainingCfg,
        folder: Path,
        origin: Mapping[str, Any],
        device: torch.device,
    ) -> None:
        """Check inputs and memory, read the weights, and go on with the run in ``folder`` if there is one.

        Args:
            start: Weights and settings to start from.
            demos: Demonstrations, on the CPU.
            frames: Reads their observations: images, state and, of several, the instruction.
            statistics: Normalization of state and action.
            cfg: Settings.
            folder: Of the result; the state of the run is in it while it lasts.
            origin: Data and weights, JSON values; a run goes on only if they are the same.
            device: Device to train on.

        Raises:
            InputError: Demonstrations, settings, checkpoint or the run in ``folder`` do not fit, or memory is small.
        """
        cfg.parts(place()[1])
        scope = make_scope(cfg.scope, cfg.lora_rank, cfg.lora_expert_rank)
        self.start = start
        self.cfg = cfg
        self.folder = folder
        self.statistics = statistics
        state, action = normalizers(statistics)
        if action.size > start.spec.action_dim:
            raise InputError(
                f"the demonstrations have {action.size} actions, the checkpoint's network {start.spec.action_dim}"
            )
        recipe = Recipe(len(start.cfg.cameras), state, action, discrete_state=True, max_tokens=MAX_TOKENS)
        tokenizer = Tokenizer(start.tokenizer, start.spec.vocab)
        inputs = Pi05Inputs(recipe, start.cfg, tokenizer, start.spec.image, device)
        self.batches = Batches(demos, frames, inputs, action, start.spec, cfg)
        shapes = Pi05Shapes(cfg.micro_batch, len(start.cfg.cameras), inputs.tokens)
        resolve(start.source.shapes, start.spec, start.source.origin)
        check_training_memory(start.spec, shapes, scope, cfg, device)
        self.network = TrainableNetwork(
            start.source, start.spec, scope, device, getattr(torch, cfg.dtype), cfg.gradient_checkpointing, cfg.seed
        )
        self.optimizer = MasterOptimizer(self.network.weights.leaves, cfg)
        self.identity = identify(cfg, dict(origin))
        self.taken = load_state(folder, self.optimizer, self.identity)
        """Number of steps taken so far."""

    def run(
        self, progress: Callable[[Report], None] | None = None, after_step: Callable[[int], None] | None = None
    ) -> float:
        """Train to the end and return the last loss; the functions are called as in ``train`` of ``loop``."""

        def advance(taken: int) -> None:
            self.taken = taken
            if after_step is not None:
                after_step(taken)

        cfg = self.cfg
        return train(self.network, self.optimizer, self.batches, cfg, self.taken, progress, advance)

    def save(self) -> None:
        """Write the state of the run."""
        save_state(self.folder, self.optimizer, self.taken, self.identity)

    def finish(self, origin: Mapping[str, Any]) -> None:
        """Write the checkpoint, with its ``origin`` in words, and remove the state of the run."""
        start, weights = self.start, self.network.weights
        write_folder(
            self.folder,
            merged(weights, self.optimizer.result, start.source, start.spec),
            start.spec,
            start.cfg,
            self.statistics,
            start.tokenizer,
            MAX_TOKENS,
            self.network.dtype,
            {"training": asdict(self.cfg), **origin},
        )
        (self.folder / FILE).unlink(missing_ok=True)
