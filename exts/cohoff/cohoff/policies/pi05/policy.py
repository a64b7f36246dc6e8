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
from cohoff.policies.pi05.inputs import Pi05Inputs
from cohoff.policies.pi05.network import Pi05
from cohoff.policies.pi05.policy_cfg import Pi05PolicyCfg, read_cfg
from cohoff.policies.pi05.prompt import Tokenizer
from cohoff.policies.pi05.spec import Pi05Spec


class Pi05Policy:
    """Frozen :class:`~cohoff.policies.base.ChunkPolicy` on a device that may differ from the simulation's."""

    def __init__(self, model: Pi05, recipe: Recipe, cfg: Pi05PolicyCfg, tokenizer: Tokenizer) -> None:
        """Tokenize the instructions and allocate memory for a micro-batch.

        Raises:
            InputError: Cameras, prompt or precision do not fit the checkpoint, or memory is too small.
        """
        if recipe.action.size > model.spec.action_dim:
            raise InputError(f"the checkpoint has {recipe.action.size} actions, its network {model.spec.action_dim}")
        self.model = model
        self.cfg = cfg
        self.device = model.device
        self.horizon = model.spec.chunk
        self.action_dim = recipe.action.size
        self.noise_dim = model.spec.chunk * model.spec.action_dim
        self._action = recipe.action.to(self.device)
        self._inputs = Pi05Inputs(recipe, cfg, tokenizer, model.spec.image, self.device)
        self.observations = self._inputs.observations
        self._network = MicroBatches(model, len(cfg.cameras), self._inputs.tokens, cfg.micro_batch, cfg.mode)

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
        images = self._inputs.images(obs)
        batch, cameras = images.shape[:2]
        tokens, token_mask = self._inputs.prompts(obs, batch)
        if noise is None:
            noise = torch.randn(batch, self.noise_dim, device=self.device)
        chunk = self._network(
            images,
            torch.ones(batch, cameras, dtype=torch.bool, device=self.device),
            tokens,
            token_mask,
            noise.to(self.device).view(batch, self.horizon, -1),
        )
        return self._action.inverse(chunk[..., : self.action_dim]).clamp(-1.0, 1.0)


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
