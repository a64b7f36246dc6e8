# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Planning compiles once for each of a few fixed sizes."""

from __future__ import annotations

import torch
from tensordict import TensorDict
from torch._dynamo.utils import counters

from cohoff.policies.chunking import ChunkEngine
from cohoff.policies.flow.policy import FlowPolicy, FlowPolicySpec

N, D, A, R = 10, 5, 3, 4
SPEC = FlowPolicySpec(D, A, horizon=6, hidden_dim=8, num_blocks=1, time_features=4, euler_steps=2)


def observe() -> TensorDict:
    return TensorDict({"policy": torch.randn(N, D)}, [N])


def make_policy() -> FlowPolicy:
    policy = FlowPolicy(SPEC)
    torch.nn.init.normal_(policy.output.weight)
    return policy.eval().requires_grad_(False)


def test_planning_compiles_once_for_each_batch_size():
    """One graph without breaks for each size; then 24 control steps compile nothing and act as without compilation."""
    torch.manual_seed(0)
    policy = make_policy()
    engine, compiled = ChunkEngine(policy, N, "cpu", R), ChunkEngine(policy, N, "cpu", R)
    torch._dynamo.reset()
    counters.clear()
    compiled.replan = torch.compile(compiled.replan, fullgraph=True, dynamic=False, backend="aot_eager")
    generator = torch.Generator().manual_seed(1)
    random_state = torch.random.get_rng_state()
    steps = []
    for step in range(24):
        num_resets = (0, 0, 1, 4, 0)[step % 5]
        dones = torch.randperm(N, generator=generator) < num_resets
        steps.append((torch.randn(N, D, generator=generator), dones, num_resets))

    def run(engine: ChunkEngine) -> torch.Tensor:
        torch.random.set_rng_state(random_state)
        actions = []
        for obs, dones, num_resets in steps:
            actions.append(engine.act(TensorDict({"policy": obs}, [N])))
            engine.reset(dones, num_resets)
        return torch.stack(actions)

    assert compiled.batch_sizes == (4, 8, 10)
    with torch.no_grad():
        for size in compiled.batch_sizes:
            compiled.replan(observe(), size)
    assert counters["stats"]["unique_graphs"] == 3
    compiled.load_state_dict(engine.state_dict())
    with torch._dynamo.config.patch(error_on_recompile=True):
        actions = run(compiled)
    assert counters["stats"]["unique_graphs"] == 3
    torch.testing.assert_close(actions, run(engine))
    torch._dynamo.reset()
