# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Settings of the plain tanh-Gaussian policy."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, Gt, MinLen
from isaaclab.utils import configclass

from cohoff.settings import CheckedSettings


@configclass
class GaussianPolicyCfg(CheckedSettings, section="agent.algorithm.actor"):
    """The actor of soft actor-critic (arXiv 1801.01290)."""

    hidden_dims: Annotated[tuple[Annotated[int, Ge(1)], ...], MinLen(1)] = (256, 256)
    """Widths of the hidden layers."""

    initial_std: Annotated[float, Gt(0)] = 1.0
    """Standard deviation before tanh at the start."""
