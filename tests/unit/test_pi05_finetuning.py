# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Fine-tuning of a tiny pi-0.5 on synthetic demonstrations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed
from pi05_cases import TINY, random_inputs, random_state, write_lerobot
from pi05_training_cases import make_cfg, make_network, open_run, write_camera_demos
from safetensors.torch import load_file
from tensordict import TensorDict
from torch.testing import assert_close

from cohoff.errors import InputError
from cohoff.policies.loading import load_base
from cohoff.policies.pi05.checkpoint_folder import read_recipe
from cohoff.policies.pi05.finetuning.augmentation import DRAWS, augment
from cohoff.policies.pi05.finetuning.cfg import Pi05TrainingCfg
from cohoff.policies.pi05.finetuning.export import merged
from cohoff.policies.pi05.finetuning.objective import flow_loss
from cohoff.policies.pi05.finetuning.run_state import FILE
from cohoff.policies.pi05.finetuning.scope import make_scope
from cohoff.policies.pi05.finetuning.statistics import compute_statistics
from cohoff.policies.pi05.finetuning.training_memory import training_memory
from cohoff.policies.pi05.network import Pi05
from cohoff.policies.pi05.spec import Pi05Shapes, Pi05Spec
from cohoff.policies.pi05.tensor_names import EMBEDDING, HEAD, openpi_name
from cohoff.policies.pi05.weights import from_state


@pytest.fixture(scope="module")
def demos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_camera_demos(tmp_path_factory.mktemp("demos") / "demos.hdf5")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_lerobot(tmp_path_factory.mktemp("base") / "base")


def observe(count: int = 2) -> TensorDict:
    generator = torch.Generator().manual_seed(1)
    images = {
        name: torch.randint(0, 256, (count, 28, 28, 3), dtype=torch.uint8, generator=generator)
        for name in ("agentview", "wrist")
    }
    return TensorDict(
        {"images": TensorDict(images, [count]), "policy": torch.rand(count, 5, generator=generator)}, [count]
    )


@pytest.mark.parametrize("scope", ["everything", "expert", "lora"])
def test_training_lowers_the_loss(tmp_path: Path, demos: Path, base: Path, scope: Any) -> None:
    """From random weights; the result is opened, plans finite chunks, and differs from the start."""
    cfg = make_cfg(scope=scope, steps=60, batch_size=16, micro_batch=8, learning_rate=3e-3, augment=False)
    losses: list[float] = []
    with open_run(demos, base, tmp_path / "out", cfg) as run:
        run.run(lambda report: losses.append(report.loss))
        run.finish({})
    first, last = sum(losses[:5]) / 5, sum(losses[-10:]) / 10
    print(f"{scope}: loss {first:.3f} at first, {last:.3f} at last")
    assert last < 0.75 * first
    noise = torch.randn(2, 12 * 32, generator=torch.Generator().manual_seed(2))
    plan = load_base(tmp_path / "out").plan(observe(), noise)
    assert plan.shape == (2, 12, 3) and plan.isfinite().all()
    assert (plan - load_base(base).plan(observe(), noise)).abs().max() > 1e-3
    result = {openpi_name(name): value for name, value in load_file(tmp_path / "out" / "model.safetensors").items()}
    result[EMBEDDING] = result.pop(HEAD)
    kept = [name for name, value in random_state().items() if torch.equal(result[name], value)]
    assert bool(kept) == (scope != "everything")
    assert not (tmp_path / "out" / FILE).exists()


def test_the_checkpoint_has_the_statistics_of_the_demonstrations(tmp_path: Path, demos: Path, base: Path) -> None:
    with open_run(demos, base, tmp_path / "out", make_cfg(steps=1)) as run:
        run.run()
        run.finish({"task": "Test"})
        expected = run.statistics
    recipe = read_recipe(tmp_path / "out")
    assert_close(recipe.state.offset, expected["observation.state.q01"])
    assert_close(recipe.action.offset + recipe.action.span, expected["action.q99"])
    assert recipe.cameras == 2 and recipe.discrete_state
    origin = json.loads((tmp_path / "out" / "training.json").read_text())
    assert origin["task"] == "Test" and origin["training"]["steps"] == 1


def test_adapters_are_merged() -> None:
    network = make_network("lora")
    with torch.no_grad():
        for leaf in network.weights.leaves:
            leaf.master.add_(0.05 * torch.randn(leaf.master.shape, generator=torch.Generator().manual_seed(1)))
    masters = [leaf.master for leaf in network.weights.leaves]
    state = {name: t.detach() for name, t in merged(network.weights, masters, from_state(random_state()), TINY)}
    *inputs, noise = random_inputs(2)
    plan = Pi05.from_state_dict(state, TINY).sample_actions(*inputs, noise=noise)
    chunk = noise
    with torch.no_grad():
        encoded = network.encode(*inputs)
        for k in range(TINY.steps):
            chunk = chunk - network.velocity(encoded, chunk, torch.full((2,), 1.0 - k / TINY.steps)) / TINY.steps
    assert_close(chunk, plan, atol=1e-5, rtol=0)
    assert (plan - Pi05.from_state_dict(random_state(), TINY).sample_actions(*inputs, noise=noise)).abs().max() > 0.01


class Stop(Exception):
    pass


@pytest.mark.parametrize("settings", [{}, {"scope": "lora", "dtype": "bfloat16"}], ids=["everything", "lora bfloat16"])
def test_an_interrupted_run_ends_like_one_that_was_not(
    tmp_path: Path, demos: Path, base: Path, settings: dict[str, Any]
) -> None:
    cfg = make_cfg(steps=5, **settings)
    with open_run(demos, base, tmp_path / "whole", cfg) as run:
        run.run()
        whole = {name: tensor.clone() for name, tensor in run.optimizer.state().items()}
    with open_run(demos, base, tmp_path / "cut", cfg) as run:

        def stop(taken: int) -> None:
            if taken == 2:
                raise Stop

        with pytest.raises(Stop):
            run.run(after_step=stop)
        run.save()
    with open_run(demos, base, tmp_path / "cut", cfg) as run:
        assert run.taken == 2
        run.run()
        for name, tensor in run.optimizer.state().items():
            assert torch.equal(tensor, whole[name]), name


def test_a_run_with_other_settings_is_not_continued(tmp_path: Path, demos: Path, base: Path) -> None:
    with open_run(demos, base, tmp_path, make_cfg()) as run:
        run.save()
    with open_run(demos, base, tmp_path, make_cfg(micro_batch=2)):
        pass
    message = r"other settings \(learning_rate 0.001 then, 0.01 now\); remove it"
    with pytest.raises(InputError, match=message), open_run(demos, base, tmp_path, make_cfg(learning_rate=0.01)):
        pass


def test_accumulation_is_a_large_batch(tmp_path: Path, demos: Path, base: Path) -> None:
    results = []
    for micro_batch in (8, 2):
        cfg = make_cfg(steps=2, batch_size=8, micro_batch=micro_batch)
        with open_run(demos, base, tmp_path / "out", cfg) as run:
            run.run()
            results.append(run.optimizer.masters)
    for one, other in zip(*results, strict=True):
        assert_close(one, other, atol=1e-5, rtol=0)


def _train_rank(rank: int, folder: Path, demos: Path, base: Path) -> None:
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    with open_run(demos, base, folder / "out", make_cfg(steps=3, batch_size=4, micro_batch=2)) as run:
        loss = run.run()
        state = {name: tensor.clone() for name, tensor in run.optimizer.state().items()}
    torch.save((loss, state), folder / f"rank_{rank}.pt")
    torch.distributed.destroy_process_group()


def test_two_processes_train_as_one(tmp_path: Path, demos: Path, base: Path) -> None:
    torch.multiprocessing.spawn(_train_rank, (tmp_path, demos, base), nprocs=2)
    with open_run(demos, base, tmp_path / "one", make_cfg(steps=3, batch_size=4, micro_batch=4)) as run:
        loss = run.run()
        expected = run.optimizer.state()
    for rank in range(2):
        found_loss, state = torch.load(tmp_path / f"rank_{rank}.pt", weights_only=True)
        assert found_loss == pytest.approx(loss, abs=1e-5)
        for name, tensor in expected.items():
            assert_close(state[name], tensor, atol=1e-5, rtol=0)


def test_bfloat16_sums_gradients_in_float32(tmp_path: Path, demos: Path, base: Path) -> None:
    with open_run(demos, base, tmp_path, make_cfg(dtype="bfloat16", learning_rate=1e-7)) as run:
        batch = run.batches.read(0, 0)
        sums = []
        for _ in range(2):
            flow_loss(run.network, batch.inputs, batch.actions, batch.noise, batch.time, 3).backward()
            sums.append(
                [leaf.master.grad.clone() for leaf in run.network.weights.leaves if leaf.master.grad is not None]
            )
        for once, twice in zip(*sums, strict=True):
            assert once.dtype == torch.float32 and torch.equal(twice, 2.0 * once)
        for master in run.optimizer.masters:
            assert master.grad is not None
            master.grad.zero_()
        before = [master.detach().clone() for master in run.optimizer.masters]
        copies = [leaf for leaf in run.network.weights.leaves if leaf.weight is not leaf.master]
        run.run()
        assert copies and all(leaf.weight.dtype == torch.bfloat16 and leaf.weight.grad is None for leaf in copies)
        assert all(leaf.master.dtype == torch.float32 for leaf in run.network.weights.leaves)
        # Steps that bfloat16 could not represent.
        assert any(0 < (a - b).abs().max() < 1e-5 for a, b in zip(before, run.optimizer.masters, strict=True))


def test_schedule() -> None:
    cfg = make_cfg(steps=300, learning_rate=1.0, warmup_share=0.1)
    assert cfg.learning_rate_at(0) == pytest.approx(1 / 31) and cfg.learning_rate_at(30) == pytest.approx(1.0)
    assert cfg.learning_rate_at(165) == pytest.approx(0.55)
    assert cfg.learning_rate_at(299) == pytest.approx(0.1, abs=1e-3)


def test_augmentation() -> None:
    """In the middle of all ranges a wrist image stays; another is cropped by 5%. Edges do not leave [-1, 1]."""
    ramp = torch.linspace(-1.0, 1.0, 40).expand(3, 40, 40)
    images = torch.stack([ramp, ramp])[None]
    moved = torch.tensor([True, False])
    middle = augment(images, torch.full((1, 2, DRAWS), 0.5), moved)
    assert_close(middle[0, 1], ramp, atol=1e-6, rtol=0)
    assert_close(middle[0, 0, :, 10:30, 10:30], 0.95 * ramp[:, 10:30, 10:30], atol=1e-3, rtol=0)
    brighter = augment(images, torch.tensor([0.5, 0.5, 0.5, 1.0, 0.5, 0.5]).expand(1, 2, DRAWS), moved)
    assert_close(brighter[0, 1], (1.3 * (ramp + 1.0) - 1.0).clamp(-1.0, 1.0), atol=1e-5, rtol=0)
    for draws in (torch.zeros(1, 2, DRAWS), torch.ones(1, 2, DRAWS)):
        assert augment(images, draws, moved).abs().max() <= 1.0
    turned = augment(images, torch.tensor([0.5, 0.5, 1.0, 0.5, 0.5, 0.5]).expand(1, 2, DRAWS), moved)
    slope = turned[0, 0, 0, 25, 20] - turned[0, 0, 0, 15, 20]
    assert abs(slope) == pytest.approx(0.95 * 10 * 2 / 39 * 0.0872, rel=0.05)


def test_statistics_by_hand() -> None:
    """A ramp from 0 to 100 has quantiles 1 and 99; a dimension that does not change is scaled to its range and zero."""
    ramp = torch.arange(101.0)[:, None]
    still = torch.full((101, 1), 0.5)
    statistics = compute_statistics(torch.cat([ramp, still], 1), -ramp)
    assert_close(statistics["observation.state.q01"], torch.tensor([1.0, 0.0]))
    assert_close(statistics["observation.state.q99"], torch.tensor([99.0, 0.5]))
    assert_close(statistics["action.q01"], torch.tensor([-99.0]))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"scope": "lora", "lora_rank": 0}, "LoRA ranks are 0 and 3; give at least 1"),
        ({"scope": "head"}, "cannot train 'head'; known: everything, expert, lora"),
        ({"batch_size": 5, "micro_batch": 2}, "batch size is 5; it must be a multiple of 1 x 2"),
        ({"steps": 0}, "steps is 0; it must be at least 1"),
        ({"ema_decay": 1.0}, "ema_decay is 1.0"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_bad_settings(tmp_path: Path, demos: Path, base: Path, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message), open_run(demos, base, tmp_path, make_cfg(**settings)) as run:
        run.run()


def test_a_loss_that_is_not_finite_ends_the_run(tmp_path: Path, demos: Path, base: Path) -> None:
    with open_run(demos, base, tmp_path, make_cfg(learning_rate=1e30)) as run, pytest.raises(InputError) as info:
        run.run()
    assert "diverged" in str(info.value)


def test_too_little_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, demos: Path, base: Path) -> None:
    monkeypatch.setattr("cohoff.policies.pi05.finetuning.training_memory.free_memory", lambda device: 1000)
    message = r"training pi-0.5 \(everything\) needs about .* GiB on cpu .* use a smaller --micro_batch"
    with pytest.raises(InputError, match=message), open_run(demos, base, tmp_path, make_cfg()):
        pass


@pytest.mark.parametrize("scope", ["everything", "lora"])
def test_estimate_covers_what_the_gradient_needs(scope: str) -> None:
    """Of all tensors that are kept for the gradient, weights aside."""
    network = make_network(scope)
    weights = {leaf.weight.untyped_storage().data_ptr() for leaf in network.weights.leaves}
    kept: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    *inputs, noise = random_inputs(2)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loss = flow_loss(network, tuple(inputs), noise, noise[:, None], torch.rand(2, 1), 3)
    cfg = make_cfg(scope=scope, micro_batch=2, gradient_checkpointing=False)
    estimate = training_memory(TINY, Pi05Shapes(2, 2, 24), make_scope(scope, 2, 3), cfg)["activations"]
    assert loss.isfinite() and 0.9 * sum(kept.values()) < estimate < 2.0 * sum(kept.values())


def test_memory_of_the_public_size() -> None:
    """3.24 billion values are read; each takes 22 byte where it is trained, with an average."""
    spec, shapes = Pi05Spec(), Pi05Shapes(1, 2, 64)
    found = {
        scope: training_memory(spec, shapes, make_scope(scope), Pi05TrainingCfg(scope=scope))
        for scope in ("everything", "expert", "lora")
    }
    everything = found["everything"]
    assert everything["weights"] + everything["optimizer"] == pytest.approx(22 * 3.244e9, rel=0.01)
    assert sum(found["expert"].values()) < sum(found["lora"].values()) < sum(everything.values()) / 2
