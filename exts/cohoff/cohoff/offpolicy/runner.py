# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""rsl_rl's runner for off-policy algorithms: whole checkpoints, exact resuming, and an orderly end when interrupted."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

from rsl_rl.runners import OnPolicyRunner

from cohoff.errors import InputError, exit_on_input_error
from cohoff.offpolicy.algorithm import OffPolicyAlgorithm
from cohoff.offpolicy.checkpoint import read_checkpoint, write_checkpoint
from cohoff.offpolicy.interruption import Interrupted, Interruption, end
from cohoff.offpolicy.learner import NoiseLearner
from cohoff.offpolicy.parts import write_part
from cohoff.offpolicy.run_logger import RunLogger, copy_curves
from cohoff.offpolicy.saved_settings import RUNNER_SETTINGS, agent_settings, merge, named_on_command_line
from cohoff.policies.exporting import export_policy

FIXED = ("algorithm.learner", "obs_groups")
"""Settings that must be those of the checkpoint."""

FIXED_FOR_TRAINING = ("algorithm.replay_rows", "algorithm.evaluation_share")
"""Further settings that must be the checkpoint's if training goes on."""

RUN_ID = "WANDB_RUN_ID"
"""Environment variable that names the run on W&B; a resumed run keeps it."""

SKIPPED_AT_MOST = 100
"""Updates in a row that may be skipped because they are not finite, before the run ends."""


class OffPolicyRunner(OnPolicyRunner):
    """Runs an :class:`~cohoff.offpolicy.algorithm.OffPolicyAlgorithm`.

    A resumed run goes on to the planned number of iterations, with the checkpoint's settings unless the command line
    names others. SIGTERM, SIGUSR1 and Ctrl-C end a run after the iteration that is under way, with a checkpoint.
    """

    alg: OffPolicyAlgorithm  # pyright: ignore[reportIncompatibleVariableOverride]

    @classmethod
    def adopt(cls, runner: object) -> None:
        """Turn rsl_rl's own runner into one of this class; leave anything else alone."""
        if type(runner) is OnPolicyRunner:
            runner.__class__ = cls
            if runner.cfg.get("logger") == "wandb":
                # Isaac Lab would draw it with a function that newer versions of wandb do not have.
                os.environ.setdefault(RUN_ID, secrets.token_hex(4))

    def learn(self, num_learning_iterations: int, init_at_random_ep_len: bool = False) -> None:
        """Train for ``num_learning_iterations``; after :meth:`load`, to the planned number of iterations.

        Raises:
            KeyboardInterrupt: Ctrl-C, after the checkpoint.
            SystemExit: SIGTERM or SIGUSR1, after the checkpoint (status 143 or 138), or too many updates were not
                finite (status 1).
        """
        with exit_on_input_error():
            if self.alg.resumed is not None:
                num_learning_iterations = self.alg.max_iterations - self.alg.iteration
                print(f"[cohoff] resumed after iteration {self.alg.iteration} of {self.alg.max_iterations}", flush=True)
            if num_learning_iterations <= 0:
                print("[cohoff] nothing left to do; --max_iterations gives a run more iterations", flush=True)
                return
            # Earlier than rsl_rl does it, which reads the observations before.
            self.alg.train_mode()
            if self.alg.resumed is not None:
                self._go_on()
            self._tell_what_never_starts(num_learning_iterations)
            with Interruption(self.alg.ranks) as interruption:

                def check() -> None:
                    interruption.check()
                    self._check_progress()
                    if self._saves_with_the_first and self.current_learning_iteration % self.cfg["save_interval"] == 0:
                        self.save(str(self._path()))

                self.logger = RunLogger(self.logger, lambda: self.alg.report.log, self.alg.iteration, check)
                try:
                    super().learn(num_learning_iterations, init_at_random_ep_len)
                    if self._saves_with_the_first:
                        self.save(str(self._path()))
                except Interrupted as interrupted:
                    end(interrupted, self._save_interrupted())

    def _tell_what_never_starts(self, iterations: int) -> None:
        steps = iterations * self.cfg["num_steps_per_env"]
        num_envs = self.env.num_envs * self.alg.ranks.size
        total = self.alg.env_steps + steps * num_envs
        each = total // num_envs
        if (first := self.alg.learning_starts) >= total:
            print(
                f"[cohoff] no update will be made: agent.algorithm.learning_starts={first}, {total} steps are planned"
            )
        if (first := self.alg.actor_start_steps) >= total:
            print(
                f"[cohoff] the actor will not move: agent.algorithm.actor_start_steps={first}, "
                f"{total} steps are planned"
            )
        count = self.alg.actor_start_episodes
        if (first := count * self.alg.env.max_episode_length) > each:
            print(
                f"[cohoff] the actor may not move: agent.algorithm.actor_start_episodes={count} can take {first} "
                f"control steps of each environment, and {each} are planned"
            )

    def _save_interrupted(self) -> str:
        """Save the run after its last whole iteration; return what was done, in words."""
        if self.logger.log_dir is None:
            return "nothing saved, as the run has no folder"
        path = self._path()
        self.save(str(path))
        self.logger.stop_logging_writer()
        return f"saved {path.name}"

    def _path(self) -> Path:
        assert self.logger.log_dir is not None
        return Path(self.logger.log_dir, f"model_{self.current_learning_iteration}.pt")

    @property
    def _saves_with_the_first(self) -> bool:
        """Whether rank 0 saves when rsl_rl's runner tells it to, and this rank, which is not told, has to as well."""
        return self.logger.log_dir is not None and not self.alg.ranks.is_first

    def _check_progress(self) -> None:
        """Raise :class:`Interrupted` if too many updates in a row were skipped."""
        if (skipped := self.alg.report.totals["skipped_in_a_row"]) >= SKIPPED_AT_MOST:
            raise Interrupted(f"{skipped} updates in a row had a loss or a gradient that is not finite", status=1)

    def save(self, path: str, infos: dict | None = None) -> None:
        """Write a checkpoint, whole or not at all; every rank has to call it, and writes its part."""
        ranks = self.alg.ranks
        with ranks.together():  # the parts are there before the checkpoint that they belong to
            content = self.alg.save() | {"iter": self.current_learning_iteration, "infos": infos}
            if not ranks.is_first and self.alg.log_dir is not None:
                write_part(content, self.alg.log_dir)
        if not ranks.is_first:
            return
        content["meta"]["wandb_run"] = os.environ.get(RUN_ID)
        write_checkpoint(content, Path(path))
        self.logger.save_model(path, self.current_learning_iteration)

    def load(
        self, path: str, load_cfg: dict | None = None, strict: bool = True, map_location: str | None = None
    ) -> dict:
        """Open a checkpoint or, if it is damaged, the newest whole one before it in its folder; return nothing more."""
        with exit_on_input_error(), self.alg.ranks.together():
            content, file = read_checkpoint(path, map_location or self.device)
            self._take_settings(content["meta"])
            self.alg.load(content, load_cfg, strict)
            self._source = file.parent
            if self.cfg.get("logger") == "wandb" and content["meta"].get("wandb_run"):
                os.environ |= {RUN_ID: content["meta"]["wandb_run"], "WANDB_RESUME": "allow"}
        self.current_learning_iteration = self.alg.iteration
        return {}

    def export_policy_to_jit(self, path: str, filename: str = "policy.pt") -> None:
        """Write nothing: :meth:`export_policy_to_onnx` exports everything that acts."""

    def export_policy_to_onnx(self, path: str, filename: str = "policy.onnx", verbose: bool = False) -> None:
        """Export base policy, small policy and a description to the folder ``path``, and say so.

        Where that is not possible, playing goes on, and one line tells why.
        """
        describe = getattr(self.alg.env, "describe", dict)
        about = {"task": self.alg.task, "observation_groups": self.alg.observe.groups["actor"], **describe()}
        try:
            files = export_policy(self.alg.get_policy(), Path(path), about, self.alg.observe.encoder)
            line = f"exported {', '.join(file.name for file in files)} to {path}"
        except (InputError, OSError) as error:
            line = f"not exported: {error}"
        print(f"[cohoff] {line}", flush=True)

    def _take_settings(self, meta: dict[str, Any]) -> None:
        """Build the algorithm anew where the checkpoint's settings differ from those it was built with.

        Also where the base policy is the checkpoint's and gives the networks their size.
        """
        learner = self.alg.learner
        takes_base = isinstance(learner, NoiseLearner) and self.alg.engine is None
        if takes_base:
            self.cfg["algorithm"]["base"] = meta["base"]
        fixed = [*FIXED, *(f"algorithm.{name}" for name in learner.fixed_settings)]
        trains = self.logger.log_dir is not None
        if trains:
            fixed += [*FIXED_FOR_TRAINING, *(f"algorithm.{name}" for name in learner.fixed_for_training)]
        settings, used, kept = merge(meta["agent"], agent_settings(self.cfg), named_on_command_line(), fixed)
        for line in (*used, *kept) if trains else used:
            print(f"[cohoff] {line}", flush=True)
        if settings == agent_settings(self.cfg) and not takes_base:
            return
        self.cfg["algorithm"] |= settings["algorithm"]
        self.cfg.update({name: settings[name] for name in RUNNER_SETTINGS})
        self.alg = OffPolicyAlgorithm.construct_algorithm(
            self.env.get_observations(), self.env, self.cfg, self.device
        )  # fmt: skip

    def _go_on(self) -> None:
        """Bring environments and curves to where the checkpoint was."""
        if not self.alg.restores_environment:
            self.env.reset()  # pyright: ignore[reportAttributeAccessIssue]
        if self.alg.ranks.is_first and self.logger.log_dir is not None and self._source != Path(self.logger.log_dir):
            copy_curves(self._source, Path(self.logger.log_dir))
