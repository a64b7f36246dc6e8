# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Opening flow policies, and their encoders."""

from __future__ import annotations

import os

import torch

from cohoff.errors import InputError
from cohoff.files import reading
from cohoff.networks.encoders import EncoderSpec, PictureEncoder
from cohoff.policies.base_checkpoint import CURE, read_checkpoint
from cohoff.policies.flow.policy import FlowPolicy, FlowPolicySpec
from cohoff.policies.flow.seeing import SeeingFlowPolicy


def load_flow(path: str | os.PathLike[str], task: str | None = None, device: torch.device | str = "cpu") -> FlowPolicy:
    """Open the flow policy at ``path``, frozen and in evaluation mode.

    Args:
        path: File written by :meth:`FlowPolicy.save`.
        task: Task the policy must have been trained for. None accepts any.
        device: Device of the policy and of its plans.

    Raises:
        InputError: The file cannot be read, holds another kind of policy or one of another task, or its tensors do not
            fit its sizes.
    """
    tensors, metadata = read_checkpoint(path, device)
    if metadata["kind"] != "flow":
        raise InputError(f"base checkpoint {str(path)!r} is of kind {metadata['kind']!r}, not 'flow'")
    if task is not None and metadata.get("task") != task:
        raise InputError(f"base checkpoint {str(path)!r} was trained for task {metadata.get('task')!r}, not {task!r}")
    with reading(path, CURE):
        spec = FlowPolicySpec(**metadata["spec"])
        sees = "encoder" in metadata
        policy = SeeingFlowPolicy(spec, EncoderSpec(**metadata["encoder"])) if sees else FlowPolicy(spec)
        policy.load_state_dict(tensors, strict=True)
    return policy.to(device).eval().requires_grad_(False)


def load_encoder(path: str | os.PathLike[str], task: str, device: torch.device | str) -> PictureEncoder:
    """Open the encoder of the flow policy at ``path``, frozen.

    Raises:
        InputError: As :func:`load_flow`, or the policy has no encoder.
    """
    policy = load_flow(path, task, device)
    if not isinstance(policy, SeeingFlowPolicy):
        raise InputError(f"{str(path)!r} has no encoder; give a file of scripts/pretrain.py of a task named -Camera-")
    return policy.vision
