# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The environment of all tasks."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator
from typing import Any

import torch
from isaaclab.envs import ManagerBasedRLEnv, ManagerBasedRLEnvCfg

from cohoff.algorithms.resip.residual import GROUP, ResidualActions
from cohoff.errors import exit_on_input_error
from cohoff.isaac.camera import SelectiveCamera
from cohoff.isaac.films import EvaluationFilm
from cohoff.isaac.stock import RECORDED, prepare_recorders, usable_device
from cohoff.policies.loading import load_base
from cohoff.settings import check_names


class ManipulationEnv(ManagerBasedRLEnv):
    """Manager-based environment that reports what imitation and off-policy learners need.

    The configuration has the termination terms ``success`` and ``non_finite``. On every step ``extras`` holds

    - ``success`` [N] bool: the episode ended in success on this step;
    - ``invalid`` [N] bool: the simulation of the environment broke down on this step. The transition is meaningless and
      must not be stored; the environment has been reset;
    - ``num_resets``: number of environments that were reset on this step, a Python integer, known without waiting for
      the device;

    and, if ``num_resets`` is not zero, ``final_obs``: observations before the resets, grouped like the returned ones.
    They are valid in the rows that finished on this step; rows of invalid environments are zero. On other steps the
    entry is outdated.

    With ``cfg.base``, a base policy acts inside of the environment: observations have the group ``base_action``, and
    actions are corrections of it; see :class:`~cohoff.algorithms.resip.residual.ResidualActions`. A reset outside of a
    step, of whichever environments, makes the base plan anew in all of them.
    """

    def __init__(self, cfg: ManagerBasedRLEnvCfg, render_mode: str | None = None, **kwargs):
        with exit_on_input_error():
            check_names(cfg, "env")
            cfg.sim.device = usable_device(cfg.sim.device)
            prepare_recorders(cfg)
        self._non_finite_resets = torch.zeros((), dtype=torch.long, device=cfg.sim.device)
        self._residual: ResidualActions | None = None
        self.reserved_envs = 0
        """Environments at the end that a learner reserves for evaluation, which it sets: films show them."""
        super().__init__(cfg, render_mode, **kwargs)
        self.video_recorders = [
            EvaluationFilm(recorder.cfg, self) if recorder.cfg.source == RECORDED else recorder
            for recorder in self.video_recorders
        ]

    @property
    def non_finite_resets(self) -> torch.Tensor:
        """Number of resets after a breakdown of the simulation since the environment was made, a scalar tensor."""
        return self._non_finite_resets

    def step(self, action: torch.Tensor):
        """Apply ``action`` [N, A] for one control step; see :class:`isaaclab.envs.ManagerBasedRLEnv`."""
        self.extras["num_resets"] = 0
        if self._residual is not None:
            action = self._residual.execute(action.to(self.device))
        obs, reward, terminated, truncated, extras = super().step(action)
        if self._residual is not None:
            done, num_resets = terminated | truncated, extras["num_resets"]
            obs, base_before_reset = self._residual.advance(obs, done, num_resets)
            self.obs_buf = obs
            if num_resets > 0:
                extras["final_obs"] = {**extras["final_obs"], GROUP: base_before_reset}
        invalid = self.termination_manager.get_term("non_finite").clone()
        extras["invalid"] = invalid
        extras["success"] = self.termination_manager.get_term("success") & ~invalid
        self._non_finite_resets += invalid.sum()
        if extras["num_resets"] > 0:
            for value in _tensors(extras["final_obs"]):
                value.masked_fill_(invalid.view(-1, *[1] * (value.ndim - 1)), 0)
            extras["log"]["Episode/non_finite_resets"] = self._non_finite_resets.float()
        return obs, reward, terminated, truncated, extras

    def ignore_pictures(self, environments: torch.Tensor | None) -> None:
        """Render no new pictures of ``environments``, bool, shape [N], as nobody reads them; None renders all again."""
        for sensor in self.scene.sensors.values():
            if isinstance(sensor, SelectiveCamera):
                sensor.ignore(environments)

    def describe(self) -> dict[str, Any]:
        """What somebody has to know who runs a policy of this task elsewhere, as JSON values.

        Terms are in the order in which they are concatenated. A term's value is clipped, then multiplied by its scale.
        """
        observed, acted = self.observation_manager, self.action_manager
        groups = {}
        for group, names in observed.active_terms.items():
            cfg, sizes = getattr(self.cfg.observations, group), observed.group_obs_term_dim[group]
            terms = [(name, math.prod(size), getattr(cfg, name)) for name, size in zip(names, sizes, strict=True)]
            groups[group] = [_term(name, size, term, term.func) for name, size, term in terms]
        sizes = zip(acted.active_terms, acted.action_term_dim, strict=True)
        actions = [_term(name, size, None, acted.get_term(name)) for name, size in sizes]
        return {"control_rate_hz": 1.0 / self.step_dt, "observations": groups, "actions": actions}

    def _reset_idx(self, env_ids: torch.Tensor | slice):
        super()._reset_idx(env_ids)
        self.extras["num_resets"] += self.num_envs if isinstance(env_ids, slice) else len(env_ids)

    def reset(self, *args, **kwargs):
        """Reset environments, all by default; see :class:`isaaclab.envs.ManagerBasedEnv`."""
        self.extras["num_resets"] = 0
        super().reset(*args, **kwargs)
        return self._started()

    def reset_to(self, state, env_ids=slice(None), seed=None, is_relative=False):
        """Put ``env_ids`` into recorded states and start episodes; see :class:`isaaclab.envs.ManagerBasedEnv`."""
        self.extras["num_resets"] = 0
        super().reset_to(state, env_ids, seed, is_relative)
        # The reset has initialized the controllers before the robot was moved.
        self.action_manager.reset(env_ids)  # pyright: ignore[reportArgumentType]
        self.obs_buf = self.observation_manager.compute()
        return self._started()

    def _started(self):
        """Observations and extras after a reset, with the action of the base policy where there is one."""
        if self.cfg.base is not None:  # pyright: ignore[reportAttributeAccessIssue]
            if self._residual is None:
                with exit_on_input_error():
                    self._residual = self._open_base(self.cfg)
            self.obs_buf = self._residual.start(self.obs_buf)
        return self.obs_buf, self.extras

    def _open_base(self, cfg: Any) -> ResidualActions:
        """Open ``cfg.base``. Not before the first reset: Gymnasium tells the task only to the finished environment."""
        base = load_base(cfg.base, None if self.spec is None else self.spec.id, self.device)
        return ResidualActions(base, self.num_envs, self.device, cfg.replan_interval, cfg.residual_scale)


def _term(name: str, size: int, cfg: Any, source: Any) -> dict[str, Any]:
    """Name, size, range before scaling, scale and meaning of an observation or action term, as JSON values."""
    meaning = (inspect.getdoc(source) or "").split("\n\n")[0]
    settings = {key: list(v) if isinstance(v := getattr(cfg, key, None), tuple) else v for key in ("clip", "scale")}
    return {"name": name, "size": size, **settings, "meaning": " ".join(meaning.split())}


def _tensors(obs: dict[str, Any]) -> Iterator[torch.Tensor]:
    """All tensors of observations; a group is a tensor or, not concatenated, a dictionary of tensors."""
    for value in obs.values():
        if isinstance(value, torch.Tensor):
            yield value
        else:
            yield from value.values()
