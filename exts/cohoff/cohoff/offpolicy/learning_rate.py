# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The learning rate that all optimizers of a learner share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch.optim import Optimizer


class LearningRate:
    """A learning rate that changes linearly over a run.

    It is one tensor on the learner's device, which the optimizers read at every step: a captured update follows it.
    """

    def __init__(self, optimizers: Mapping[str, Optimizer], first: float, final: float, device: torch.device):
        self._optimizers, self._first, self._final = optimizers, first, final
        self._rate = torch.tensor(first, device=device)
        self._attach()

    def set(self, share: float) -> float:
        """Set the rate for the ``share`` of the run that is over, 0 to 1; return it."""
        rate = self._first + share * (self._final - self._first)
        self._rate.fill_(rate)
        return rate

    def load_optimizers(self, states: Mapping[str, dict[str, Any]]) -> None:
        """Take up what the optimizers have gathered; their settings stay those of this run and device."""
        for name, optimizer in self._optimizers.items():
            groups = [
                {**group, "params": saved["params"]}
                for group, saved in zip(optimizer.param_groups, states[name]["param_groups"], strict=True)
            ]
            optimizer.load_state_dict({"state": states[name]["state"], "param_groups": groups})
        self._attach()

    def _attach(self) -> None:
        for optimizer in self._optimizers.values():
            for group in optimizer.param_groups:
                group["lr"] = self._rate
