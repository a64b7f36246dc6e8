# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""From observations of an environment, or of demonstrations, to the network's images and prompts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from tensordict import TensorDict
from torch import Tensor

from cohoff.errors import InputError
from cohoff.policies.pi05.checkpoint_folder import Recipe
from cohoff.policies.pi05.guard import InputGuard
from cohoff.policies.pi05.policy_cfg import Pi05PolicyCfg
from cohoff.policies.pi05.preprocess import digitize, prepare_images
from cohoff.policies.pi05.prompt import Prompts, Tokenizer

IMAGES, INSTRUCTION = "images", "instruction"
"""Observations with the camera images [N, H, W, 3] by name, and with the index of each environment's instruction."""

Observations = TensorDict | Mapping[str, Any]


class Pi05Inputs:
    """Prepares observations as a checkpoint expects them, on a device."""

    def __init__(
        self, recipe: Recipe, cfg: Pi05PolicyCfg, tokenizer: Tokenizer, side: int, device: torch.device
    ) -> None:
        """Tokenize the instructions.

        Args:
            recipe: What the checkpoint expects.
            cfg: What the environment shows.
            tokenizer: SentencePiece model.
            side: Height and width of the network's images [pixel].
            device: Device of the results.

        Raises:
            InputError: Cameras or prompt do not fit the checkpoint.
        """
        if len(cfg.cameras) > recipe.cameras:
            raise InputError(f"cameras are {', '.join(cfg.cameras)}, but the checkpoint has {recipe.cameras}")
        self.cfg = cfg
        self.device = device
        self.side = side
        self.guard = InputGuard(device)
        self._state = recipe.state.to(device)
        self._discrete = recipe.discrete_state if cfg.discrete_state is None else cfg.discrete_state
        self._columns = None if cfg.state_columns is None else torch.tensor(cfg.state_columns, device=device)
        state_dim = recipe.state.size if self._discrete else 0
        self._prompts = Prompts(tokenizer, cfg.instructions, state_dim, recipe.max_tokens, device)
        self.tokens = self._prompts.length
        """Length L of the padded prompts."""
        self.observations = tuple(f"{IMAGES}/{name}" for name in cfg.cameras)
        """Names of the observations that are read, each a group or an entry, ``group/entry``."""
        self.observations += (cfg.state,) * self._discrete + (INSTRUCTION,) * (len(cfg.instructions) > 1)

    def images(self, obs: Observations) -> Tensor:
        """Return the images of all cameras, float32 in [-1, 1], shape [B, C, 3, side, side]."""
        images = [prepare_images(self._entry(obs, f"{IMAGES}/{name}"), self.side) for name in self.cfg.cameras]
        return torch.stack(images, 1)

    def prompts(self, obs: Observations, batch: int) -> tuple[Tensor, Tensor]:
        """Return tokens, int64, and whether each exists, bool, both [B, L]."""
        return self._prompts(self._instructions(obs, batch), self._bins(obs, batch))

    def _entry(self, obs: Observations, name: str) -> Tensor:
        """Return an observation, ``group`` or ``group/entry``, on the device."""
        value: Any = obs
        for key in name.split("/"):
            if key not in value.keys():  # noqa: SIM118
                there = ", ".join(sorted(map(str, value.keys()))) or "nothing"
                raise InputError(
                    f"pi-0.5 needs the observation {name!r}, but there is {there}; use a task with cameras"
                )
            value = value[key]
        return value.to(self.device)

    def _bins(self, obs: Observations, batch: int) -> Tensor | None:
        if not self._discrete:
            return None
        state = self._entry(obs, self.cfg.state)
        if self._columns is not None:
            state = state[:, self._columns]
        if state.shape != (batch, self._state.size):
            raise InputError(
                f"the state {self.cfg.state!r} has shape {tuple(state.shape)}, "
                f"the checkpoint's ({batch}, {self._state.size}); set state and state_columns"
            )
        self.guard.reject(~state.isfinite().all(), f"the state {self.cfg.state!r} is not finite")
        return digitize(self._state.forward(state.float()))

    def _instructions(self, obs: Observations, batch: int) -> Tensor:
        count = len(self.cfg.instructions)
        if count == 1:
            return torch.zeros(batch, dtype=torch.long, device=self.device)
        which = self._entry(obs, INSTRUCTION).long().view(batch)
        outside = ((which < 0) | (which >= count)).any()
        self.guard.reject(outside, f"the observation {INSTRUCTION!r} has rows outside of the {count} instructions")
        return which.clamp(0, count - 1)
