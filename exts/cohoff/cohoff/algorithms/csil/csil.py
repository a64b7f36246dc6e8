# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""CSIL++ under rsl_rl's algorithm protocol: orchestration only.

One call of the stock runner's loop is: :meth:`CSIL.act`, ``env.step``, :meth:`CSIL.process_env_step`, repeated
``num_steps_per_env`` times, then :meth:`CSIL.update`. Cloning and critic pre-training happen when the runner first
asks for training mode, so that playing a checkpoint needs no demonstrations.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import torch
from tensordict import TensorDict
from torch import Tensor

from cohoff.algorithms.csil import updates
from cohoff.algorithms.csil.model import CsilModel, critic_kwargs
from cohoff.algorithms.csil.preparation import prepare
from cohoff.algorithms.csil.reward import CoherentReward, SparseReward
from cohoff.data.demonstrations import Demonstrations, load_demonstrations
from cohoff.errors import InputError, exit_on_input_error
from cohoff.files import write_json
from cohoff.offpolicy import checkpoint
from cohoff.offpolicy.episodes import EpisodeStatistics, MetricMeans
from cohoff.offpolicy.replay_buffer import TransitionStore
from cohoff.policies.acting import ActingPolicy
from cohoff.policies.chunking import ChunkEngine
from cohoff.policies.combine import make_combination
from cohoff.policies.loading import base_path, load_base


class CSIL:
    """Coherent soft imitation learning with a frozen base policy. CSIL++ (arXiv 2606.02194)."""

    def __init__(self, obs: TensorDict, env: Any, cfg: dict[str, Any], device: str):
        self.cfg = cfg["algorithm"]
        self.device = torch.device(device)
        self.num_envs, self.action_dim = env.num_envs, env.num_actions
        self.obs_dim = obs["policy"].shape[-1]
        self.task = env.unwrapped.spec.id
        self.log_dir = getattr(env.unwrapped.cfg, "log_dir", None)
        self.max_iterations = cfg["max_iterations"]
        self.num_eval = _evaluation_environments(self.num_envs, self.cfg["evaluation_share"])
        self.num_train = self.num_envs - self.num_eval
        horizon = env.max_episode_length
        self.discount: float = self.cfg["discount"] or min(max((horizon / 5 - 1) / (horizon / 5), 0.95), 0.995)

        self.combination = make_combination(self.cfg["combination"], self.cfg["residual_scale"])
        self.model = CsilModel(
            self.obs_dim, self.action_dim, self.combination, self.cfg["policy"], critic_kwargs(self.cfg["critic"])
        ).to(self.device)
        self.reward: CoherentReward | SparseReward = SparseReward()
        if self.cfg["reward"] == "coherent":
            self.reward = CoherentReward(self.model.reward, self.cfg["reward_floor"])
        self.critic_optimiser = torch.optim.Adam(self.model.critic.parameters(), fused=True)
        self.actor_optimiser = torch.optim.Adam(self.model.actor.parameters(), fused=True)
        self.reward_optimiser = None
        if self.cfg["refinement_learning_rate"] > 0.0 and self.cfg["reward"] == "coherent":
            self.reward_optimiser = torch.optim.SGD(
                self.model.reward.parameters(), self.cfg["refinement_learning_rate"]
            )
            self.model.reward.requires_grad_(True)

        self.policy = ActingPolicy(self.model.actor, self.combination, None).to(self.device)
        self.base_path: str | None = None
        self.demos_path: str | None = None
        self.engine: ChunkEngine | None = None
        self.demos: Demonstrations | None = None
        base = base_path(self.cfg["base"], self.cfg["base_checkpoint"])
        if base is not None and self.combination.uses_base:
            self._open_base(base)
        if self.cfg["demonstrations"] is not None:
            self._open_demonstrations(self.cfg["demonstrations"])
        self.demo_store: TransitionStore
        self.store = TransitionStore(
            self.cfg["replay_steps"], self.num_train, self.obs_dim, self.action_dim, self.device
        )
        self._ready = False
        self._checkpoint: dict[str, Any] | None = None

        self.iteration = self.env_steps = self.num_updates = 0
        self.learning_rate = self.cfg["learning_rate"]
        self._is_train = torch.arange(self.num_envs, device=self.device) < self.num_train
        self._obs = torch.zeros(self.num_envs, self.obs_dim, device=self.device)
        self._base_action = torch.zeros(self.num_envs, self.action_dim, device=self.device)
        self._action = torch.zeros(self.num_envs, self.action_dim, device=self.device)
        self._base_is_current = False
        self.train_episodes = EpisodeStatistics(self.num_train, self.device)
        self.eval_episodes = EpisodeStatistics(self.num_eval, self.device) if self.num_eval else None
        self._means = MetricMeans()
        self._log: dict[str, float] = {}
        self._started = time.monotonic()

    @staticmethod
    def construct_algorithm(obs: TensorDict, env: Any, cfg: dict[str, Any], device: str) -> CSIL:
        """Build the algorithm for rsl_rl's runner; unusable settings end the program with one line."""
        with exit_on_input_error():
            return CSIL(obs, env, cfg, device)

    def act(self, obs: TensorDict) -> Tensor:
        """Executed actions [N, A]: sampled, and of the mean policy in the evaluation environments."""
        if self.engine is not None and not self._base_is_current:
            self._base_action.copy_(self.engine.act(obs))
        self._obs.copy_(obs["policy"])
        mean, std = self.model.actor(self._obs)
        noise = torch.randn_like(mean) * self._is_train[:, None]
        policy_action = torch.tanh(torch.addcmul(mean, std.clamp_max(self.cfg["exploration_std"]), noise))
        self._action.copy_(self.combination(self._base_action, policy_action))
        return self._action

    def process_env_step(self, obs: TensorDict, rewards: Tensor, dones: Tensor, extras: dict[str, Any]) -> None:
        """Store the step of the training environments, and look up the base actions at the new observations."""
        # The simulation may run on another device than the learner.
        done, success, invalid = dones.bool(), extras["success"].to(self.device), extras["invalid"].to(self.device)
        next_obs = obs["policy"]
        if extras["num_resets"] > 0:
            next_obs = torch.where(done[:, None], extras["final_obs"]["policy"].to(self.device), next_obs)
        next_base = self._base_action
        if self.engine is not None:
            continued = self.engine.peek()
            self.engine.reset(done, extras["num_resets"])
            planned = self.engine.act(obs)
            next_base = torch.where(done[:, None], continued, planned)
        n = self.num_train
        self.store.extend(
            obs=self._obs[:n],
            action=self._action[:n],
            base_action=self._base_action[:n],
            next_obs=next_obs[:n],
            next_base_action=next_base[:n],
            reward=self.reward(self._obs[:n], self._action[:n], success[:n]),
            success=success[:n],
            done=done[:n],
            valid=~invalid[:n],
        )
        if self.engine is not None:
            self._base_action.copy_(planned)
            self._base_is_current = True
        self.train_episodes.record(done[:n], success[:n], invalid[:n])
        if self.eval_episodes is not None:
            self.eval_episodes.record(done[n:], success[n:], invalid[n:])
        self.env_steps += self.num_envs
        extras["log"] = {**extras.get("log", {}), **self._log}

    def compute_returns(self, obs: TensorDict) -> None:
        """Nothing to do: targets are bootstrapped when a batch is drawn."""

    def update(self) -> dict[str, float]:
        """Run this iteration's updates; return the mean of what they measured."""
        if self.env_steps >= self.cfg["learning_starts"]:
            self._set_learning_rate()
            for _ in range(self.cfg["updates_per_iteration"]):
                self._update_once()
        self.iteration += 1
        return self._report()

    def _update_once(self) -> None:
        cfg = self.cfg
        num_demos = round(cfg["batch_size"] * cfg["demonstration_share"])
        batch = updates.concatenate(
            self._draw(self.demo_store, num_demos), self._draw(self.store, cfg["batch_size"] - num_demos)
        )
        target, next_action, metrics = updates.bootstrap_target(self.model, batch, cfg["beta"])
        metrics |= updates.update_critic(
            self.model, self.critic_optimiser, batch, target, next_action, num_demos, cfg["gradient_penalty"]
        )
        self.model.target.track_(self.model.critic, cfg["target_rate"])
        if self.num_updates % cfg["policy_delay"] == 0 and self.env_steps >= cfg["actor_start_steps"]:
            metrics |= updates.update_actor(self.model, self.actor_optimiser, batch, cfg["beta"])
        if self.reward_optimiser is not None:
            metrics |= updates.update_reward(self.model.reward, self.reward_optimiser, batch, num_demos)
        self.num_updates += 1
        self._means.add(metrics)

    def _draw(self, store: TransitionStore, size: int) -> updates.Batch:
        index, mask = store.sample(size, self.cfg["n_step"])
        rewards = store.rows["reward"][index]
        if self.reward_optimiser is not None:
            # The reward moves, so what was stored with the step is out of date.
            rows = store.rows[index.flatten()]
            rewards = self.reward(rows["obs"], rows["action"], rows["success"]).view_as(index)
        return updates.assemble(store, index, mask, rewards, self.discount)

    def _set_learning_rate(self) -> None:
        share = min(self.iteration / max(self.max_iterations - 1, 1), 1.0)
        first, last = self.cfg["learning_rate"], self.cfg["final_learning_rate"]
        self.learning_rate = first + share * (last - first)
        for optimiser in (self.critic_optimiser, self.actor_optimiser):
            for group in optimiser.param_groups:
                group["lr"] = self.learning_rate

    def _report(self) -> dict[str, float]:
        """Read the iteration's means and outcomes (the one host synchronisation), and append them to progress.jsonl."""
        summaries = {"train": self.train_episodes.summary()}
        if self.eval_episodes is not None:
            summaries["eval"] = self.eval_episodes.summary()
        values = torch.stack(list(summaries.values())).tolist()
        metrics = self._means.pop()
        line: dict[str, Any] = {"iteration": self.iteration, "env_steps": self.env_steps, "updates": self.num_updates}
        line["seconds"] = time.monotonic() - self._started
        self._log = {"CSIL/env_steps": self.env_steps, "CSIL/updates": self.num_updates}
        for group, (rate, episodes, successes, invalid) in zip(summaries, values, strict=True):
            rate = None if rate != rate else rate
            line |= {f"{group}_success": rate, f"{group}_episodes": episodes, f"{group}_successes": successes}
            line[f"{group}_invalid"] = invalid
            if rate is not None:
                self._log[f"{group.capitalize()}/success_rate"] = rate
        self._log |= {f"CSIL/{name}": value for name, value in metrics.items()}
        if self.log_dir is not None:
            with (Path(self.log_dir) / "progress.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps(line | metrics) + "\n")
        return {name: metrics[name] for name in ("critic_loss", "kl") if name in metrics}

    def train_mode(self) -> None:
        """Make ready to learn: pre-train on the demonstrations, or pick up where a checkpoint stopped."""
        if not self._ready:
            with exit_on_input_error():
                self._prepare()
            self._ready = True
            self._started = time.monotonic()

    def _prepare(self) -> None:
        if self._checkpoint is not None:
            trained_with = self._checkpoint["algorithm"]["reward"]
            if trained_with != self.cfg["reward"]:
                raise InputError(f"the checkpoint was trained with agent.algorithm.reward={trained_with}; use the same")
            if self.demos is None:
                self._open_demonstrations(self._checkpoint["demonstrations"])
        if self.demos is None:
            raise InputError("no demonstrations; set agent.algorithm.demonstrations=FILE (scripts/collect_demos.py)")
        if self.combination.uses_base and self.engine is None:
            raise InputError("no base policy; set agent.algorithm.base=FILE (scripts/pretrain.py)")
        base = None if self.engine is None else self.engine.policy
        resumed = self._checkpoint is not None
        self.demo_store, report = prepare(
            self.model, self.reward, self.demos, base, self.cfg, self.discount, trained=resumed
        )
        if self._checkpoint is not None:
            checkpoint.restore_replay(self.store, self._checkpoint)
        elif self.log_dir is not None:
            write_json(Path(self.log_dir) / "pretraining.json", report)
        for phase, values in report.items():
            print(f"[cohoff] {phase}: " + ", ".join(f"{name} {value:.4g}" for name, value in values.items()))

    def eval_mode(self) -> None:
        """Batch statistics are chosen per call, so there is no mode to switch."""

    def get_policy(self) -> ActingPolicy:
        """The mean policy as it acts, base included."""
        return self.policy

    def broadcast_parameters(self) -> None:
        """Send rank 0's networks to all ranks."""
        for tensor in self.model.state_dict().values():
            torch.distributed.broadcast(tensor, src=0)

    def save(self) -> dict[str, Any]:
        """Checkpoint contents: tensors and plain values only. The replay goes to a side file in the log folder."""
        replay = None
        if self.log_dir is not None:
            replay = checkpoint.save_replay(self.store, Path(self.log_dir), self.env_steps)
        return {
            "model": self.model.state_dict(),
            "critic_optimiser": self.critic_optimiser.state_dict(),
            "actor_optimiser": self.actor_optimiser.state_dict(),
            "reward": self.reward.constants(),
            "counters": {"iteration": self.iteration, "env_steps": self.env_steps, "updates": self.num_updates},
            "meta": {
                "task": self.task,
                "obs_dim": self.obs_dim,
                "action_dim": self.action_dim,
                "base": self.base_path,
                "demonstrations": self.demos_path,
                "replay": replay,
                "algorithm": self.cfg,
            },
        }

    def load(self, loaded_dict: dict[str, Any], load_cfg: dict[str, bool] | None, strict: bool) -> bool:
        """Take up a checkpoint; its base and demonstrations serve where the configuration names none."""
        with exit_on_input_error():
            checkpoint.check_fits(loaded_dict, self.task, self.obs_dim, self.action_dim, self.cfg)
            self.model.load_state_dict(loaded_dict["model"], strict=strict)
            if load_cfg is None or load_cfg.get("optimizer", True):
                self.critic_optimiser.load_state_dict(loaded_dict["critic_optimiser"])
                self.actor_optimiser.load_state_dict(loaded_dict["actor_optimiser"])
            counters, meta = loaded_dict["counters"], loaded_dict["meta"]
            if meta["algorithm"]["reward"] == self.cfg["reward"]:  # else it can be played, but not trained on
                for name, value in loaded_dict["reward"].items():
                    setattr(self.reward, name, value)
            self.iteration, self.env_steps = counters["iteration"], counters["env_steps"]
            self.num_updates = counters["updates"]
            if self.engine is None and meta["base"] is not None:
                self._open_base(meta["base"])
            self._checkpoint = meta
        return True

    def _open_base(self, path: str) -> None:
        self.base_path = str(Path(path).absolute())
        base = load_base(path, self.task, self.cfg["base_device"] or self.device)
        self.engine = self.policy.engine = ChunkEngine(base, self.num_envs, self.device, self.cfg["replan_interval"])

    def _open_demonstrations(self, path: str) -> None:
        self.demos_path = str(Path(path).absolute())
        self.demos = load_demonstrations(
            path, self.task, self.obs_dim, self.action_dim, self.device, self.cfg["num_demonstrations"]
        )


def _evaluation_environments(num_envs: int, share: float) -> int:
    """Number of environments set aside for evaluation: at least one where there is a share, never all."""
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
