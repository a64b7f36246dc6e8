# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Starting an actor as a policy that was trained before, on recorded data alone."""

from __future__ import annotations

import torch
from torch import nn

from cohoff.errors import InputError
from cohoff.networks.gaussian import GaussianPolicy
from cohoff.offpolicy.inference import load_policy
from cohoff.offpolicy.learner import Learner, StartingLearner
from cohoff.policies.acting import ActingPolicy, CombinedPolicy, SmallPolicy
from cohoff.policies.combine import Residual


def start_learner(learner: Learner, path: str, task: str, device: torch.device) -> None:
    """Let the actor of a learner start as the policy in ``path``, a checkpoint or a folder of ``cohoff offline``.

    Only weights and normalization of the actor are taken. Critics of ``cohoff offline`` value another executed action,
    and that of CSIL++ another reward, which is read off the clone again.

    Raises:
        InputError: The policy cannot be opened, is of another task or other sizes, is not one network that acts alone,
            or is another network than the learner's.
    """
    step0 = learner.policy("step0")
    if not isinstance(learner, StartingLearner) or not isinstance(step0, CombinedPolicy):
        raise InputError("agent.algorithm.start: this agent has no actor that could start as a policy; leave it out")
    if isinstance(step0.combination, Residual):
        raise InputError(
            "agent.algorithm.start: the actor of combination=residual is a small correction; set "
            "agent.algorithm.combination=ensemble or policy"
        )
    found = load_policy(path, 1, device, task=task)
    if not isinstance(found, ActingPolicy) or type(found.policy) is not CombinedPolicy or found.engine is not None:
        raise InputError(f"{path!r} is not one network that acts alone; start from another method, such as iql or csil")
    actor = found.policy.actor
    if _sizes(actor) != _sizes(step0.actor):
        raise InputError(
            f"{path!r} holds {_describe(actor)}, this agent has {_describe(step0.actor)}; policies of method csil have "
            "the network of csil, those of other methods fit with agent.algorithm.actor_hidden_dims (csil) or "
            "agent.algorithm.actor.hidden_dims"
        )
    learner.start_from(actor)
    print(f"[cohoff] the actor starts as the policy in {path!r}", flush=True)


def _sizes(network: nn.Module) -> dict[str, torch.Size]:
    return {name: value.shape for name, value in network.state_dict().items()}


def _describe(network: SmallPolicy) -> str:
    """Kind and sizes of a network in words."""
    hidden = [layer.out_features for layer in network.body if isinstance(layer, nn.Linear)]
    kind = "a perceptron" if isinstance(network, GaussianPolicy) else "a stationary policy"
    return f"{kind} with {network.obs_dim} inputs, {network.action_dim} actions and layers of {hidden}"
