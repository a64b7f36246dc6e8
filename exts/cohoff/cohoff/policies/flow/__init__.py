# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A small flow-matching policy that plans action chunks, and its training on demonstrations."""

from cohoff.policies.flow.policy import FlowPolicy, FlowPolicySpec, load_flow
from cohoff.policies.flow.training import FlowTrainingCfg, FlowTrainingReport, train_flow

__all__ = [
    "FlowPolicy",
    "FlowPolicySpec",
    "FlowTrainingCfg",
    "FlowTrainingReport",
    "load_flow",
    "train_flow",
]
