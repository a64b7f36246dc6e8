# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Acting in the environments and storing what happens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from tensordict import TensorDict
from torch import Tensor

from cohoff.offpolicy.base_actions import BaseActions
from cohoff.offpolicy.batch import FEATURES, State
from cohoff.offpolicy.best_of import BestOf
from cohoff.offpolicy.episodes import EpisodeStatistics
from cohoff.offpolicy.finite import finite_or_zero
from cohoff.offpolicy.learner import Learner
from cohoff.offpolicy.replay_buffer import Fields, ReplayBuffer
from cohoff.offpolicy.transitions import Observe


class Collector:
    """Steps all environments with the learner's actions; the first ``num_train`` of them fill the replay buffer.

    The others are reserved for evaluation: they act with the mean policy and are never stored.

    ``make_buffer`` makes their replay buffer from an example of a state.

    Observations, base actions, actions and rewards that are not finite are replaced by zeros. A transition that such a
    value belongs to is stored as invalid and counted in :attr:`num_non_finite`, for evaluation environments too.
    """

    def __init__(
        self, learner: Learner, observe: Observe, base_actions: BaseActions, num_train: int, obs: TensorDict,
        action_dim: int, make_buffer: Callable[[Fields], ReplayBuffer], best_of: BestOf | None = None,
    ):  # fmt: skip
        num_envs, device = base_actions.num_envs, base_actions.device
        self.learner, self.observe, self.base_actions = learner, observe, base_actions
        self._choose = learner.act if best_of is None else best_of.act
        self.num_train = num_train
        example, _ = self.state_of(obs, torch.zeros(num_envs, base_actions.size, device=device))
        self.fields = (*self.observe(obs), "base_action", "action", "reward")
        """Names of what is checked."""
        self.non_finite = torch.zeros(len(self.fields), num_envs, dtype=torch.long, device=device)
        """How often each field was not finite in each environment, [F, N]."""
        self.num_non_finite = torch.zeros((), dtype=torch.long, device=device)
        """Transitions with a value that is not finite."""
        self._flaws = torch.zeros_like(self.non_finite, dtype=torch.bool)
        self._state = {name: torch.zeros_like(value) for name, value in example.items()}
        self._is_current = False
        self._action = torch.zeros(num_envs, action_dim, device=device)
        self._is_train = torch.arange(num_envs, device=device) < num_train
        self.buffer = make_buffer(self._state)
        self.episodes = {"train": EpisodeStatistics(num_train, device)}
        if num_envs > num_train:
            self.episodes["eval"] = EpisodeStatistics(num_envs - num_train, device)

    def state_of(self, obs: TensorDict, base_action: Tensor) -> tuple[Fields, Tensor]:
        """States as they are stored, [N] rows, and where their fields were not finite, [F - 2, N] bool."""
        seen = self.observe(obs) | {"base_action": base_action}
        flaws = torch.stack([_is_flawed(value) for value in seen.values()])
        state = {name: finite_or_zero(value) for name, value in seen.items()}
        features = self.learner.features(state["actor"])
        state |= {FEATURES + name: value for name, value in features.items()}
        return state | self.base_actions.features(), flaws

    def act(self, obs: TensorDict, base_std: float | None = None) -> Tensor:
        """Actions to execute in all environments, [N, A].

        With ``base_std``, the training environments execute the base action plus normal noise of this standard
        deviation instead.
        """
        if not self._is_current:
            self._arrive(*self.state_of(obs, self.base_actions.current(obs)))
            self._is_current = True
        action = self._choose(State.of(self._state), self._is_train)
        if base_std is not None:
            base_action = self._state["base_action"]
            noisy = (base_action + base_std * torch.randn_like(base_action)).clamp(-1.0, 1.0)
            action = torch.where(self._is_train[:, None], noisy, action)
        self._flaws[-2].copy_(_is_flawed(action))
        self._action.copy_(finite_or_zero(action))
        return self._action

    def record(self, obs: TensorDict, done: Tensor, extras: dict[str, Any]) -> None:
        """Store the step that has just been made.

        Args:
            obs: Observations after the step and after any reset.
            done: Environments whose episode ended, [N] bool.
            extras: ``success``, ``invalid`` [N] bool, ``num_resets``, and ``final_obs`` if there were resets; see
                :class:`cohoff.isaac.env.ManipulationEnv`.
        """
        # The simulation may run on another device than the learner.
        success, invalid = (extras[name].to(done.device) for name in ("success", "invalid"))
        base_before_reset = self.base_actions.advance(obs, done, extras["num_resets"])
        arrived, arrived_flaws = next_state, next_flaws = self.state_of(obs, self.base_actions.current(obs))
        if extras["num_resets"] > 0:
            next_state, next_flaws = self.state_of(_before_reset(obs, extras["final_obs"], done), base_before_reset)
        reward = self.learner.reward(self._state["actor"], self._action, success)
        # Where the simulation broke down, the environment has reported zeros and counted it.
        self._flaws[-1].copy_(~reward.isfinite())
        flaws = torch.cat([self._flaws[:-2] | next_flaws, self._flaws[-2:]])
        flawed = flaws.any(0)
        self.non_finite += flaws
        self.num_non_finite += flawed.sum()
        n = self.num_train
        state, following = ({name: value[:n] for name, value in s.items()} for s in (self._state, next_state))
        self.buffer.extend(
            state, following, action=self._action[:n], success=success[:n], done=done[:n],
            reward=finite_or_zero(reward[:n]), valid=~(flawed | invalid)[:n],
        )  # fmt: skip
        self._arrive(arrived, arrived_flaws)
        self.episodes["train"].record(done[:n], success[:n], invalid[:n])
        if "eval" in self.episodes:
            self.episodes["eval"].record(done[n:], success[n:], invalid[n:])

    def state_dict(self) -> dict[str, Any]:
        """Where all environments are, what has been counted; the replay buffer is saved by itself."""
        return {
            "state": self._state,
            "flaws": self._flaws,
            "is_current": self._is_current,
            "base_actions": self.base_actions.state_dict(),
            "non_finite": self.non_finite,
            "num_non_finite": self.num_non_finite,
            "episodes": {group: statistics.state_dict() for group, statistics in self.episodes.items()},
        }

    def load_state_dict(self, state: dict[str, Any], episodes_go_on: bool) -> None:
        """Restore what :meth:`state_dict` returned.

        If not ``episodes_go_on``, the environments start new episodes: only what was counted is restored, and the
        newest transitions in the replay buffer end theirs.
        """
        self.num_non_finite.copy_(state["num_non_finite"])
        self.non_finite.copy_(state["non_finite"])
        for group, statistics in self.episodes.items():
            statistics.load_state_dict(state["episodes"][group])
        if not episodes_go_on:
            self.buffer.close_episodes()
            return
        self._arrive(state["state"], state["flaws"][:-2])
        self._is_current = state["is_current"]
        self.base_actions.load_state_dict(state["base_actions"])

    def _arrive(self, state: Fields, flaws: Tensor) -> None:
        self._flaws[:-2].copy_(flaws)
        for name, value in self._state.items():
            value.copy_(state[name])


def _is_flawed(value: Tensor) -> Tensor:
    """Which rows of [N, ...] hold a value that is not finite, [N] bool."""
    return ~value.isfinite().flatten(1).all(1)


def _before_reset(obs: TensorDict, final_obs: dict[str, Any], done: Tensor) -> TensorDict:
    """The groups of ``final_obs`` that are one tensor: its rows where ``done`` [N], those of ``obs`` elsewhere."""
    groups = {
        name: torch.where(done.view(-1, *[1] * (value.ndim - 1)), final_obs[name].to(value.device), value)
        for name, value in obs.items()
        if isinstance(value, Tensor)
    }
    return TensorDict(groups, batch_size=obs.batch_size)
