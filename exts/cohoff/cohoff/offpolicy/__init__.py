# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The core that off-policy algorithms share: collecting, replay, batches, schedules, reports, checkpoints."""

from cohoff.offpolicy.algorithm import OffPolicyAlgorithm
from cohoff.offpolicy.batch import Batch, State
from cohoff.offpolicy.checkpoint import read_checkpoint
from cohoff.offpolicy.inference import load_policy
from cohoff.offpolicy.learner import Learner, Problem
from cohoff.offpolicy.replay_buffer import ReplayBuffer

__all__ = [
    "Batch",
    "Learner",
    "OffPolicyAlgorithm",
    "Problem",
    "ReplayBuffer",
    "State",
    "load_policy",
    "read_checkpoint",
]
