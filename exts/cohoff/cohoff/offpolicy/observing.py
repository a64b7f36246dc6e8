# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Observations of actor and critic from the environment's observation groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import torch
from tensordict import TensorDict
from torch import Tensor

from cohoff.data.demonstrations import Demonstrations
from cohoff.data.stored import stored_pictures
from cohoff.errors import InputError
from cohoff.networks.encoders import IMAGES, VISION, EncoderSpec, PictureEncoder


class Observer:
    """Concatenates the groups that actor and critic read.

    The group ``vision`` is made here: features of the pictures, by an encoder that is frozen. Its weights come from a
    checkpoint or from a base policy.

    Args:
        groups: Group names under ``actor`` and ``critic``; only the actor's are read without the latter.
        obs: Example of the environment's observations.
        device: Where the encoder lives.

    Raises:
        InputError: A group is not there, or is not one vector per environment.
    """

    def __init__(self, groups: dict[str, list[str]], obs: TensorDict, device: torch.device | str = "cpu"):
        self.groups = {role: list(groups.get(role, groups["actor"])) for role in ("actor", "critic")}
        self.group_sizes: dict[str, int] = {}
        """Size of each group that is read and not made here, as a demonstration must have it."""
        self.encoder: PictureEncoder | None = None
        """Makes the group ``vision``; None where nothing reads it."""
        if any(VISION in names for names in self.groups.values()):
            self.encoder = PictureEncoder(_encoder_spec(obs)).to(device).eval().requires_grad_(False)
        for role, names in self.groups.items():
            for name in names:
                if name == VISION:
                    continue
                value = obs.get(name, None)
                if not isinstance(value, Tensor) or value.ndim != 2:
                    available = ", ".join(str(key) for key in obs.keys())  # noqa: SIM118
                    raise InputError(
                        f"agent.obs_groups.{role} names {name!r}, which is no vector of this task; it has: {available}"
                    )
                self.group_sizes[name] = value.shape[1]
        self.sizes = {role: sum(self.size(name) for name in names) for role, names in self.groups.items()}
        """Size of the observation of ``actor`` and of ``critic``."""

    def __call__(self, obs: Mapping[str, Any] | TensorDict) -> dict[str, Tensor]:
        """``actor`` [B, D] and, where it reads other groups, ``critic`` [B, C] of observation groups.

        Pictures are encoded unless the group ``vision`` is there.
        """
        roles = ("actor",) if self.groups["actor"] == self.groups["critic"] else ("actor", "critic")
        if self.encoder is not None and VISION not in obs.keys():  # noqa: SIM118
            obs = {**{name: obs[name] for name in self.group_sizes}, VISION: self.encode(obs[IMAGES])}
        return {role: self._join(obs, role) for role in roles}

    @torch.no_grad()
    def encode(self, pictures: Mapping[str, Tensor] | TensorDict) -> Tensor:
        """Features [B, F] of pictures, uint8 [B, H, W, 3] for each camera.

        Raises:
            InputError: A camera is missing, or its pictures have another size than the encoder's.
        """
        assert self.encoder is not None
        device = next(self.encoder.parameters()).device
        return self.encoder({name: pictures[name].to(device) for name in self.encoder.spec.cameras})

    def state_dict(self) -> dict[str, Any] | None:
        """Sizes and weights of the encoder, for a checkpoint; None without one."""
        return self.encoder and {"spec": asdict(self.encoder.spec), "weights": self.encoder.state_dict()}

    def load_state_dict(self, state: dict[str, Any] | None) -> None:
        """Take up what :meth:`state_dict` returned.

        Raises:
            InputError: As :meth:`load_encoder`, or there is none.
        """
        if self.encoder is None:
            return
        if state is None:
            raise InputError(f"the checkpoint has no encoder for the group {VISION!r}; train it again")
        self.load_encoder(EncoderSpec(**state["spec"]), state["weights"], "the checkpoint")

    def load_encoder(self, spec: EncoderSpec, weights: Mapping[str, Tensor], source: str) -> None:
        """Take up the weights of an encoder of sizes ``spec`` from ``source``, which messages name.

        Raises:
            InputError: It reads other pictures than the task has.
        """
        assert self.encoder is not None
        if (own := self.encoder.spec) != spec:
            raise InputError(
                f"the encoder of {source} reads {_describe(spec)}, the task has {_describe(own)}; use the presets that "
                "it was trained with, or train it again"
            )
        self.encoder.load_state_dict(weights)

    def see_step(self, obs: TensorDict, done: Tensor, extras: dict[str, Any]) -> tuple[TensorDict, dict[str, Any]]:
        """Add the group ``vision`` to what a step returned, so that its pictures are encoded once.

        Args:
            obs: Observations after the step and after any reset, [N].
            done: Environments whose episode ended, [N] bool.
            extras: ``num_resets``, and ``final_obs`` if there were resets, of which only the ended rows are encoded.
        """
        if self.encoder is None:
            return obs, extras
        features = self.encode(obs[IMAGES])
        obs = obs.copy()
        obs[VISION] = features
        if (count := extras["num_resets"]) == 0:
            return obs, extras
        final_obs = extras["final_obs"]
        rows = done.long().argsort(descending=True, stable=True)[:count]
        ended = self.encode({name: value[rows.to(value.device)] for name, value in final_obs[IMAGES].items()})
        final = features.index_copy(0, rows, ended)
        return obs, {**extras, "final_obs": {**final_obs, VISION: final}}

    def see_demonstrations(self, demonstrations: Demonstrations) -> Demonstrations:
        """Demonstrations with the group ``vision``, encoded one after the other.

        The picture after an action is the one before the next. None was taken after the last action; the one before it
        stands in, for a state that no value follows from, as the episode has ended.

        Raises:
            InputError: There are no pictures, or they have another size than the encoder's.
        """
        if self.encoder is None:
            return demonstrations
        with stored_pictures(demonstrations, IMAGES, list(self.encoder.spec.cameras)) as read:
            episodes = [self.encode(read(episode)) for episode in range(demonstrations.num_episodes)]
        following = [torch.cat([features[1:], features[-1:]]) for features in episodes]
        return replace(
            demonstrations,
            observations={**demonstrations.observations, VISION: torch.cat(episodes)},
            next_observations={**demonstrations.next_observations, VISION: torch.cat(following)},
        )

    def size(self, name: str) -> int:
        """Size of a group that is read."""
        return self.encoder.spec.num_features if self.encoder and name == VISION else self.group_sizes[name]

    def _join(self, obs: Mapping[str, Tensor] | TensorDict, role: str) -> Tensor:
        values = [obs[name] for name in self.groups[role]]
        return values[0] if len(values) == 1 else torch.cat(values, dim=-1)


def _describe(spec: EncoderSpec) -> str:
    """The pictures of an encoder in words."""
    return ", ".join(f"{name} {height} x {width}" for name, (height, width) in spec.cameras.items())


def _encoder_spec(obs: TensorDict) -> EncoderSpec:
    """Sizes of an encoder of the pictures in ``obs``."""
    pictures = obs.get(IMAGES, None)
    if not isinstance(pictures, TensorDict) or pictures.is_empty():
        raise InputError(f"agent.obs_groups names {VISION!r}, but the task has no cameras; use a task named -Camera-")
    return EncoderSpec({name: (value.shape[1], value.shape[2]) for name, value in pictures.items()})
