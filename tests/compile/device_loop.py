# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The runner's loop on a device without data, as a program: ``python device_loop.py meta`` or ``cuda:0``.

Tensors have a shape and a device here, but no values. So the loop ends with an error where the host reads a tensor or a
shape depends on data. :class:`OnDeviceAlone` and :class:`NothingFromTheHost` refuse tensors of another device and
copies from the host, which CUDA graphs cannot hold either.

``meta`` is torch's own device without data, on which gradients are computed as well. ``cuda:0`` are fake tensors that
claim to be on a GPU; torch takes gradients of these only where there is a driver, so there the backward pass is left
out.

It runs in a process of its own, because the mode of fake tensors changes how torch handles GPUs until the process ends.
"""

from __future__ import annotations

import sys
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any
from unittest import mock

import torch
from tensordict import TensorDict
from torch._subclasses import FakeTensorMode
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from cohoff.algorithms.csil.csil_cfg import CsilRunnerCfg
from cohoff.offpolicy.algorithm import OffPolicyAlgorithm
from cohoff.offpolicy.base_actions import BaseActions
from cohoff.offpolicy.collector import Collector
from cohoff.offpolicy.replay_buffer import ReplayBuffer
from cohoff.offpolicy.report import Report
from cohoff.offpolicy.sampler import Sampler
from cohoff.policies.chunking import ChunkEngine
from cohoff.policies.flow.policy import FlowPolicy, FlowPolicySpec

NUM_ENVS, OBS_DIM, ACTION_DIM, NUM_DEMO_ROWS = 6, 5, 2, 4


class Fake(FakeTensorMode):
    """Copied tensors, as those of the target network, stay in the mode of the original ones."""

    def __deepcopy__(self, memo: dict[int, Any]) -> Fake:
        return self


class OnDeviceAlone(TorchDispatchMode):
    """Refuses operations that read or make a tensor on another type of device, and host reads."""

    def __init__(self, device_type: str):
        super().__init__()
        self.device_type = device_type

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Check and run one operation."""
        # The fused optimizer changes tensors in place and returns nothing; it has no version without data.
        is_fused = func is torch.ops.aten._fused_adam_.tensor_lr
        result = None if is_fused else func(*args, **(kwargs or {}))
        for leaf in tree_leaves((args, kwargs, result)):
            if isinstance(leaf, torch.Tensor) and leaf.device.type != self.device_type:
                raise AssertionError(f"{func} has a tensor on {leaf.device}")
        return result


class NothingFromTheHost(TorchFunctionMode):
    """Refuses tensors that are made of Python values, which are copied from host memory."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Check and run one function."""
        if func in (torch.tensor, torch.as_tensor, torch.asarray, torch.from_numpy, torch.Tensor.new_tensor):
            raise AssertionError(f"{func.__name__} copies from the host")
        return func(*args, **(kwargs or {}))


def observe() -> TensorDict:
    """Observations of all environments."""
    return TensorDict({"policy": torch.randn(NUM_ENVS, OBS_DIM)}, batch_size=[NUM_ENVS])


def make_algorithm(device: str, gradient_penalty: float) -> OffPolicyAlgorithm:
    """CSIL++ with a flow base, made ready without demonstrations; the default device must be ``device``."""
    runner_cfg: Any = CsilRunnerCfg()
    cfg: dict[str, Any] = runner_cfg.to_dict()
    cfg["algorithm"]["policy"] |= {"hidden_dim": 16, "num_features": 16}
    cfg["algorithm"]["critic"] |= {"hidden_dims": (16, 16)}
    cfg["algorithm"] |= {
        "batch_size": 8, "n_step": 3, "discount": 0.99, "gradient_penalty": gradient_penalty,
        "refinement_learning_rate": 1e-3, "capture": False,
    }  # fmt: skip
    env = SimpleNamespace(
        num_envs=NUM_ENVS, num_actions=ACTION_DIM, max_episode_length=30,
        unwrapped=SimpleNamespace(spec=SimpleNamespace(id="Fake"), cfg=SimpleNamespace()),
    )  # fmt: skip
    algorithm = OffPolicyAlgorithm.construct_algorithm(observe(), env, cfg, device)
    spec = FlowPolicySpec(OBS_DIM, ACTION_DIM, horizon=6, hidden_dim=8, num_blocks=1, time_features=4, euler_steps=2)
    engine = ChunkEngine(FlowPolicy(spec).eval().requires_grad_(False), NUM_ENVS, device, replan_interval=4)
    actions = BaseActions(engine, NUM_ENVS, algorithm.device)
    algorithm.collector = Collector(
        algorithm.learner,
        algorithm.observe,
        actions,
        NUM_ENVS - 1,
        observe(),
        ACTION_DIM,
        lambda state: ReplayBuffer(6, NUM_ENVS - 1, state, ACTION_DIM),
    )
    buffer = algorithm.collector.buffer
    algorithm.sampler = Sampler(algorithm.learner, buffer, buffer, 4, n_step=3, discount=0.99)
    totals = {"non_finite": algorithm.collector.num_non_finite, "skipped_in_a_row": algorithm.skipped_in_a_row}
    algorithm.report = Report(None, algorithm.collector.episodes, totals)
    algorithm._num_inspected = 0
    return algorithm


def run_loop(algorithm: OffPolicyAlgorithm) -> None:
    """Ten control steps with different numbers of resets, and an update after each."""
    for step in range(10):
        num_resets = (0, 0, 1, 4, 0)[step % 5]
        with torch.inference_mode():
            action = algorithm.act(observe())
            assert action.shape == (NUM_ENVS, ACTION_DIM)
            done = torch.rand(NUM_ENVS) < 0.5
            extras = {"success": done, "invalid": ~done, "num_resets": num_resets}
            final = {"final_obs": {"policy": torch.randn(NUM_ENVS, OBS_DIM)}} if num_resets else {}
            algorithm.process_env_step(observe(), torch.zeros(NUM_ENVS), done.long(), extras | final)
        algorithm.update_once(with_actor=step % 3 == 0, num_demo_rows=NUM_DEMO_ROWS)


def without_gradients(loss: torch.Tensor) -> None:
    """In the place of ``loss.backward()``."""
    assert loss.requires_grad and loss.ndim == 0


def zeros_as_gradients(algorithm: OffPolicyAlgorithm) -> None:
    """Give all trained parameters a gradient, which optimizers do not throw away."""
    for optimizer in algorithm.learner.optimizers.values():
        optimizer.zero_grad = lambda set_to_none=True: None
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                parameter.grad = torch.zeros_like(parameter)


def main(device: str) -> None:
    """Run the loop on ``device``."""
    is_fake = device != "meta"
    fake = Fake() if is_fake else nullcontext()
    supported = mock.patch("torch.optim.optimizer._get_fused_kernels_supported_devices", lambda: ["meta", "cuda"])
    backward = mock.patch.object(torch.Tensor, "backward", without_gradients) if is_fake else nullcontext()
    with fake, supported, backward, torch.device(device):
        algorithm = make_algorithm(device, gradient_penalty=0.0 if is_fake else 1.0)
        if is_fake:
            zeros_as_gradients(algorithm)
        with NothingFromTheHost(), OnDeviceAlone(torch.device(device).type):
            run_loop(algorithm)
    print("ran on", device)


if __name__ == "__main__":
    main(sys.argv[1])
