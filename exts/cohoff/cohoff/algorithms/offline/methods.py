# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Methods by the name of their paper: presets of the choices."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

CONTINUOUS = "cohoff.algorithms.offline.continuous:OfflineContinuous"
CODES = {
    "learner": "cohoff.algorithms.offline.codes:OfflineCodes",
    "cfg": "cohoff.algorithms.offline.offline_cfg:CodesCfg",
}
"""Where learner and configuration of methods with codes are."""


@dataclass(frozen=True)
class Method:
    """A learner, its settings and those of the loop, as far as they differ from the defaults."""

    source: str
    """Where it comes from."""

    settings: dict[str, Any] = field(default_factory=dict)
    """Of learner and loop."""

    learner: str = CONTINUOUS
    """The learner, as ``module:class``."""

    cfg: str = "cohoff.algorithms.offline.offline_cfg:ContinuousCfg"
    """Configuration of the learner, as ``module:class``."""


METHODS = {
    "bc": Method("behavior cloning of everything", {"backup": "none", "policy_delay": 1}),
    "filtered_bc": Method(
        "behavior cloning of the successes", {"backup": "none", "policy_delay": 1, "sampler": "success"}
    ),
    "iql": Method("arXiv 2110.06169", {"backup": "expectile", "anchor": "advantage", "policy_delay": 1}),
    "td3bc": Method("arXiv 2106.06860"),
    "red": Method(
        "arXiv 2210.09241, on IQL",
        {"backup": "expectile", "anchor": "advantage", "policy_delay": 1, "sampler": "return"},
    ),
    "relaxed_td3bc": Method("arXiv 2211.11802", {"anchor": "decayed"}),
    "td3_rkl": Method("arXiv 2212.02125", {"anchor": "reverse_kl", "alpha": 10.0}),
    "boundaries": Method("arXiv 2206.00695", {"backup": "best_of", "anchor": "samples"}),
    "cwbc": Method("arXiv 2210.05158", {"backup": "none", "data": "conditioned", "sampler": "bins", "policy_delay": 1}),
    "saq_iql": Method("arXiv 2310.11731 with IQL", {"backup": "expectile", "anchor": "advantage"}, **CODES),
    "saq_cql": Method("arXiv 2310.11731 with CQL", {"anchor": "conservative"}, **CODES),
    "saq_brac": Method("arXiv 2310.11731 with BRAC", {"anchor": "reverse_kl"}, **CODES),
    "mopo": Method("arXiv 2005.13239, with the anchor of TD3+BC", {"data": "model"}),
    "csil": Method(
        "arXiv 2606.02194, without collecting",
        {
            "combination": "policy",
            "refinement_learning_rate": 0.0,
            "gradient_penalty": 0.0,
            "demonstrated_actions": True,
            "demonstration_share": 0.5,
            "policy_delay": 3,
            "actor_learning_rate_share": 0.3,
        },
        learner="cohoff.algorithms.csil.csil:CSIL",
        cfg="cohoff.algorithms.csil.csil_cfg:CsilAlgorithmCfg",
    ),
    "coil": Method("arXiv 2111.02056", {"backup": "none", "sampler": "curriculum", "policy_delay": 1}),
}
"""Methods by name."""
