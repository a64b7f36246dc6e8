# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""How pi-0.5 is trained."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from cohoff.errors import InputError


@dataclass(frozen=True)
class Pi05TrainingCfg:
    """Settings of a training run; learning rate, schedule, AdamW and average are those of openpi and lerobot."""

    seed: int = 0
    """Seed of adapters, batches, flow times, noise and augmentation."""

    scope: Literal["everything", "expert", "lora"] = "everything"
    """What is trained; see :func:`~cohoff.policies.pi05.finetuning.scope.make_scope`."""

    lora_rank: int = 16
    """Rank of the adapters of the prefix, in the scope ``lora``."""

    lora_expert_rank: int = 32
    """Rank of the adapters of the action expert, in the scope ``lora``."""

    steps: int = 30_000
    """Number of optimizer steps."""

    batch_size: int = 32
    """Frames per optimizer step, over all processes and micro-batches."""

    micro_batch: int = 32
    """Frames that one process computes at once; gradients are summed over as many as the batch takes."""

    flow_times: int = 1
    """Flow times at which the velocity of each frame is learned; its images and prompt are encoded once for all."""

    learning_rate: float = 2.5e-5
    """Peak learning rate; it rises linearly over the warm-up and falls along a cosine to a tenth."""

    warmup_share: float = 1.0 / 30.0
    """Share of the steps over which the learning rate rises."""

    weight_decay: float = 0.01
    """Decoupled weight decay (AdamW)."""

    max_grad_norm: float = 1.0
    """Largest norm of the gradient; longer ones are scaled down."""

    ema_decay: float = 0.99
    """Decay per step of the averaged weights, which are the result; the average starts shorter. 0 keeps the last."""

    dtype: Literal["float32", "bfloat16"] = "bfloat16"
    """Precision that the network computes in; trained weights are float32 all the same."""

    gradient_checkpointing: bool = True
    """Whether layers compute their intermediates again for the gradient instead of keeping them."""

    augment: bool = True
    """Whether images are cropped, rotated and recolored at random."""

    report_every: int = 10
    """Steps between two progress reports; each reads the loss back from the device."""

    save_every: int = 500
    """Steps between two saves of the run's state."""

    def __post_init__(self) -> None:
        names = ("steps", "batch_size", "micro_batch", "flow_times", "report_every", "save_every")
        for name in names:
            if getattr(self, name) < 1:
                raise InputError(f"pi-0.5 training {name} is {getattr(self, name)}; it must be at least 1")
        if not self.learning_rate > 0.0:
            raise InputError(f"pi-0.5 training learning_rate is {self.learning_rate}; it must be positive")
        if not 0.0 <= self.ema_decay < 1.0:
            raise InputError(f"pi-0.5 training ema_decay is {self.ema_decay}; it must lie between 0 and 1")

    def parts(self, processes: int) -> int:
        """Return the number of micro-batches of each of the ``processes`` in a step.

        Raises:
            InputError: The batch cannot be divided among them.
        """
        share = processes * self.micro_batch
        if self.batch_size % share:
            raise InputError(
                f"the batch size is {self.batch_size}; it must be a multiple of {processes} x {self.micro_batch}, "
                "processes times micro-batch"
            )
        return self.batch_size // share

    def learning_rate_at(self, step: int) -> float:
        """Return the learning rate of ``step``, counted from 0."""
        warmup = max(1.0, self.warmup_share * self.steps)
        if step < warmup:
            return self.learning_rate * (step + 1) / (warmup + 1.0)
        progress = (step - warmup) / max(1.0, self.steps - warmup)
        return self.learning_rate * (0.1 + 0.45 * (1.0 + math.cos(math.pi * progress)))
