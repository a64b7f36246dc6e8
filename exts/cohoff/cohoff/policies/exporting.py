# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Export of what acts: the base policy's plan and one control step, as ONNX, and how to run them, as JSON."""

from __future__ import annotations

import contextlib
import copy
import io
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import Dim

from cohoff.errors import InputError
from cohoff.files import atomic_path, write_json
from cohoff.networks.encoders import IMAGES, VISION, PictureEncoder
from cohoff.policies.acting import ActingPolicy, NoisePolicy, StepPolicy
from cohoff.policies.flow.policy import FlowPolicy
from cohoff.policies.flow.seeing import SeeingFlowPolicy

STEP_FILE, NOISE_FILE, PLAN_FILE, ENCODER_FILE = "policy.onnx", "noise.onnx", "base.onnx", "encoder.onnx"
DESCRIPTION_FILE = "policy.json"


class Step(nn.Module):
    """One control step: actor's observation [B, D] and base action [B, A], if there is one, to the executed action."""

    def __init__(self, policy: StepPolicy):
        super().__init__()
        self.policy: StepPolicy = copy.deepcopy(policy).eval()

    def forward(self, observation: Tensor, base_action: Tensor | None = None) -> Tensor:
        """Executed action [B, A]."""
        return self.policy(observation, observation[:, :0] if base_action is None else base_action)


class Noise(nn.Module):
    """The choice for one plan: actor's observation [B, D] to the noise that the base plans from [B, noise_dim]."""

    def __init__(self, policy: NoisePolicy):
        super().__init__()
        self.policy = copy.deepcopy(policy).eval()

    def forward(self, observation: Tensor) -> Tensor:
        """Noise [B, noise_dim]."""
        return self.policy.noise(observation)


class Plan(nn.Module):
    """One plan of a flow policy: (its input [B, D], standard normal noise [B, H·A]) to a chunk [B, H, A]."""

    def __init__(self, policy: FlowPolicy):
        super().__init__()
        self.policy = copy.deepcopy(policy)

    def forward(self, observation: Tensor, noise: Tensor) -> Tensor:
        """Chunk [B, H, A]."""
        return self.policy.plan_input(observation, noise)


class Encode(nn.Module):
    """Pictures of the cameras, in the order of their names and in [0, 255], [B, H, W, 3] each, to features [B, F]."""

    def __init__(self, encoder: PictureEncoder):
        super().__init__()
        self.encoder = copy.deepcopy(encoder)

    def forward(self, pictures: list[Tensor]) -> Tensor:
        """Features [B, F]."""
        return self.encoder(dict(zip(self.encoder.spec.cameras, pictures, strict=True)))


def export_policy(
    policy: ActingPolicy, folder: Path, description: dict[str, Any], encoder: PictureEncoder | None = None
) -> list[Path]:
    """Write ``policy.onnx`` and ``policy.json``, and ``base.onnx`` and ``encoder.onnx`` if there is a base policy and
    an encoder; return the files.

    A policy that chooses the noise of plans has ``noise.onnx`` instead of ``policy.onnx``, as it executes the plan.

    Args:
        policy: Acts in environments.
        folder: Created if it is missing.
        description: JSON values that go into ``policy.json`` beside what is written here.
        encoder: Makes the observation group ``vision``.

    Raises:
        InputError: The base policy cannot be exported.
    """
    engine, base = policy.engine, None
    if engine is not None:
        base = engine.policy
        if not isinstance(base, FlowPolicy):
            raise InputError("only a flow base policy can be exported, and pi-0.5 is none; run cohoff evaluate with it")
    if isinstance(base, SeeingFlowPolicy) and not _are_equal(base.vision, encoder):
        raise InputError(
            "a base policy whose encoder is not the small policy's cannot be exported; run cohoff evaluate"
        )
    if isinstance(policy.policy, NoisePolicy):
        network, key, file, output = Noise(policy.policy).cpu(), "noise", NOISE_FILE, "noise"
    else:
        network, key, file, output = Step(policy.policy).cpu(), "step", STEP_FILE, "action"
    observation_dim = policy.policy.observation_dim
    action_dim = policy.policy.actor.action_dim if base is None else base.action_dim
    about = {
        **description,
        "observation_dim": observation_dim,
        "action_dim": action_dim,
        "step": None,
        "noise": None,
        "base": None,
        "encoder": None,
    }
    about[key] = {"file": file, "inputs": ["observation"], "output": output}
    names, inputs = about[key]["inputs"], [torch.zeros(2, observation_dim)]
    files = [folder / file, folder / DESCRIPTION_FILE]
    if engine is not None and base is not None:
        if key == "step":
            names.append("base_action")
            inputs.append(torch.zeros(2, action_dim))
        about["base"] = {
            "file": PLAN_FILE, "inputs": ["observation", "noise"], "output": "chunk",
            "observations": list(base.groups), "horizon": base.horizon, "noise_dim": base.noise_dim,
            "replan_interval": engine.replan_interval,
        }  # fmt: skip
        plan_inputs = (torch.zeros(2, base.spec.obs_dim), torch.zeros(2, base.noise_dim))
        _write_onnx(Plan(base).cpu(), plan_inputs, about["base"], folder / PLAN_FILE)
        files.append(folder / PLAN_FILE)
    if encoder is not None:
        cameras = encoder.spec.cameras
        inputs_of_encoder = [f"{IMAGES}/{name}" for name in cameras]
        about["encoder"] = {"file": ENCODER_FILE, "inputs": inputs_of_encoder, "output": VISION, "cameras": cameras}
        pictures = [torch.zeros(2, *size, 3) for size in cameras.values()]
        _write_onnx(Encode(encoder).cpu(), (pictures,), about["encoder"], folder / ENCODER_FILE)
        files.append(folder / ENCODER_FILE)
    _write_onnx(network, tuple(inputs), about[key], folder / file)
    write_json(folder / DESCRIPTION_FILE, about)
    return files


def _are_equal(first: nn.Module, second: nn.Module | None) -> bool:
    """Whether two networks have the same weights."""
    ours, theirs = first.state_dict(), {} if second is None else second.state_dict()
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name].cpu(), theirs[name].cpu()) for name in ours)


def _write_onnx(
    module: nn.Module, inputs: tuple[Tensor | list[Tensor], ...], about: dict[str, Any], path: Path
) -> None:
    """Export with any batch size; ``about`` names ``inputs``, those in lists by themselves, and ``output``."""
    rows = {0: Dim("batch")}
    shapes = tuple([rows] * len(value) if isinstance(value, list) else rows for value in inputs)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")  # of torch, about its own code
        program = torch.onnx.export(
            module.requires_grad_(False), inputs, input_names=about["inputs"], output_names=[about["output"]],
            dynamic_shapes=shapes, dynamo=True, verbose=False,
        )  # fmt: skip
    assert program is not None
    with atomic_path(path) as temporary:
        temporary.write_bytes(program.model_proto.SerializeToString())
