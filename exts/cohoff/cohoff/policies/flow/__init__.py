# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A small flow-matching policy that plans action chunks, and its training on demonstrations."""

from cohoff.policies.flow.loading import load_flow
from cohoff.policies.flow.policy import FlowPolicy, FlowPolicySpec
from cohoff.policies.flow.seeing import SeeingFlowPolicy
from cohoff.policies.flow.seeing_training import SeeingTrainingCfg, train_seeing_flow
from cohoff.policies.flow.training import FlowTrainingCfg, FlowTrainingReport, train_flow

__all__ = [
    "FlowPolicy",
    "FlowPolicySpec",
    "FlowTrainingCfg",
    "FlowTrainingReport",
    "SeeingFlowPolicy",
    "SeeingTrainingCfg",
    "load_flow",
    "train_flow",
    "train_seeing_flow",
]
