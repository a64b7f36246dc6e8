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

    It is a tensor on the learner's device for each optimizer, which it reads at every step: a captured update follows
    it.

    Args:
        optimizers: Optimizers by name.
        first: Rate at the start.
        final: Rate at the end.
        device: Where the tensors live.
        shares: What part of the rate some of the optimizers use, by name.
    """

    def __init__(
        self,
        optimizers: Mapping[str, Optimizer],
        first: float,
        final: float,
        device: torch.device,
        shares: Mapping[str, float],
    ):
        self._optimizers, self._first, self._final = optimizers, first, final
        self._shares = {name: shares.get(name, 1.0) for name in optimizers}
        self._rates = {name: torch.tensor(first * share, device=device) for name, share in self._shares.items()}
        self._attach()

    def set(self, share: float) -> float:
        """Set the rate for the ``share`` of the run that is over, 0 to 1; return it."""
        rate = self._first + share * (self._final - self._first)
        for name, share in self._shares.items():
            self._rates[name].fill_(rate * share)
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
        for name, optimizer in self._optimizers.items():
            for group in optimizer.param_groups:
                group["lr"] = self._rates[name]
