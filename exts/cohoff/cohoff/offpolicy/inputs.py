# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What a run is given: a base policy and demonstrations, opened, checked and kept."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from cohoff.data.demonstrations import Demonstrations, load_demonstrations
from cohoff.errors import InputError
from cohoff.files import atomic_path
from cohoff.networks.encoders import PictureEncoder
from cohoff.offpolicy.learner import Problem
from cohoff.offpolicy.observing import Observer
from cohoff.offpolicy.transitions import Corrections
from cohoff.policies.chunking import ChunkEngine
from cohoff.policies.flow.loading import load_encoder
from cohoff.policies.flow.seeing import SeeingFlowPolicy
from cohoff.policies.loading import load_base


class RunInputs:
    """Base policy and demonstrations of a run.

    Args:
        task: Id of the task.
        problem: Sizes and device.
        num_envs: Environments that the base policy plans for.
        group_sizes: Observation groups that the demonstrations must have, and their sizes.
        num_demonstrations: Use only the first so many; None uses all.
        base_device: Device of the base policy; None is the learner's.
        replan_interval: Control steps between two plans.
    """

    def __init__(
        self, task: str, problem: Problem, num_envs: int, group_sizes: Mapping[str, int],
        num_demonstrations: int | None, base_device: str | None, replan_interval: int,
    ):  # fmt: skip
        self._task, self._problem, self._num_envs, self._group_sizes = task, problem, num_envs, group_sizes
        self._num_demonstrations = num_demonstrations
        self._base_device, self.replan_interval = base_device, replan_interval
        self.base_path: str | None = None
        """Where the base policy is: absolute, or a name in the folder of the run."""
        self.engine: ChunkEngine | None = None
        """Plans with the base policy."""
        self.demonstrations_path: str | None = None
        """Where the demonstrations are."""
        self.demonstrations: Demonstrations | None = None
        """The demonstrations."""
        self.fingerprint = ""
        """Hash of the demonstrations, see :meth:`Demonstrations.fingerprint`."""

    def open_base(self, path: str) -> None:
        """Open the base policy.

        Raises:
            InputError: It cannot be read, or is of another task or action size.
        """
        self.base_path = str(Path(path).absolute())
        base = load_base(path, self._task, self._base_device or self._problem.device)
        if base.action_dim != self._problem.action_dim:
            raise InputError(
                f"base policy {str(path)!r} plans {base.action_dim} actions, the task has {self._problem.action_dim}; "
                "train it again with scripts/pretrain.py"
            )
        self.engine = ChunkEngine(base, self._num_envs, self._problem.device, self.replan_interval)

    def encoder(self, path: str | None) -> PictureEncoder:
        """Open the encoder in a file of scripts/pretrain.py; None takes the base policy's.

        Raises:
            InputError: There is none.
        """
        if path is not None:
            return load_encoder(path, self._task, self._problem.device)
        base = None if self.engine is None else self.engine.policy
        if not isinstance(base, SeeingFlowPolicy):
            raise InputError(
                "no encoder for the group 'vision'; set agent.algorithm.encoder=FILE, a base policy that "
                "scripts/pretrain.py has trained on this task"
            )
        return base.vision

    @property
    def noise_dim(self) -> int:
        """Number of noise values that a plan of the base policy starts from; 0 without one."""
        return 0 if self.engine is None else self.engine.policy.noise_dim

    def open_demonstrations(self, path: str) -> None:
        """Open the demonstrations.

        Raises:
            InputError: They cannot be read, or do not fit the task.
        """
        self.demonstrations_path = str(Path(path).absolute())
        self.demonstrations = load_demonstrations(
            path, self._task, self._group_sizes, self._problem.action_dim, self._problem.device,
            self._num_demonstrations,
        )  # fmt: skip
        self.fingerprint = self.demonstrations.fingerprint()

    def corrections(self, path: str | None, observe: Observer) -> Corrections | None:
        """Open demonstrations whose intended actions are cloned; None without a path.

        Raises:
            InputError: They cannot be read, or do not fit the task.
        """
        if path is None:
            return None
        found = observe.see_demonstrations(
            load_demonstrations(path, self._task, self._group_sizes, self._problem.action_dim, self._problem.device)
        )
        return Corrections(observe(found.observations)["actor"], found.intended)

    def complete(self, needs_base: bool, fingerprint: str | None) -> Demonstrations:
        """Open what has not been opened yet; return the demonstrations.

        Args:
            needs_base: Whether a base policy must be there.
            fingerprint: What the demonstrations must have, those of a resumed run; None for a new one.

        Raises:
            InputError: Something is missing, or the demonstrations are other ones.
        """
        if self.demonstrations is None and self.demonstrations_path is not None:
            self.open_demonstrations(self.demonstrations_path)
        if self.demonstrations is None:
            raise InputError("no demonstrations; set agent.algorithm.demonstrations=FILE (scripts/collect_demos.py)")
        if needs_base and self.engine is None:
            raise InputError("no base policy; set agent.algorithm.base=FILE (scripts/pretrain.py)")
        if fingerprint is not None and self.fingerprint != fingerprint:
            raise InputError(
                f"{self.demonstrations_path!r} does not hold the demonstrations that the checkpoint was trained with; "
                "set agent.algorithm.demonstrations=FILE (and num_demonstrations) to those"
            )
        return self.demonstrations

    def keep_base(self, folder: Path | None) -> None:
        """Copy a base policy that is one file into the run's folder, which can then be moved."""
        if folder is None or self.base_path is None or not Path(self.base_path).is_file():
            return
        copy = folder / f"base{Path(self.base_path).suffix}"
        if copy != Path(self.base_path):
            with atomic_path(copy) as temporary:
                shutil.copyfile(self.base_path, temporary)
        self.base_path = copy.name
