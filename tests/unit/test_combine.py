# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

import pytest
import torch

from cohoff.errors import InputError
from cohoff.policies.combine import COMBINATIONS, make_combination

# The last column of base + 0.1 * policy is 1.04: beyond the clip.
BASE = torch.tensor([[0.2, -0.6, 0.95]], dtype=torch.float64)
POLICY = torch.tensor([[0.4, 0.8, 0.9]], dtype=torch.float64)


@pytest.mark.parametrize(
    ("name", "expected", "uses_base", "uses_policy"),
    [
        ("ensemble", [[0.3, 0.1, 0.925]], True, True),
        ("residual", [[0.24, -0.52, 1.0]], True, True),
        ("policy", [[0.4, 0.8, 0.9]], False, True),
        ("base", [[0.2, -0.6, 0.95]], True, False),
    ],
)
def test_values(name: str, expected: list[float], uses_base: bool, uses_policy: bool) -> None:
    combination = make_combination(name)
    torch.testing.assert_close(combination(BASE, POLICY), torch.tensor(expected, dtype=torch.float64))
    assert (combination.uses_base, combination.uses_policy) == (uses_base, uses_policy)


@pytest.mark.parametrize(
    ("name", "to_base", "to_policy"),
    [
        ("ensemble", [[0.5, 0.5, 0.5]], [[0.5, 0.5, 0.5]]),
        ("residual", [[1.0, 1.0, 0.0]], [[0.2, 0.2, 0.0]]),
        ("policy", [[0.0, 0.0, 0.0]], [[1.0, 1.0, 1.0]]),
        ("base", [[1.0, 1.0, 1.0]], [[0.0, 0.0, 0.0]]),
    ],
)
def test_gradients(name: str, to_base: bool, to_policy: bool) -> None:
    """Hand-computed gradients, then the same by finite differences; the clipped dimension passes none."""
    combination = make_combination(name, scale=0.2)
    base, policy = BASE.clone().requires_grad_(), POLICY.clone().requires_grad_()
    total = combination(base, policy).sum()
    gradients = torch.autograd.grad(total, (base, policy), allow_unused=True, materialize_grads=True)
    torch.testing.assert_close(gradients[0], torch.tensor(to_base, dtype=torch.float64))
    torch.testing.assert_close(gradients[1], torch.tensor(to_policy, dtype=torch.float64))
    if combination.uses_base and combination.uses_policy:
        assert torch.autograd.gradcheck(combination, (base, policy))


@pytest.mark.parametrize("name", COMBINATIONS)
def test_actions_stay_in_range(name: str) -> None:
    base, policy = torch.rand(64, 7) * 2 - 1, torch.rand(64, 7) * 2 - 1
    assert make_combination(name)(base, policy).abs().max() <= 1.0


def test_unknown_name() -> None:
    with pytest.raises(InputError, match=r"unknown combination 'mean'; choose one of: ensemble, residual"):
        make_combination("mean")


def test_largest_scale() -> None:
    """At scale 1 the residual can cancel the base action, or double it up to the clip."""
    actions = make_combination("residual", 1.0)(torch.tensor([0.25, 0.75]), torch.tensor([-0.25, 0.75]))
    assert actions.tolist() == [0.0, 1.0]


@pytest.mark.parametrize("scale", [0.0, -0.1, 1.5, float("nan")])
def test_bad_scale(scale: float) -> None:
    with pytest.raises(InputError, match="residual scale"):
        make_combination("residual", scale)
