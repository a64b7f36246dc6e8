# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The off-policy core under rsl_rl's algorithm protocol: loop, schedules, saving and loading.

The stock runner calls :meth:`OffPolicyAlgorithm.act`, ``env.step`` and :meth:`OffPolicyAlgorithm.process_env_step`
``num_steps_per_env`` times, then :meth:`OffPolicyAlgorithm.update`, and so on. Learning from the demonstrations happens
when the runner first asks for training mode, so that playing a checkpoint needs none.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from tensordict import TensorDict
from torch import Tensor

from cohoff.cli import show_progress
from cohoff.data.demonstrations import Demonstrations, load_demonstrations
from cohoff.errors import InputError, exit_on_input_error
from cohoff.files import write_json
from cohoff.offpolicy import checkpoint
from cohoff.offpolicy.base_actions import BaseActions
from cohoff.offpolicy.batch import FEATURES, Batch, assemble, concatenate
from cohoff.offpolicy.capture import CapturedCalls, CudaRecorder, use_capture
from cohoff.offpolicy.collector import Collector
from cohoff.offpolicy.learner import Learner, Problem
from cohoff.offpolicy.learning_rate import LearningRate
from cohoff.offpolicy.observing import Observer
from cohoff.offpolicy.replay_buffer import ReplayBuffer
from cohoff.offpolicy.report import Report
from cohoff.offpolicy.transitions import demonstrated_transitions
from cohoff.policies.acting import ActingPolicy
from cohoff.policies.chunking import ChunkEngine
from cohoff.policies.loading import base_path, load_base


class OffPolicyAlgorithm:
    """Collects with a learner's actions, replays, and updates it. Settings: :class:`OffPolicyAlgorithmCfg`."""

    def __init__(
        self,
        obs: TensorDict,
        env: Any,
        device: str,
        obs_groups: dict[str, list[str]],
        max_iterations: int,
        learner: str,
        settings: dict[str, Any],
        *,
        demonstrations: str | None,
        num_demonstrations: int | None,
        base: str | None,
        base_checkpoint: str | None,
        base_device: str | None,
        replan_interval: int,
        batch_size: int,
        demonstration_share: float,
        updates_per_iteration: int,
        policy_delay: int,
        replay_steps: int,
        n_step: int,
        discount: float | None,
        learning_rate: float,
        final_learning_rate: float,
        learning_starts: int,
        actor_start_steps: int,
        evaluation_share: float,
        capture: bool | None,
    ):
        """Allocate everything; see :meth:`construct_algorithm`."""
        self.device = torch.device(device)
        self.task = env.unwrapped.spec.id
        log_dir = getattr(env.unwrapped.cfg, "log_dir", None)
        self.log_dir = None if log_dir is None else Path(log_dir)
        self.max_iterations = max_iterations
        self.num_demonstrations = num_demonstrations
        self.base_device, self.replan_interval = base_device, replan_interval
        self.batch_size, self.n_step = batch_size, n_step
        self.num_demo_rows = round(batch_size * demonstration_share)
        self.updates_per_iteration, self.policy_delay = updates_per_iteration, policy_delay
        self.learning_rate = learning_rate
        self.learning_starts, self.actor_start_steps = learning_starts, actor_start_steps
        self.replay_steps = replay_steps

        self.num_envs = env.num_envs
        num_eval = evaluation_environments(env.num_envs, evaluation_share)
        self.num_train = env.num_envs - num_eval
        horizon = env.max_episode_length
        self.observe = Observer(obs_groups, obs)
        sizes = self.observe.sizes
        self.problem = Problem(
            actor_dim=sizes["actor"],
            critic_dim=sizes["critic"],
            action_dim=env.num_actions,
            discount=discount or min(max((horizon / 5 - 1) / (horizon / 5), 0.95), 0.995),
            device=self.device,
        )
        self.learner_name, self.settings = learner, settings
        self.learner = make_learner(learner, self.problem, settings)
        self._rate = LearningRate(self.learner.optimizers, learning_rate, final_learning_rate, self.device)
        self.capture = use_capture(capture, self.device)
        self.run_update = self._make_update()
        self.base_path: str | None = None
        self.demonstrations_path: str | None = None
        self.engine: ChunkEngine | None = None
        self.demonstrations: Demonstrations | None = None
        if (path := base_path(base, base_checkpoint)) is not None and self.learner.uses_base:
            self._open_base(path)
        if demonstrations is not None:
            self._open_demonstrations(demonstrations)
        self._example = obs
        self.policy = ActingPolicy(self.learner.policy("trained"), self.observe, self.engine)
        self.collector: Collector | None = None
        self.demonstration_buffer: ReplayBuffer
        self.report: Report
        self._resumed: dict[str, Any] | None = None
        self.iteration = self.env_steps = self.num_updates = 0

    @staticmethod
    def construct_algorithm(obs: TensorDict, env: Any, cfg: dict[str, Any], device: str) -> OffPolicyAlgorithm:
        """Build the algorithm for rsl_rl's runner; unusable settings end the program with one line.

        The core takes the settings that its constructor names; the learner takes the others.
        """
        names = inspect.signature(OffPolicyAlgorithm.__init__).parameters
        settings = {key: value for key, value in cfg["algorithm"].items() if key not in ("class_name", "learner")}
        own = {key: settings.pop(key) for key in list(settings) if key in names}
        # rsl_rl's runner opens checkpoints with pickle; this makes torch refuse code in them.
        os.environ["TORCH_FORCE_WEIGHTS_ONLY_LOAD"] = "1"
        with exit_on_input_error():
            if cfg.get("multi_gpu") is not None:
                raise InputError(
                    f"training in {cfg['multi_gpu']['world_size']} processes is not supported: each would learn alone; "
                    "start one with isaaclab train"
                )
            return OffPolicyAlgorithm(
                obs, env, device, cfg["obs_groups"], cfg["max_iterations"], cfg["algorithm"]["learner"], settings, **own
            )

    def act(self, obs: TensorDict) -> Tensor:
        """Executed actions [N, A]: sampled, and of the mean policy in the evaluation environments."""
        return self._running.act(obs)

    def process_env_step(self, obs: TensorDict, rewards: Tensor, dones: Tensor, extras: dict[str, Any]) -> None:
        """Store the step of the training environments, and count the outcomes of all."""
        self._running.record(obs, dones.bool(), extras)
        self.env_steps += self.num_envs
        extras["log"] = {**extras.get("log", {}), **self.report.log}

    def compute_returns(self, obs: TensorDict) -> None:
        """Nothing to do: targets are bootstrapped when a batch is drawn."""

    def update(self) -> dict[str, float]:
        """Run this iteration's updates; return the mean of what they measured."""
        if self.env_steps >= self.learning_starts:
            self.learning_rate = self._rate.set(min(self.iteration / max(self.max_iterations - 1, 1), 1.0))
            with_actor = self.env_steps >= self.actor_start_steps
            for _ in range(self.updates_per_iteration):
                self.run_update(with_actor and self.num_updates % self.policy_delay == 0)
                self.num_updates += 1
        self.iteration += 1
        means = self.report.write(
            {"iteration": self.iteration, "env_steps": self.env_steps, "updates": self.num_updates}
        )
        self.policy.output_std.fill_(means.get("std", torch.nan))
        return {name: means[name] for name in ("critic_loss", "kl") if name in means}

    def update_once(self, with_actor: bool) -> None:
        """One update, from the drawn batch to the metrics: what is captured. The host reads and counts nothing here."""
        batch = concatenate(
            self._draw(self.demonstration_buffer, self.num_demo_rows),
            self._draw(self._running.buffer, self.batch_size - self.num_demo_rows),
        )
        self.report.add(self.learner.update(batch, self.num_demo_rows, with_actor))

    def _make_update(self) -> Callable[[bool], None]:
        return CapturedCalls(self.update_once, CudaRecorder(self.device)) if self.capture else self.update_once

    def _draw(self, buffer: ReplayBuffer, size: int) -> Batch:
        rows, mask = buffer.sample(size, self.n_step)
        rewards = buffer.transitions["reward"][rows]
        if self.learner.relabels:
            flat = rows.flatten()
            action, success = buffer.transitions["action"][flat], buffer.transitions["success"][flat]
            rewards = self.learner.reward(buffer.states["actor"][flat], action, success).view_as(rows)
        return assemble(buffer, rows, mask, rewards, self.problem.discount)

    @property
    def _running(self) -> Collector:
        if self.collector is None:
            raise RuntimeError("call train_mode() before the first step")
        return self.collector

    def train_mode(self) -> None:
        """Make ready to learn: learn from the demonstrations, or pick up where a checkpoint stopped."""
        if self.collector is not None:
            return
        with exit_on_input_error():
            self._prepare()

    def _prepare(self) -> None:
        if self._resumed is not None:
            checkpoint.check_settings(self._resumed, self.settings, self.learner.fixed_for_training)
        if self.demonstrations is None and self.demonstrations_path is not None:
            self._open_demonstrations(self.demonstrations_path)
        if self.demonstrations is None:
            raise InputError("no demonstrations; set agent.algorithm.demonstrations=FILE (scripts/collect_demos.py)")
        if self.learner.uses_base and self.engine is None:
            raise InputError("no base policy; set agent.algorithm.base=FILE (scripts/pretrain.py)")
        base = None if self.engine is None else self.engine.policy
        transitions = demonstrated_transitions(self.demonstrations, self.observe, base, self.replan_interval)
        if self._resumed is None:
            measured = self.learner.prepare(transitions, show_progress)
            for phase, values in measured.items():
                print(f"[cohoff] {phase}: " + ", ".join(f"{name} {value:.4g}" for name, value in values.items()))
            if self.log_dir is not None:
                write_json(self.log_dir / "pretraining.json", measured)
        # Only now, because the features of a state come from what has been learned from the demonstrations.
        self.collector = Collector(
            self.learner, self.observe, BaseActions(self.engine, self.num_envs, self.device), self.replay_steps,
            self.num_train, self._example, self.problem.action_dim,
        )  # fmt: skip
        self.demonstration_buffer = demonstration_buffer(self.learner, transitions)
        self.report = Report(
            self.log_dir,
            self.collector.episodes,
            {"replay_lost": self.collector.buffer.num_lost, "non_finite": self.collector.num_non_finite},
        )
        if self._resumed is not None:
            checkpoint.restore_replay(self.collector.buffer, self._resumed["replay"])
            self.collector.buffer.close_episodes()

    def eval_mode(self) -> None:
        """Batch statistics are chosen per call, so there is no mode to switch."""

    def get_policy(self) -> ActingPolicy:
        """The mean policy as it acts, base included."""
        return self.policy

    def save(self) -> dict[str, Any]:
        """Checkpoint contents: tensors and plain values only. The replay goes to a side file in the log folder."""
        replay = None
        if self.log_dir is not None:
            replay = checkpoint.save_replay(self._running.buffer, self.log_dir, self.env_steps)
        return {
            "model": self.learner.modules.state_dict(),
            "optimizers": {name: optimizer.state_dict() for name, optimizer in self.learner.optimizers.items()},
            "constants": self.learner.constants(),
            "counters": {"iteration": self.iteration, "env_steps": self.env_steps, "updates": self.num_updates},
            "meta": {
                "task": self.task,
                "learner": self.learner_name,
                "settings": self.settings,
                "problem": checkpoint.describe_problem(self.problem),
                "obs_groups": self.observe.groups,
                "group_sizes": self.observe.group_sizes,
                "replan_interval": self.replan_interval,
                "base": self.base_path,
                "demonstrations": self.demonstrations_path,
                "replay": replay,
            },
        }

    def load(self, loaded_dict: dict[str, Any], load_cfg: dict[str, bool] | None, strict: bool) -> bool:
        """Take up a checkpoint; its base and demonstrations serve where the configuration names none."""
        with exit_on_input_error():
            checkpoint.check_fits(loaded_dict, self.task, self.learner_name, self.problem)
            checkpoint.check_settings(loaded_dict["meta"], self.settings, self.learner.fixed_settings)
            self.learner.modules.load_state_dict(loaded_dict["model"], strict=strict)
            if load_cfg is None or load_cfg.get("optimizer", True):
                self._rate.load_optimizers(loaded_dict["optimizers"])
            self.run_update = self._make_update()  # the optimizers' tensors are other ones now
            self.learner.load_constants(loaded_dict["constants"])
            counters, meta = loaded_dict["counters"], loaded_dict["meta"]
            self.iteration, self.env_steps = counters["iteration"], counters["env_steps"]
            self.num_updates = counters["updates"]
            if self.engine is None and meta["base"] is not None:
                self._open_base(meta["base"])
                self.policy.engine = self.engine
            if self.demonstrations is None and meta["demonstrations"] is not None:
                self.demonstrations_path = meta["demonstrations"]
            self._resumed = meta
        return True

    def _open_base(self, path: str) -> None:
        self.base_path = str(Path(path).absolute())
        base = load_base(path, self.task, self.base_device or self.device)
        self.engine = ChunkEngine(base, self.num_envs, self.device, self.replan_interval)

    def _open_demonstrations(self, path: str) -> None:
        self.demonstrations_path = str(Path(path).absolute())
        self.demonstrations = load_demonstrations(
            path, self.task, self.observe.group_sizes, self.problem.action_dim, self.device, self.num_demonstrations
        )


def make_learner(name: str, problem: Problem, settings: dict[str, Any]) -> Learner:
    """Build the learner ``module:class`` with its settings.

    Raises:
        InputError: There is no such learner, or it has no such setting.
    """
    module, _, attribute = name.partition(":")
    try:
        learner_class = getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise InputError(f"agent.algorithm.learner={name!r} cannot be imported ({error})") from error
    known = set(inspect.signature(learner_class).parameters)
    for setting in settings:
        if setting not in known:
            raise InputError(f"{attribute} has no setting agent.algorithm.{setting}")
    return learner_class(problem, **settings)


def demonstration_buffer(learner: Learner, transitions: Any) -> ReplayBuffer:
    """A buffer of stride 1 that holds the demonstrations with the learner's rewards and features."""
    states, last_states = (
        {**states, **{FEATURES + name: value for name, value in learner.features(states["actor"]).items()}}
        for states in (transitions.states, transitions.last_states)
    )
    buffer = ReplayBuffer(len(transitions), 1, states, transitions.action.shape[1], num_ends=transitions.num_episodes)
    buffer.fill(
        states, last_states, action=transitions.action, success=transitions.success, done=transitions.done,
        reward=learner.reward(states["actor"], transitions.action, transitions.success),
        valid=torch.ones_like(transitions.done),
    )  # fmt: skip
    return buffer


def evaluation_environments(num_envs: int, share: float) -> int:
    """Number of environments set aside for evaluation: at least one where there is a share, never all.

    Raises:
        InputError: The share is outside [0, 1), or there are too few environments.
    """
    if not 0.0 <= share < 1.0:
        raise InputError(f"evaluation_share is {share}; it must be at least 0 and below 1")
    if share == 0.0:
        return 0
    if num_envs < 2:
        raise InputError(
            f"num_envs is {num_envs}, too few to set one aside for evaluation; use --num_envs 2 or more, "
            "or agent.algorithm.evaluation_share=0"
        )
    return max(1, min(round(num_envs * share), num_envs - 1))
