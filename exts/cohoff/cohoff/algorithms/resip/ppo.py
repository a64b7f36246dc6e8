# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""rsl_rl's own PPO, in an environment that adds the base action to what is learned."""

from __future__ import annotations

import os
from typing import Any

from rsl_rl.algorithms import PPO
from tensordict import TensorDict

from cohoff.algorithms.resip.residual import GROUP
from cohoff.errors import InputError, exit_on_input_error


class ResidualPPO:
    """Builds rsl_rl's PPO as it is, if the environment shows the base action."""

    @staticmethod
    def construct_algorithm(obs: TensorDict, env: Any, cfg: dict[str, Any], device: str) -> PPO:
        """Build the algorithm for rsl_rl's runner; without a base policy the program ends with one line."""
        # rsl_rl's runner opens checkpoints with pickle; this makes torch refuse code in them.
        os.environ["TORCH_FORCE_WEIGHTS_ONLY_LOAD"] = "1"
        with exit_on_input_error():
            if GROUP not in obs.keys():  # noqa: SIM118
                raise InputError("no base policy; set env.base=FILE (scripts/pretrain.py)")
        algorithm = cfg["algorithm"] | {"class_name": "PPO"}
        return PPO.construct_algorithm(obs, env, cfg | {"algorithm": algorithm}, device)
