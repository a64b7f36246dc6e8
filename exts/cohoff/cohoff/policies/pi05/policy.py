# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""pi-0.5 as a chunk policy: from camera images, state and instruction to actions."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import torch
from tensordict import TensorDict
from torch import Tensor

from cohoff.errors import InputError
from cohoff.policies.pi05.batches import MicroBatches
from cohoff.policies.pi05.checkpoint_folder import Recipe, locate, read_recipe, read_spec
from cohoff.policies.pi05.network import Pi05
from cohoff.policies.pi05.policy_cfg import Pi05PolicyCfg, read_cfg
from cohoff.policies.pi05.preprocess import digitize, prepare_images
from cohoff.policies.pi05.prompt import Prompts, Tokenizer
from cohoff.policies.pi05.spec import Pi05Spec

IMAGES, INSTRUCTION = "images", "instruction"
"""Observations with the camera images [N, H, W, 3] by name, and with the index of each environment's instruction."""


class Pi05Policy:
    """Frozen :class:`~cohoff.policies.base.ChunkPolicy` on a device that may differ from the simulation's."""

    def __init__(self, model: Pi05, recipe: Recipe, cfg: Pi05PolicyCfg, tokenizer: Tokenizer) -> None:
        """Tokenize the instructions and allocate memory for a micro-batch.

        Raises:
            InputError: Cameras, prompt or precision do not fit the checkpoint, or memory is too small.
        """
        if len(cfg.cameras) > recipe.cameras:
            raise InputError(f"cameras are {', '.join(cfg.cameras)}, but the checkpoint has {recipe.cameras}")
        if recipe.action.size > model.spec.action_dim:
            raise InputError(f"the checkpoint has {recipe.action.size} actions, its network {model.spec.action_dim}")
        self.model = model
        self.cfg = cfg
        self.device = model.device
        self.horizon = model.spec.chunk
        self.action_dim = recipe.action.size
        self.noise_dim = model.spec.chunk * model.spec.action_dim
        self._state = recipe.state.to(self.device)
        self._action = recipe.action.to(self.device)
        self._discrete = recipe.discrete_state if cfg.discrete_state is None else cfg.discrete_state
        self._columns = None if cfg.state_columns is None else torch.tensor(cfg.state_columns, device=self.device)
        state_dim = recipe.state.size if self._discrete else 0
        self.observations = tuple(f"{IMAGES}/{name}" for name in cfg.cameras)
        self.observations += (cfg.state,) * self._discrete + (INSTRUCTION,) * (len(cfg.instructions) > 1)
        self._prompts = Prompts(tokenizer, cfg.instructions, state_dim, recipe.max_tokens, self.device)
        self._network = MicroBatches(model, len(cfg.cameras), self._prompts.length, cfg.micro_batch, cfg.mode)

    @torch.no_grad()
    def plan(self, obs: TensorDict | Mapping[str, Any], noise: Tensor | None = None) -> Tensor:
        """Return chunks of actions in [-1, 1] for B environments, shape [B, H, A], on the policy's device.

        Args:
            obs: ``images`` with one entry [B, H, W, 3] per camera, uint8 or floating-point in [0, 1]; the state
                [B, D] if the prompt contains it; ``instruction`` [B] if there are several.
            noise: Standard normal noise, shape [B, noise_dim]. None draws it from torch's global random state.

        Raises:
            InputError: An observation is missing, has a wrong shape or type, or is out of range (on a GPU raised by
                the next call).
        """
        side = self.model.spec.image
        images = [prepare_images(self._entry(obs, f"{IMAGES}/{name}"), side) for name in self.cfg.cameras]
        stacked = torch.stack(images, 1)
        batch, cameras = stacked.shape[:2]
        tokens, token_mask = self._prompts(self._instructions(obs, batch), self._bins(obs, batch))
        if noise is None:
            noise = torch.randn(batch, self.noise_dim, device=self.device)
        chunk = self._network(
            stacked,
            torch.ones(batch, cameras, dtype=torch.bool, device=self.device),
            tokens,
            token_mask,
            noise.to(self.device).view(batch, self.horizon, -1),
        )
        return self._action.inverse(chunk[..., : self.action_dim]).clamp(-1.0, 1.0)

    def _entry(self, obs: TensorDict | Mapping[str, Any], name: str) -> Tensor:
        """Return an observation, ``group`` or ``group/entry``, on the policy's device."""
        value: Any = obs
        for key in name.split("/"):
            if key not in value.keys():  # noqa: SIM118
                there = ", ".join(sorted(map(str, value.keys()))) or "nothing"
                raise InputError(
                    f"pi-0.5 needs the observation {name!r}, but there is {there}; use a task with cameras"
                )
            value = value[key]
        return value.to(self.device)

    def _bins(self, obs: TensorDict | Mapping[str, Any], batch: int) -> Tensor | None:
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
        self.model.guard.reject(~state.isfinite().all(), f"the state {self.cfg.state!r} is not finite")
        return digitize(self._state.forward(state.float()))

    def _instructions(self, obs: TensorDict | Mapping[str, Any], batch: int) -> Tensor:
        count = len(self.cfg.instructions)
        if count == 1:
            return torch.zeros(batch, dtype=torch.long, device=self.device)
        which = self._entry(obs, INSTRUCTION).long().view(batch)
        outside = ((which < 0) | (which >= count)).any()
        self.model.guard.reject(
            outside, f"the observation {INSTRUCTION!r} has rows outside of the {count} instructions"
        )
        return which.clamp(0, count - 1)


def load_pi05(
    path_or_hub_id: str | os.PathLike[str], task: str | None = None, device: torch.device | str = "cpu"
) -> Pi05Policy:
    """Open the checkpoint at ``path_or_hub_id`` as a policy, with the settings in its ``cohoff.json``.

    Args:
        path_or_hub_id: Folder, or the name of a repository on the Hugging Face hub.
        task: Ignored; a pi-0.5 checkpoint does not name a task.
        device: Device of the policy and of its plans.

    Raises:
        InputError: Weights, settings, statistics or tokenizer are missing or unusable.
    """
    folder, device = locate(path_or_hub_id), torch.device(device)
    # Small files first, so that an error is found before the weights are read.
    cfg, recipe = read_cfg(folder), read_recipe(folder)
    try:
        spec = read_spec(folder) if cfg.spec is None else Pi05Spec(**cfg.spec)
    except TypeError as error:
        raise InputError(f"spec in the settings of {str(folder)!r} is unusable: {error}") from error
    tokenizer = Tokenizer(folder / cfg.tokenizer, spec.vocab)
    dtype = cfg.dtype or ("bfloat16" if device.type == "cuda" else "float32")
    model = Pi05.from_pretrained(folder, device, getattr(torch, dtype), spec)
    return Pi05Policy(model, recipe, cfg, tokenizer)
