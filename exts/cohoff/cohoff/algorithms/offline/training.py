# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The loop of learning from recorded data alone: updates, curriculum, progress, checkpoints, resuming."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from tensordict import TensorDict

from cohoff.algorithms.offline.dataset import OfflineData, recorded_transitions, successes
from cohoff.algorithms.offline.samplers import make_sampler
from cohoff.data.recording import Recording
from cohoff.errors import InputError
from cohoff.files import atomic_path, reading, write_json
from cohoff.offpolicy.batch import Batch, concatenate
from cohoff.offpolicy.checkpoint import describe_problem, read_checkpoint, write_checkpoint
from cohoff.offpolicy.distributed import ALONE
from cohoff.offpolicy.interruption import Interrupted, Interruption, end
from cohoff.offpolicy.learner import Problem, make_learner
from cohoff.offpolicy.learning_rate import LearningRate
from cohoff.offpolicy.observing import Observer
from cohoff.offpolicy.random_state import random_state, restore_random_state
from cohoff.run_folder import PRETRAINING_FILE, PROGRESS_FILE

REPORT_EVERY = 250
"""Updates between two lines of the progress file, of which each is an iteration; each costs a host read."""

GROUPS = {"actor": ["policy"], "critic": ["policy"]}
"""Observation groups that are learned from."""


@runtime_checkable
class Scheduled(Protocol):
    """A learner whose losses change over the training."""

    def schedule(self, share: float) -> None:
        """Take the ``share`` of the updates that is over into account."""
        ...


class OfflineTraining:
    """A training run.

    Args:
        method: Name of the method.
        learner: Its learner, ``module:class``.
        settings: Those of the learner.
        loop: Those of :class:`~cohoff.algorithms.offline.offline_cfg.OfflineTrainingCfg`.
        recording: What is learned from.
        folder: Where checkpoints go; None saves nothing.
        device: Where the networks live.
        seed: Of networks and batches.

    Raises:
        InputError: The data do not have what the method needs, or the settings exclude each other.
    """

    def __init__(
        self, method: str, learner: str, settings: dict[str, Any], loop: dict[str, Any], recording: Recording,
        folder: Path | None, device: str, seed: int,
    ):  # fmt: skip
        check_data(method, settings, loop, recording)
        torch.manual_seed(seed)
        self.method, self.learner_name, self.settings, self.loop = method, learner, settings, loop
        self.recording, self.folder, self.device = recording, folder, torch.device(device)
        example = TensorDict({"policy": recording.obs[:0]}, batch_size=[0])
        self.observe = Observer(GROUPS, example)
        sizes = self.observe.sizes
        self.problem = Problem(sizes["actor"], sizes["critic"], recording.actions.shape[1], self.device)
        self.learner = make_learner(learner, self.problem, settings)
        shares = {"actor": loop["actor_learning_rate_share"]}
        self._rate = LearningRate(
            self.learner.optimizers, loop["learning_rate"], loop["final_learning_rate"], self.device, shares
        )
        self.sampler = make_sampler(loop["sampler"], recording, loop["stages"], loop["stage_episodes"])
        counted = recording.lengths[recording.success] if recording.success.any() else recording.lengths
        self.discount = loop["discount"] or 1.0 - 1.0 / (loop["effective_horizon"] * float(counted.float().mean()))
        self.num_updates, self.seconds = 0, 0.0
        self._resumed: dict[str, Any] | None = None

    def resume(self) -> None:
        """Go on from the newest checkpoint in the folder of the run.

        Raises:
            InputError: There is none, or it is of another method, other settings or other data.
        """
        assert self.folder is not None
        content, file = read_checkpoint(self.folder, self.device)
        meta = content["meta"]
        now = {"learner": self.learner_name, "settings": plain(self.settings), "loop": plain(self.loop)}
        for name, value in now.items():
            if meta.get(name) != value:
                raise InputError(f"{str(file)!r} was trained with another {name}; resume with the same command")
        if meta["fingerprint"] != self.recording.fingerprint():
            raise InputError(f"{str(file)!r} was trained on other data; give the same files to --data")
        with reading(file, "train it again"):
            self.learner.modules.load_state_dict(content["model"])
            self._rate.load_optimizers(content["optimizers"])
            self.learner.load_constants(content["constants"])
            self.sampler.load_state_dict(content["running"]["sampler"])
            self.num_updates, self.seconds = content["counters"]["updates"], content["running"]["seconds"]
        self._resumed = content
        self._forget_what_came_later()

    def _forget_what_came_later(self) -> None:
        """Drop lines of progress behind the checkpoint, which a run that was killed has left."""
        assert self.folder is not None
        path = self.folder / PROGRESS_FILE
        with reading(path, "remove the file"):
            lines = path.read_text(encoding="utf-8").split("\n")[:-1]
            kept = [line for line in lines if json.loads(line)["updates"] <= self.num_updates]
        with atomic_path(path) as temporary:
            temporary.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")

    def run(self, progress: Any) -> None:
        """Train to the end; ``progress`` is :func:`cohoff.cli.show_progress` or its like.

        Raises:
            KeyboardInterrupt: SIGINT, after a checkpoint.
            SystemExit: SIGTERM, after a checkpoint.
        """
        data = self._prepare(progress)
        total, start = self.loop["updates"], time.monotonic() - self.seconds
        with Interruption(ALONE) as interruption, progress(self.method, total, "updates") as advance:
            try:
                while self.num_updates < total:
                    metrics = self._iterate(data, min(REPORT_EVERY, total - self.num_updates))
                    self.seconds = time.monotonic() - start
                    self._report(metrics)
                    advance(self.num_updates, ", ".join(f"{name} {value:.3g}" for name, value in metrics.items()))
                    if self.num_updates >= total or self.num_updates % self.loop["save_interval"] < REPORT_EVERY:
                        self.save()
                    interruption.check()
            except Interrupted as interrupted:
                end(interrupted, f"saved {self.save() or 'nothing, as the run has no folder'}")

    def _prepare(self, progress: Any) -> OfflineData:
        """Learn what precedes the updates, unless that was done before, and lay out the data."""
        transitions = recorded_transitions(self.recording, self.observe, self.discount)
        part = successes(transitions, self.recording) if self.loop["demonstration_share"] > 0.0 else None
        if self._resumed is None:
            measured = self.learner.prepare(part or transitions, None, self.discount, progress)
            for phase, values in measured.items():
                print(f"[cohoff] {phase}: " + ", ".join(f"{name} {value:.4g}" for name, value in values.items()))
            if self.folder is not None:
                write_json(self.folder / PRETRAINING_FILE, measured)
        data = OfflineData(self.learner, transitions, part, None if part else self.recording.rewards)
        data.weigh(self.sampler)
        if self._resumed is not None:
            restore_random_state(self._resumed["running"]["random"], self.device)
        return data

    def _iterate(self, data: OfflineData, count: int) -> dict[str, float]:
        """``count`` updates; return the means of what they measured."""
        sums: dict[str, torch.Tensor] = {}
        counts: dict[str, int] = {}
        for _ in range(count):
            share = self.num_updates / self.loop["updates"]
            if self.sampler.refresh(share, lambda: self._deviation()):
                data.weigh(self.sampler)
            self._rate.set(share)
            if isinstance(self.learner, Scheduled):
                self.learner.schedule(share)
            batch, num_successes = self._draw(data)
            with_actor = self.num_updates % self.loop["policy_delay"] == 0
            for name, value in self.learner.update(batch, num_successes, with_actor).items():
                sums[name] = sums.get(name, 0.0) + value
                counts[name] = counts.get(name, 0) + 1
            self.num_updates += 1
        metrics = {name: float(value) / counts[name] for name, value in sums.items()}
        if any(value == 1.0 for name, value in metrics.items() if name.startswith("skipped")):
            raise InputError("no loss is finite any more; lower learning_rate")
        return {name: value for name, value in metrics.items() if not name.startswith("skipped") or value > 0.0}

    def _draw(self, data: OfflineData) -> tuple[Batch, int]:
        """A batch, and how many of its first rows are of successes alone."""
        size, n_step = self.loop["batch_size"], self.loop["n_step"]
        num_successes = round(size * self.loop["demonstration_share"])
        batch = data.draw(size - num_successes, n_step, self.discount)
        if num_successes:
            batch = concatenate(data.draw_successes(num_successes, n_step, self.discount), batch)
        return batch, num_successes

    @torch.no_grad()
    def _deviation(self) -> torch.Tensor:
        policy = self.learner.policy("trained")
        assert policy is not None
        obs = self.observe(self.recording.observations)["actor"]
        return (policy(obs, obs[:, :0]) - self.recording.actions).square().mean(1)

    def _report(self, metrics: dict[str, float]) -> None:
        if self.folder is None:
            return
        line = {"iteration": self._iteration, "seconds": round(self.seconds, 3), "env_steps": 0}
        with (self.folder / PROGRESS_FILE).open("a", encoding="utf-8") as file:
            file.write(json.dumps({**line, "updates": self.num_updates, **metrics}) + "\n")

    @property
    def _iteration(self) -> int:
        return -(-self.num_updates // REPORT_EVERY)

    def save(self) -> str | None:
        """Write a checkpoint; return its name."""
        if self.folder is None:
            return None
        path = self.folder / f"model_{self._iteration - 1}.pt"
        write_checkpoint(self.content(), path)
        return path.name

    def content(self) -> dict[str, Any]:
        """What a checkpoint holds: tensors and plain values."""
        return {
            "model": self.learner.modules.state_dict(),
            "optimizers": {name: optimizer.state_dict() for name, optimizer in self.learner.optimizers.items()},
            "constants": self.learner.constants(),
            "counters": {"iteration": self._iteration, "env_steps": 0, "updates": self.num_updates},
            "running": {
                "sampler": self.sampler.state_dict(),
                "seconds": self.seconds,
                "random": random_state(self.device),
            },
            "meta": {
                "task": self.recording.task,
                "method": self.method,
                "learner": self.learner_name,
                "settings": plain(self.settings),
                "loop": plain(self.loop),
                "agent": {},
                "problem": describe_problem(self.problem),
                "obs_groups": self.observe.groups,
                "group_sizes": self.observe.group_sizes,
                "replan_interval": 1,
                "base": None,
                "demonstrations": None,
                "fingerprint": self.recording.fingerprint(),
                "replay": None,
            },
        }


def plain(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings as JSON has them: lists instead of tuples."""
    return json.loads(json.dumps(settings))


def check_data(method: str, settings: dict[str, Any], loop: dict[str, Any], recording: Recording) -> None:
    """Raise InputError where the data lack rewards, successes or failures that the choices need."""
    weighs = loop["sampler"] in ("return", "bins", "curriculum") or settings.get("anchor") in ("advantage", "samples")
    conditioned = settings.get("data") == "conditioned"
    if weighs or conditioned or settings.get("backup", "none") != "none":
        returns = recording.returns
        if (weighs or conditioned) and returns.min() == returns.max():
            raise InputError(
                f"method {method} tells good episodes from bad ones, and all {len(returns)} episodes of the data have "
                f"the return {float(returns[0]):.3g}; add others to --data (collect_demos --keep all)"
            )
    if loop["sampler"] == "success" or loop["demonstration_share"] > 0.0:
        recording.demonstrations()
