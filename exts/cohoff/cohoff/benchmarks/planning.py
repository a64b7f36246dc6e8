# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Time that a base policy behind its action queues adds to a control step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from tensordict import TensorDict
from torch import Tensor

from cohoff.benchmarks.sizes import ACTION_DIM, OBS_DIM, Sizes
from cohoff.experiments.timing import milliseconds
from cohoff.offpolicy.capture import CapturedCalls, CudaRecorder
from cohoff.policies.base import ChunkPolicy
from cohoff.policies.chunking import ChunkEngine
from cohoff.policies.flow.policy import FlowPolicy, FlowPolicySpec
from cohoff.policies.pi05.batches import MicroBatches
from cohoff.policies.pi05.network import Pi05
from cohoff.policies.pi05.random_weights import random_source
from cohoff.policies.pi05.spec import Pi05Spec

REPLAN_INTERVAL = 10
"""Control steps between two plans of one environment."""

CAMERAS, TOKENS = 2, 64
"""Images and prompt length of pi-0.5."""


class RandomPi05:
    """pi-0.5 with random weights behind the interface of a base policy; every environment sees the same images."""

    observations: tuple[str, ...] = ("policy",)

    def __init__(self, spec: Pi05Spec, device: str, mode: str):
        self.horizon, self.action_dim, self.noise_dim = spec.chunk, spec.action_dim, spec.chunk * spec.action_dim
        dtype = torch.bfloat16 if device.startswith("cuda") else torch.float32
        model = Pi05(random_source(spec, device=device), spec, torch.device(device), dtype)
        self._network = MicroBatches(model, CAMERAS, TOKENS, mode=mode)
        self._images = 2.0 * torch.rand(1, CAMERAS, 3, spec.image, spec.image, device=device) - 1.0
        self._tokens = torch.randint(2, spec.vocab, (1, TOKENS), device=device)
        self._mask = torch.ones(1, max(CAMERAS, TOKENS), dtype=torch.bool, device=device)

    def plan(self, obs: TensorDict, noise: Tensor | None = None) -> Tensor:
        """Chunks [B, H, A]."""
        assert noise is not None
        count = len(noise)
        images = self._images.expand(count, -1, -1, -1, -1)
        tokens, masks = self._tokens.expand(count, -1), self._mask.expand(count, -1)
        noise = noise.view(count, self.horizon, self.action_dim)
        return self._network(images, masks[:, :CAMERAS], tokens, masks[:, :TOKENS], noise)


def make_flow(device: str) -> FlowPolicy:
    """The flow base of the tasks, with random weights."""
    policy = FlowPolicy(FlowPolicySpec(OBS_DIM, ACTION_DIM))
    torch.nn.init.normal_(policy.output.weight, std=0.1)
    return policy.to(device).eval().requires_grad_(False)


def step_time(policy: ChunkPolicy, num_envs: int, device: str, sizes: Sizes, captured: bool = False) -> float:
    """Time [ms] of a control step in steady state, in which a hundredth of the environments is reset."""
    engine = ChunkEngine(policy, num_envs, device, REPLAN_INTERVAL)
    obs = TensorDict({"policy": torch.randn(num_envs, OBS_DIM, device=device)}, batch_size=[num_envs])
    if captured:
        replan = engine.replan
        calls = CapturedCalls(lambda size: replan(obs, size), CudaRecorder(engine.device))
        engine.replan = lambda obs, size: calls(size)
    num_resets = -(-num_envs // 100)
    done = torch.arange(num_envs, device=device) < num_resets

    def step() -> None:
        engine.act(obs)
        engine.reset(done, num_resets)

    return milliseconds(device, step, sizes.calls, warm_up=2 * REPLAN_INTERVAL)


def measure_flow(sizes: Sizes, device: str) -> Iterator[dict[str, Any]]:
    """One row for each number of environments: time of a control step, eager and, on CUDA, with captured plans."""
    policy = make_flow(device)
    for num_envs in sizes.flow_envs:
        row = {"num_envs": num_envs, "eager_ms": step_time(policy, num_envs, device, sizes)}
        if device.startswith("cuda"):
            row["captured_ms"] = step_time(policy, num_envs, device, sizes, captured=True)
        yield row


def measure_pi05(sizes: Sizes, device: str) -> Iterator[dict[str, Any]]:
    """One row for each mode and number of environments: time of a control step and of a chunk."""
    spec = Pi05Spec(**sizes.pi05)
    for mode in ("eager", "graph")[: 1 + device.startswith("cuda")]:
        policy = RandomPi05(spec, device, mode)
        for num_envs in sizes.pi05_envs:
            time = step_time(policy, num_envs, device, sizes)
            yield {"mode": mode, "num_envs": num_envs, "step_ms": time}
        del policy
