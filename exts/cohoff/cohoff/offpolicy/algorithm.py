# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The off-policy core under rsl_rl's algorithm protocol: the loop and its schedules.

The runner calls :meth:`OffPolicyAlgorithm.act`, ``env.step`` and :meth:`OffPolicyAlgorithm.process_env_step`
``num_steps_per_env`` times, then :meth:`OffPolicyAlgorithm.update`, and so on. Learning from the demonstrations happens
when the runner first asks for training mode, so that playing a checkpoint needs none.
"""

from __future__ import annotations

import inspect
import math
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from tensordict import TensorDict
from torch import Tensor, nn

from cohoff.data.demonstrations import Demonstrations
from cohoff.errors import InputError, exit_on_input_error
from cohoff.offpolicy import run_state
from cohoff.offpolicy.base_actions import BaseActions
from cohoff.offpolicy.best_of import BestOf
from cohoff.offpolicy.capture import CapturedCalls, CudaRecorder, use_capture
from cohoff.offpolicy.collector import Collector
from cohoff.offpolicy.combinations import check_base_collection, check_combinations, check_demonstrations
from cohoff.offpolicy.demonstration_buffer import demonstration_buffer
from cohoff.offpolicy.demonstration_share import demonstrated_rows
from cohoff.offpolicy.distributed import Ranks, running_statistics
from cohoff.offpolicy.episodes import evaluation_environments
from cohoff.offpolicy.inputs import RunInputs
from cohoff.offpolicy.inspection import NonFiniteInspector
from cohoff.offpolicy.learner import NoiseLearner, Problem, learner_class, make_learner
from cohoff.offpolicy.learning_rate import LearningRate
from cohoff.offpolicy.observing import Observer
from cohoff.offpolicy.plans import (
    LearnedNoise,
    Planner,
    add_demonstrated_plans,
    executed_features,
    noise_features,
)
from cohoff.offpolicy.preparing import prepare
from cohoff.offpolicy.random_state import random_state, restore_random_state
from cohoff.offpolicy.replay_buffer import ReplayBuffer
from cohoff.offpolicy.replay_memory import allocate_replay
from cohoff.offpolicy.report import Report
from cohoff.offpolicy.sampler import Sampler
from cohoff.offpolicy.saved_settings import agent_settings, flat_settings
from cohoff.offpolicy.starting import start_learner
from cohoff.offpolicy.stock_runner import replace_stock_runner
from cohoff.offpolicy.time_limit import limit_episodes
from cohoff.offpolicy.transitions import Transitions, demonstrated_transitions
from cohoff.offpolicy.update_to_data import updates_due
from cohoff.policies.acting import ActingPolicy
from cohoff.policies.chunking import ChunkEngine
from cohoff.policies.loading import base_path
from cohoff.run_folder import checkpoints


class OffPolicyAlgorithm:
    """Collects with a learner's actions, replays, and updates it. Settings: :class:`OffPolicyAlgorithmCfg`.

    A run that is resumed goes on as if it had not been interrupted, if the environment has ``state_dict`` and
    ``load_state_dict`` and restores its state exactly. Otherwise its environments start new episodes.
    """

    def __init__(
        self,
        obs: TensorDict,
        env: Any,
        device: str,
        obs_groups: dict[str, list[str]],
        max_iterations: int,
        learner: str,
        settings: dict[str, Any],
        ranks: Ranks,
        *,
        demonstrations: str | None,
        num_demonstrations: int | None,
        corrections: str | None,
        start: str | None,
        base: str | None,
        base_checkpoint: str | None,
        base_device: str | None,
        encoder: str | None,
        replan_interval: int,
        batch_size: int,
        demonstration_share: float,
        final_demonstration_share: float | None,
        update_to_data: float,
        policy_delay: int,
        replay_rows: int,
        n_step: int,
        discount: float | None,
        effective_horizon: float,
        learning_rate: float,
        final_learning_rate: float,
        actor_learning_rate_share: float,
        learning_starts: int,
        actor_start_steps: int,
        actor_start_episodes: int,
        time_limit: float | None,
        base_collection_std: float | None,
        best_of: int,
        evaluation_share: float,
        capture: bool | None,
    ):
        """Allocate everything; see :meth:`construct_algorithm`."""
        self.device = torch.device(device)
        self.env = env.unwrapped
        self.task = env.unwrapped.spec.id
        log_dir = getattr(env.unwrapped.cfg, "log_dir", None)
        self.log_dir = None if log_dir is None else Path(log_dir)
        self.ranks = ranks
        self.shared_log_dir = self.log_dir if ranks.is_first else None
        """Folder of what is written once for all ranks; None on other ranks than the first."""
        self.max_iterations = max_iterations
        self.batch_size, self.n_step = batch_size, n_step
        self.demonstration_shares = demonstration_share, final_demonstration_share
        self.update_to_data, self.policy_delay = update_to_data, policy_delay
        self.learning_starts, self.base_collection_std = learning_starts, base_collection_std
        self.actor_start_steps, self.actor_start_episodes = actor_start_steps, actor_start_episodes
        self.discount, self.effective_horizon = discount or 0.0, effective_horizon
        self.learning_rate, self.replay_rows, self.time_limit = learning_rate, replay_rows, time_limit
        self.best_of = best_of

        self.num_envs = env.num_envs
        self.evaluation_share = evaluation_share
        self.observe = Observer(obs_groups, obs, self.device)
        if encoder is not None and self.observe.encoder is None:
            raise InputError(f"agent.algorithm.encoder is {encoder!r}, but agent.obs_groups do not name 'vision'")
        self._encoder_path = encoder
        sizes = self.observe.sizes
        self.problem = Problem(
            actor_dim=sizes["actor"],
            critic_dim=sizes["critic"],
            action_dim=env.num_actions,
            device=self.device,
        )
        self.inputs = RunInputs(
            self.task, self.problem, self.num_envs, self.observe.group_sizes, num_demonstrations, base_device,
            replan_interval,
        )  # fmt: skip
        path = base_path(base, base_checkpoint)
        if path is not None and issubclass(learner_class(learner), NoiseLearner):
            self.inputs.open_base(path)
            plan_dim = replan_interval * env.num_actions
            self.problem = replace(self.problem, noise_dim=self.inputs.noise_dim, plan_dim=plan_dim)
        self.learner_name, self.settings = learner, settings
        self.learner = make_learner(learner, self.problem, settings)
        self._statistics = running_statistics(self.learner.modules)
        check_base_collection(base_collection_std, self.learner.uses_base)
        check_demonstrations(self.demonstration_shares, self.learner)
        shares = {"actor": actor_learning_rate_share}
        self._rate = LearningRate(self.learner.optimizers, learning_rate, final_learning_rate, self.device, shares)
        self.capture = use_capture(capture, self.device)
        self.run_update = self._make_update()
        if path is not None and self.inputs.engine is None and self.learner.uses_base:
            self.inputs.open_base(path)
        if demonstrations is not None:
            self.inputs.open_demonstrations(demonstrations)
        self._corrections, self._start = corrections, start
        self._example = obs
        trained = self.learner.policy("trained")
        assert trained is not None
        self.policy = ActingPolicy(trained, self.observe, self.inputs.engine)
        self.collector: Collector | None = None
        self.demonstration_buffer: ReplayBuffer
        self.sampler: Sampler
        self.report: Report
        self.resumed: dict[str, Any] | None = None
        """The checkpoint that was loaded."""
        self.agent_settings: dict[str, Any] = {}
        """Settings that checkpoints hold; see :mod:`cohoff.offpolicy.saved_settings`."""
        self.iteration = self.env_steps = self.num_updates = 0
        self._steps_before = 0
        """Environment steps before this iteration."""
        self.num_skipped, self.skipped_in_a_row = (
            torch.zeros((), dtype=torch.long, device=self.device) for _ in range(2)
        )

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
        ranks = Ranks.of(cfg.get("multi_gpu"), device)
        with exit_on_input_error(), ranks.together():
            if getattr(env.unwrapped.cfg, "base", None) is not None:
                raise InputError(
                    "env.base makes actions corrections of its own, which this agent's are not; "
                    "set agent.algorithm.base=FILE instead"
                )
            check_combinations(own)
            algorithm = OffPolicyAlgorithm(
                obs, env, device, cfg["obs_groups"], cfg["max_iterations"], cfg["algorithm"]["learner"], settings,
                ranks, **own,
            )  # fmt: skip
        algorithm.agent_settings = agent_settings(cfg)
        replace_stock_runner(inspect.currentframe())
        return algorithm

    def act(self, obs: TensorDict) -> Tensor:
        """Executed actions [N, A]: sampled, and of the mean policy in the evaluation environments."""
        return self._running.act(obs, None if self.actor_has_started else self.base_collection_std)

    def process_env_step(self, obs: TensorDict, rewards: Tensor, dones: Tensor, extras: dict[str, Any]) -> None:
        """Store the step of the training environments, and count the outcomes of all."""
        done = dones.bool()
        seen, seen_extras = self.observe.see_step(obs, done, extras)
        self._running.record(seen, done, seen_extras)
        self.env_steps += self.num_envs * self.ranks.size
        extras["log"] = {**extras.get("log", {}), **self.report.log}

    def compute_returns(self, obs: TensorDict) -> None:
        """Nothing to do: targets are bootstrapped when a batch is drawn."""

    def update(self) -> dict[str, float]:
        """Run this iteration's updates; return the mean of what they measured."""
        if self.env_steps >= self.learning_starts:
            # Of one process: several make each update together, with a batch from each.
            before, after = (steps // self.ranks.size for steps in (self._steps_before, self.env_steps))
            self.learn(updates_due(before, after, self.update_to_data))
        self._steps_before = self.env_steps
        self.iteration += 1
        means = self.report.write(
            {"iteration": self.iteration, "env_steps": self.env_steps, "updates": self.num_updates}
        )
        self.ranks.check_equal(self.learner.modules, "networks")
        if self.report.totals["non_finite"] > self._num_inspected:
            self._num_inspected = self.report.totals["non_finite"]
            self._inspector.inspect(self.iteration)
        self.policy.output_std.fill_(means.get("std", torch.nan))
        return {name: means[name] for name in ("critic_loss", "kl") if name in means}

    def learn(self, num_updates: int) -> None:
        """Make ``num_updates`` updates, with the schedules of the present iteration."""
        over = min(self.iteration / max(self.max_iterations - 1, 1), 1.0)
        self.learning_rate = self._rate.set(over)
        num_demo_rows = demonstrated_rows(self.batch_size, *self.demonstration_shares, over)
        for _ in range(num_updates):
            self.run_update(self.actor_has_started and self.num_updates % self.policy_delay == 0, num_demo_rows)
            self.num_updates += 1

    def update_once(self, with_actor: bool, num_demo_rows: int) -> None:
        """One update, from the drawn batch to the metrics: what is captured. The host reads and counts nothing here."""
        batch = self.sampler.draw(self.batch_size, num_demo_rows)
        with self.ranks.averaging(self._statistics):
            metrics = self.learner.update(batch, num_demo_rows, with_actor)
        skipped = [value for name, value in metrics.items() if name.startswith("skipped")]
        if skipped:
            is_skipped = torch.stack(skipped).sum() > 0
            self.num_skipped += is_skipped
            self.skipped_in_a_row.add_(1).mul_(is_skipped)
        self.report.add(metrics)

    def _make_update(self) -> Callable[[bool, int], None]:
        return CapturedCalls(self.update_once, CudaRecorder(self.device)) if self.capture else self.update_once

    @property
    def _resumes_in_place(self) -> bool:
        """Whether the checkpoint that the run goes on with is one of its own folder."""
        replay = None if self.resumed is None else self.resumed["meta"]["replay"]
        return self.log_dir is not None and replay is not None and Path(replay).parent == self.log_dir.absolute()

    @property
    def actor_has_started(self) -> bool:
        """Whether the actor learns, and acts where the base has collected before."""
        return self.env_steps >= self.actor_start_steps and self.report.fewest["train"] >= self.actor_start_episodes

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
        num_train = self.num_envs - evaluation_environments(self.num_envs, self.evaluation_share)
        self.env.reserved_envs = self.num_envs - num_train  # for films of them
        with self.ranks.together():
            demonstrations = self._open_inputs()
        self._check_ranks()
        interval = self.inputs.replan_interval
        with self.ranks.together():  # before the demonstrations, as it may not fit
            self.collector = self._make_collector(num_train)
        with self.ranks.together(), self.ranks.same_random_numbers():
            transitions = self._learn_from(demonstrations)
            if isinstance(self.learner, NoiseLearner) and self.learner.values_plans():
                assert self.inputs.engine is not None
                self.learner.use_planner(Planner(self.inputs.engine.policy, self.observe, interval))
                add_demonstrated_plans(transitions, interval)
        self.ranks.share_learner(self.learner)
        self.demonstration_buffer = demonstration_buffer(self.learner, transitions)
        self.sampler = Sampler(
            self.learner, self.collector.buffer, self.demonstration_buffer, interval, self.n_step, self.discount
        )
        totals = {
            "replay_lost": self.collector.buffer.num_lost,
            "non_finite": self.collector.num_non_finite,
            "skipped_updates": self.num_skipped,
            "skipped_in_a_row": self.skipped_in_a_row,
        }
        common = ("skipped_updates", "skipped_in_a_row")
        self.report = Report(self.shared_log_dir, self.collector.episodes, totals, common, self.ranks)
        if self.resumed is not None:
            run_state.go_on(self, self.collector, self.resumed)
        self._inspector = NonFiniteInspector(self.collector, self.log_dir)
        self._num_inspected = int(self.collector.num_non_finite)

    def _make_collector(self, num_train: int) -> Collector:
        engine, window = self.inputs.engine, self.n_step
        choose_noise, best_of, plan_features = None, None, None
        if self.best_of > 1:
            best_of = BestOf(self.learner, self.observe, engine, self.best_of)
            choose_noise = best_of.choose_noise if best_of.chooses_noise else None
        if isinstance(self.learner, NoiseLearner):
            is_train = torch.arange(self.num_envs, device=self.device) < num_train
            choose_noise = LearnedNoise(self.learner, self.observe, is_train)
            plan_features = executed_features if self.learner.values_plans() else noise_features
            window = self.inputs.replan_interval
        base_actions = BaseActions(engine, self.num_envs, self.device, choose_noise, plan_features)
        action_dim, tell = self.problem.action_dim, self.ranks.is_first
        return Collector(
            self.learner, self.observe, base_actions, num_train, self._example, action_dim,
            lambda state: allocate_replay(self.replay_rows, num_train, window, state, action_dim, tell), best_of,
        )  # fmt: skip

    def _open_inputs(self) -> Demonstrations:
        if self.log_dir is not None and (files := checkpoints(self.log_dir)) and not self._resumes_in_place:
            raise InputError(
                f"{str(self.log_dir)!r} already holds a run ({files[-1].name}); give another folder, or "
                "go on with that run by --checkpoint"
            )
        expected = None if self.resumed is None else self.resumed["meta"]["fingerprint"]
        demonstrations = self.inputs.complete(self.learner.uses_base, expected)
        if self.observe.encoder is not None and self.resumed is None:
            encoder = self.inputs.encoder(self._encoder_path)
            self.observe.load_encoder(encoder.spec, encoder.state_dict(), self._encoder_path or "the base policy")
        self.inputs.keep_base(self.shared_log_dir)
        return self.observe.see_demonstrations(demonstrations)

    def _check_ranks(self) -> None:
        """Raise InputError unless all ranks do the same."""
        settings = {"num_envs": self.num_envs, "iteration": self.iteration, "demonstrations": self.inputs.fingerprint}
        self.ranks.check_same(settings | flat_settings(self.agent_settings))
        if self.inputs.engine is not None and isinstance(self.inputs.engine.policy, nn.Module):
            self.ranks.check_equal(self.inputs.engine.policy, "base policies")
        if self.observe.encoder is not None:
            self.ranks.check_equal(self.observe.encoder, "encoders")

    def _learn_from(self, demonstrations: Demonstrations) -> Transitions:
        base = None if self.inputs.engine is None else self.inputs.engine.policy
        # The base plans along the demonstrations from noise, which has to be the same again.
        self._random_before = random_state(self.device) if self.resumed is None else self.resumed["running"]["before"]
        restore_random_state(self._random_before, self.device)
        transitions = demonstrated_transitions(demonstrations, self.observe, base, self.inputs.replan_interval)
        length = float(transitions.lengths.float().mean())
        self.discount = self.discount or 1.0 - 1.0 / (self.effective_horizon * length)
        if self.time_limit is not None:
            limit_episodes(self.env, math.ceil(self.time_limit * length))
        if self.resumed is None:
            corrections = self.inputs.corrections(self._corrections, self.observe)
            if self._start is not None:
                start_learner(self.learner, self._start, self.task, self.device)
            prepare(self.learner, transitions, corrections, self.discount, self.shared_log_dir)
        return transitions

    @property
    def engine(self) -> ChunkEngine | None:
        """Plans with the base policy; None without one."""
        return self.inputs.engine

    @property
    def restores_environment(self) -> bool:
        """Whether a resumed run goes on in the middle of its episodes."""
        return hasattr(self.env, "load_state_dict")

    def broadcast_parameters(self) -> None:
        """Nothing to do: :meth:`train_mode` has made all ranks the same."""

    def eval_mode(self) -> None:
        """Batch statistics are chosen per call, so there is no mode to switch."""

    def get_policy(self) -> ActingPolicy:
        """The mean policy as it acts, base included."""
        return self.policy

    def save(self) -> dict[str, Any]:
        """Checkpoint contents: tensors and plain values only. The replay goes to a side file in the log folder."""
        return run_state.save_run(self, self._running, self._random_before)

    def load(self, loaded_dict: dict[str, Any], load_cfg: dict[str, bool] | None, strict: bool) -> bool:
        """Take up what :func:`~cohoff.offpolicy.checkpoint.read_checkpoint` returned.

        The checkpoint's base and demonstrations serve where the configuration names none.
        """
        with_optimizers = load_cfg is None or load_cfg.get("optimizer", True)
        with exit_on_input_error():
            run_state.load_run(self, self._rate, loaded_dict, with_optimizers, strict)
        self.run_update = self._make_update()  # the optimizers' tensors are other ones now
        self._steps_before = self.env_steps
        self.resumed = loaded_dict
        return True
