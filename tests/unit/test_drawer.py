# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The cabinet, what is put away into it, and the expert's way there, without a simulator."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from cohoff_tasks.assets.cabinet import Cabinet
from cohoff_tasks.assets.hammer import Hammer
from cohoff_tasks.assets.mug import Mug
from cohoff_tasks.common import drawer
from cohoff_tasks.common.skills import rise_first, risen
from cohoff_tasks.hammer_cleanup.layout import HammerCleanupLayout
from cohoff_tasks.mug_cleanup.layout import MugCleanupLayout


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Cabinet(inside=(0.17, 0.0, 0.04)), r"inside, height and travel of Cabinet must be positive.*0\.0"),
        (lambda: Cabinet(height=0.07), "room of Cabinet over the drawer's walls must be positive"),
        (lambda: Mug(wall=-0.005), r"inner radius, wall, height and grip of Mug must be positive.*-0\.005"),
        (lambda: Mug(reach=0.04), "room of Mug between the grip and the wall must be positive"),
        (lambda: Hammer(handle=(0.1, 0.0, 0.018)), r"handle and head of Hammer must be positive.*0\.0"),
        (lambda: Hammer(mass=0.0).usd(), "mass of 'hammer' must be positive"),
    ],
)
def test_impossible_sizes_are_named(build: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()


def test_what_does_not_fit_into_the_drawer_is_named() -> None:
    with pytest.raises(ValueError, match=r"clearance of the mug in the drawer, height .* 0\.08.*0\.09"):
        MugCleanupLayout(mug=Mug(height=0.09))
    with pytest.raises(ValueError, match="clearance of the hammer in the drawer, depth"):
        HammerCleanupLayout(hammer=Hammer(handle=(0.16, 0.018, 0.018)))


def test_the_hand_pulls_and_pushes_between_bar_and_front() -> None:
    x, y, z = drawer.MODEL.hook
    bar_height, bar_half = drawer.MODEL.bar_height, drawer.MODEL.bar[2] / 2
    assert -drawer.MODEL.bar_gap < x < 0.0 and y == 0.0
    assert abs(z - bar_height) < bar_half


def test_a_low_tool_rises_before_it_moves_sideways() -> None:
    tool = torch.tensor([[0.0, 0.0, 0.0], [0.0, 0.0, 0.175], [0.0, 0.0, 0.3]])
    goal = torch.tensor([[0.4, 0.2, 0.2]]).expand(3, 3)
    torch.testing.assert_close(risen(tool, goal[:, 2]), torch.tensor([0.0, 0.5, 1.0]))
    expected = torch.tensor([[0.0, 0.0, 0.2], [0.2, 0.1, 0.2], [0.4, 0.2, 0.2]])
    torch.testing.assert_close(rise_first(tool, goal), expected)
