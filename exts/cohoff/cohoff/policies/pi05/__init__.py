# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""pi-0.5 (arXiv 2504.16054) for inference in pure PyTorch: network, checkpoints and chunk policy."""

from cohoff.policies.pi05.network import Pi05
from cohoff.policies.pi05.policy import Pi05Policy, load_pi05
from cohoff.policies.pi05.policy_cfg import Pi05PolicyCfg
from cohoff.policies.pi05.spec import Pi05Shapes, Pi05Spec

__all__ = ["Pi05", "Pi05Policy", "Pi05PolicyCfg", "Pi05Shapes", "Pi05Spec", "load_pi05"]
