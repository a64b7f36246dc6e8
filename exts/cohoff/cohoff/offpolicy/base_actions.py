# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The base policy's action of every environment, with one owner."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from tensordict import TensorDict
from torch import Tensor

from cohoff.offpolicy.replay_buffer import Fields
from cohoff.policies.chunking import ChooseNoise, ChunkEngine


class BaseActions:
    """Base actions [N, A] at the present states of N environments; [N, 0] where there is no base policy.

    With ``choose_noise``, plans start from what it returns instead of standard normal noise. With
    ``plan_features``, what it returns of the plans in use is stored with the states.
    """

    def __init__(
        self,
        engine: ChunkEngine | None,
        num_envs: int,
        device: torch.device,
        choose_noise: ChooseNoise | None = None,
        plan_features: Callable[[ChunkEngine], Fields] | None = None,
    ):
        self.engine, self._choose_noise, self._plan_features = engine, choose_noise, plan_features
        width = 0 if engine is None else engine.policy.action_dim
        self.num_envs, self.device = num_envs, device
        self.action = torch.zeros(num_envs, width, device=device)
        """At the present states, [N, A]; written in place."""
        self._is_current = engine is None

    @property
    def size(self) -> int:
        """Size of a base action; 0 without a base policy."""
        return self.action.shape[1]

    def features(self) -> Fields:
        """What is stored with the present states [N] beside the base action: of the plans, where they are kept."""
        if self.engine is None or self._plan_features is None:
            return {}
        return self._plan_features(self.engine)

    def current(self, obs: TensorDict) -> Tensor:
        """Base actions at ``obs``, [N, A]. The first call plans; later ones return what :meth:`advance` planned."""
        if self.engine is not None and not self._is_current:
            self.action.copy_(self._act(self.engine, obs))
            self._is_current = True
        return self.action

    def advance(self, obs: TensorDict, done: Tensor, num_resets: int) -> Tensor:
        """Move on to ``obs``, which the environments returned after a step.

        Args:
            obs: Observations after the step and after any reset.
            done: Environments whose episode ended, [N] bool.
            num_resets: Number of environments that were reset, known to the host.

        Returns:
            Base actions at the states that the step led to, [N, A]: where an episode ended, at its last state, as the
            chunk goes on there.
        """
        if self.engine is None:
            return self.action
        continued = self.engine.peek()
        self.engine.reset(done, num_resets)
        self.action.copy_(self._act(self.engine, obs))
        self._is_current = True
        return torch.where(done[:, None], continued, self.action)

    def _act(self, engine: ChunkEngine, obs: TensorDict) -> Tensor:
        engine.choose_noise = self._choose_noise
        return engine.act(obs)

    def state_dict(self) -> dict[str, Any]:
        """The present actions, and the chunks that they come from."""
        engine = None if self.engine is None else self.engine.state_dict()
        return {"action": self.action, "is_current": self._is_current, "engine": engine}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what :meth:`state_dict` returned."""
        self.action.copy_(state["action"])
        self._is_current = state["is_current"]
        if self.engine is not None:
            self.engine.load_state_dict(state["engine"])
