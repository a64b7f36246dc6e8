# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Settings of critics that several algorithms share."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, Gt, MinLen
from isaaclab.utils import configclass

from cohoff.settings import CheckedSettings


@configclass
class CategoricalCriticCfg(CheckedSettings, section="agent.algorithm.critic"):
    """The critic of XQC (arXiv 2509.25174)."""

    hidden_dims: Annotated[tuple[Annotated[int, Ge(1)], ...], MinLen(1)] = (512, 512, 512, 512)
    """Widths of the hidden layers."""

    num_atoms: Annotated[int, Ge(2)] = 101
    """Atoms of the categorical head."""

    support: Annotated[float, Gt(0)] = 5.0
    """The atoms span [-support, support]."""

    num_members: Annotated[int, Ge(1)] = 2
    """Critics in the ensemble."""


@configclass
class ScalarCriticCfg(CheckedSettings, section="agent.algorithm.critic"):
    """Critics with layer norm and one output."""

    hidden_dims: Annotated[tuple[Annotated[int, Ge(1)], ...], MinLen(1)] = (256, 256)
    """Widths of the hidden layers."""

    num_members: Annotated[int, Ge(1)] = 2
    """Critics in the ensemble."""
