# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Geometry, expert pieces and authored assets, without a simulator."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Never

import pytest
import torch

from cohoff_tasks.assets.authoring import Link, articulated_object, rigid_object
from cohoff_tasks.assets.cache import cached_folder
from cohoff_tasks.assets.coffee import CoffeePod
from cohoff_tasks.assets.nuts import SquareNut
from cohoff_tasks.assets.parts import Box, Cylinder, Surface, ring, turned
from cohoff_tasks.coffee.layout import CoffeeLayout
from cohoff_tasks.common.expert import PoseServo, StageMachine
from cohoff_tasks.common.geometry import (
    downward_quat,
    quat_from_rotvec,
    quat_mul,
    rotvec_between,
    wrap,
    x_axis,
    y_axis,
    yaw_of,
    z_axis,
)
from cohoff_tasks.common.skills import along_arc, carry, funnel, go_around, insert, reach
from cohoff_tasks.common.workspace import check_workspace
from cohoff_tasks.square.layout import SquareLayout


def test_wrap_stays_in_half_open_interval() -> None:
    angles = torch.tensor([0.0, 0.6, -0.6, 0.5, -0.5, 3.2]) * math.pi
    expected = torch.tensor([0.0, -0.4, 0.4, -0.5, -0.5, 0.2]) * math.pi
    torch.testing.assert_close(wrap(angles, math.pi), expected, atol=1e-5, rtol=0.0)


def test_axes_of_a_quarter_turn_about_z() -> None:
    quat = quat_from_rotvec(torch.tensor([[0.0, 0.0, math.pi / 2]]))
    torch.testing.assert_close(x_axis(quat), torch.tensor([[0.0, 1.0, 0.0]]), atol=1e-6, rtol=0.0)
    torch.testing.assert_close(y_axis(quat), torch.tensor([[-1.0, 0.0, 0.0]]), atol=1e-6, rtol=0.0)
    torch.testing.assert_close(z_axis(quat), torch.tensor([[0.0, 0.0, 1.0]]), atol=1e-6, rtol=0.0)
    torch.testing.assert_close(yaw_of(quat), torch.tensor([math.pi / 2]))


def test_downward_hand_points_down_and_heads_along_yaw() -> None:
    quat = downward_quat(torch.tensor([0.7]))
    torch.testing.assert_close(z_axis(quat), torch.tensor([[0.0, 0.0, -1.0]]), atol=1e-6, rtol=0.0)
    torch.testing.assert_close(yaw_of(quat), torch.tensor([0.7]))


@pytest.mark.parametrize("angle", [0.0, 1e-8, 1e-3, 1.0, 3.0])
def test_rotation_vectors_round_trip(angle: float) -> None:
    axis = torch.nn.functional.normalize(torch.tensor([[1.0, -2.0, 0.5]]), dim=1)
    source = quat_from_rotvec(torch.tensor([[0.3, 0.2, -0.9]]))
    target = quat_mul(quat_from_rotvec(angle * axis), source)
    torch.testing.assert_close(rotvec_between(source, target), angle * axis, atol=1e-5, rtol=1e-4)
    # A quaternion and its negative are the same rotation.
    torch.testing.assert_close(rotvec_between(source, -target), angle * axis, atol=1e-5, rtol=1e-4)


def test_stages_move_only_from_their_own_stage() -> None:
    machine = StageMachine(3, "cpu")
    machine.move(0, 1, torch.tensor([True, False, True]))
    machine.move(1, 2, torch.tensor([True, True, False]))
    assert machine.stage.tolist() == [2, 0, 1]
    machine.reset(torch.tensor([True, False, False]))
    assert machine.stage.tolist() == [0, 0, 1]


def test_funnel_is_flat_then_linear_then_flat() -> None:
    height = funnel(torch.tensor([0.0, 0.01, 0.02, 1.0]), tolerance=0.01, slope=3.0, depth=0.1)
    torch.testing.assert_close(height, torch.tensor([0.0, 0.0, 0.03, 0.1]))


def test_servo_is_proportional_near_the_goal_and_bounded_far_away() -> None:
    identity = torch.tensor([[0.0, 0.0, 0.0, 1.0]]).repeat(2, 1)
    arm = SimpleNamespace(
        target_pose=(torch.zeros(2, 3), identity), cfg=SimpleNamespace(position_scale=0.02, rotation_scale=0.1)
    )
    env = SimpleNamespace(action_manager=SimpleNamespace(get_term=lambda name: arm))
    servo = PoseServo(env, gain=0.5, limit=0.8)  # type: ignore[arg-type]
    goal = torch.tensor([[0.01, 0.0, 0.0], [0.3, 0.4, 0.0]])
    turned = quat_from_rotvec(torch.tensor([[0.0, 0.0, 0.04], [0.0, 0.0, 1.0]]))
    action = servo(goal, turned, torch.full((2, 1), 0.8))
    torch.testing.assert_close(action[0], torch.tensor([0.25, 0.0, 0.0, 0.0, 0.0, 0.2]))
    torch.testing.assert_close(action[1], torch.tensor([0.48, 0.64, 0.0, 0.0, 0.0, 0.8]))


RED = Surface((1.0, 0.0, 0.0))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "cohoff" / "assets"


def test_cached_folder_is_built_once_per_key_and_whole_or_not_at_all(cache: Path) -> None:
    calls = []

    def build(folder: Path) -> None:
        calls.append(folder)
        (folder / "file").write_text("content")

    first = cached_folder("thing", {"a": 1}, build)
    assert cached_folder("thing", {"a": 1}, build) == first and len(calls) == 1
    assert cached_folder("thing", {"a": 2}, build) != first and len(calls) == 2

    def fail(folder: Path) -> Never:
        (folder / "file").write_text("half")
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        cached_folder("thing", {"a": 3}, fail)
    assert len(list(cache.iterdir())) == 2


def test_a_cached_folder_that_lost_a_file_is_built_again(cache: Path) -> None:
    def build(folder: Path) -> None:
        (folder / "object.usda").write_text("whole")

    (cached_folder("thing", 1, build) / "object.usda").unlink()
    assert (cached_folder("thing", 1, build) / "object.usda").read_text() == "whole"


def test_leftovers_of_killed_processes_go(cache: Path) -> None:
    cache.mkdir(parents=True, exist_ok=True)
    for name, age in ((".thing-old", 7200), (".thing-new", 60)):
        (cache / name).mkdir()
        os.utime(cache / name, (time.time() - age, time.time() - age))
    cached_folder("thing", 1, lambda folder: None)
    assert not (cache / ".thing-old").exists() and (cache / ".thing-new").exists()


def test_a_cache_that_cannot_be_written_ends_in_one_line(cache: Path, capsys: pytest.CaptureFixture) -> None:
    cache.parent.mkdir(parents=True, exist_ok=True)
    cache.write_text("a file where the folder belongs")
    with pytest.raises(SystemExit):
        cached_folder("thing", 1, lambda folder: None)
    assert "set XDG_CACHE_HOME" in capsys.readouterr().err


def test_second_builder_keeps_the_folder_of_the_first(cache: Path) -> None:
    def build_at_once(folder: Path) -> None:
        (folder / "file").write_text("first")

    def build_while_another_finishes(folder: Path) -> None:
        (folder / "file").write_text("second")
        cached_folder("thing", 1, build_at_once)

    folder = cached_folder("thing", 1, build_while_another_finishes)
    assert (folder / "file").read_text() == "first"
    assert len(list(cache.iterdir())) == 1


def test_rigid_object_has_its_boxes_as_colliders(cache: Path) -> None:
    from pxr import Usd, UsdGeom, UsdPhysics

    boxes = (Box("one", (0.1, 0.0, 0.0), (0.2, 0.1, 0.4)), Box("two", (0.0, 0.0, 0.5), (0.1, 0.1, 0.1)))
    stage: Any = Usd.Stage.Open(rigid_object("test", boxes, RED, mass=0.3))
    root = stage.GetDefaultPrim()
    mass: Any = UsdPhysics.MassAPI(root).GetMassAttr()
    assert mass.Get() == pytest.approx(0.3)
    colliders = [prim.GetName() for prim in stage.Traverse() if prim.HasAPI(UsdPhysics.CollisionAPI)]
    assert colliders == ["one", "two"]
    drawn: Any = UsdGeom.Imageable(stage.GetPrimAtPath("/Object/one"))
    bound = drawn.ComputeLocalBound(0.0, "default").ComputeAlignedBox()
    assert tuple(bound.GetMin()) == pytest.approx((0.0, -0.05, -0.2), abs=1e-6)
    assert tuple(bound.GetMax()) == pytest.approx((0.2, 0.05, 0.2), abs=1e-6)
    fixture: Any = Usd.Stage.Open(rigid_object("test", boxes, RED, mass=None))
    assert not fixture.GetDefaultPrim().HasAPI(UsdPhysics.RigidBodyAPI)


def test_parts_that_do_not_collide_are_only_drawn(cache: Path) -> None:
    from pxr import Usd, UsdPhysics

    shown = Cylinder("shown", (0.0, 0.0, 0.0), 0.01, 0.02, surface=Surface((0.0, 1.0, 0.0)), collides=False)
    stage: Any = Usd.Stage.Open(
        rigid_object("test", (Box("solid", (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)), shown), RED, mass=1.0)
    )
    assert stage.GetPrimAtPath("/Object/solid").HasAPI(UsdPhysics.CollisionAPI)
    assert not stage.GetPrimAtPath("/Object/shown").HasAPI(UsdPhysics.CollisionAPI)


def test_articulated_object_has_a_joint_with_its_limits_in_degrees(cache: Path) -> None:
    from pxr import Usd, UsdPhysics

    parts = (Box("part", (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),)
    lid = Link("lid", parts, 0.2, "hinge", "revolute", "y", (0.1, 0.0, 0.2), (0.0, math.pi / 2))
    stage: Any = Usd.Stage.Open(articulated_object("test", parts, (lid,), RED))
    assert stage.GetDefaultPrim().HasAPI(UsdPhysics.ArticulationRootAPI)
    hinge: Any = UsdPhysics.RevoluteJoint(stage.GetPrimAtPath("/Object/hinge"))
    assert hinge.GetUpperLimitAttr().Get() == pytest.approx(90.0)
    assert tuple(hinge.GetLocalPos1Attr().Get()) == pytest.approx((0.1, 0.0, 0.2))


def test_ring_is_open_up_to_its_inner_radius_and_closed_outside() -> None:
    boxes = ring("r", (0.0, 0.0, 0.0), inner_radius=0.03, wall=0.01, height=0.02, sides=8)
    for angle in torch.linspace(0.0, 2.0 * math.pi, 33)[:-1].tolist():
        for radius, covered in ((0.0299, False), (0.0345, True)):
            x, y = radius * math.cos(angle), radius * math.sin(angle)
            inside = []
            for box in boxes:
                turn = 2.0 * math.atan2(box.rotation[2], box.rotation[3])
                dx, dy = x - box.center[0], y - box.center[1]
                along = math.cos(turn) * dx + math.sin(turn) * dy
                across = -math.sin(turn) * dx + math.cos(turn) * dy
                inside.append(abs(along) <= box.size[0] / 2 and abs(across) <= box.size[1] / 2)
            assert any(inside) == covered


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: Box("b", (0.0, 0.0, 0.0), (0.1, 0.0, 0.1)),
            r"size of box 'b' must be positive, not \(0.1, 0.0, 0.1\)",
        ),
        (lambda: Cylinder("c", (0.0, 0.0, 0.0), -0.1, 0.1), "cylinder 'c' must be positive"),
        (lambda: rigid_object("thing", (), RED, mass=-1.0), "mass of 'thing' must be positive, not -1.0"),
        (lambda: SquareNut(hole=float("nan")), "SquareNut must be positive"),
        (lambda: SquareLayout(nut=SquareNut(hole=0.03)), "clearance of the square nut on its peg .* 0.03 m, .* 0.04 m"),
    ],
)
def test_impossible_sizes_are_named(build: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()


def test_turned_is_a_rotation_about_one_axis() -> None:
    assert turned("y", math.pi) == pytest.approx((0.0, 1.0, 0.0, 0.0), abs=1e-9)


def test_reach_waits_above_until_aligned() -> None:
    tool = torch.tensor([[0.3, 0.0, 0.1], [0.401, 0.0, 0.016], [0.401, 0.0, 0.016]])
    handle = torch.tensor([[0.4, 0.0, 0.01]]).repeat(3, 1)
    goal, aligned = reach(tool, handle, turn=torch.tensor([0.0, 0.0, 0.5]), height=0.015)
    torch.testing.assert_close(goal[:, :2], handle[:, :2])
    torch.testing.assert_close(goal[:, 2], torch.tensor([0.115, 0.015, 0.015 + 3.0 * (0.001 + 0.025 - 0.006)]))
    assert aligned.tolist() == [False, True, False]


def test_carry_aims_with_where_the_turn_puts_the_held_point() -> None:
    tool = torch.tensor([[0.0, 0.0, 0.2]])
    held = torch.tensor([[0.1, 0.0, 0.2]])
    place = torch.tensor([[0.5, 0.5, 0.0]])
    quarter = torch.tensor([math.pi / 2])
    goal = carry(tool, held, place, quarter, free=torch.ones(1))
    # After the quarter turn the held point is 0.1 along +y.
    torch.testing.assert_close(goal, torch.tensor([[0.5, 0.4, 0.2]]))
    torch.testing.assert_close(carry(tool, held, place, quarter, free=torch.zeros(1)), tool)


def test_insert_goes_down_no_faster_than_it_may() -> None:
    tool, held = torch.tensor([[0.0, 0.0, 0.3]]), torch.tensor([[0.0, 0.0, 0.28]])
    assert insert(tool, held, seat=0.02, above=torch.zeros(1)).item() == pytest.approx(0.28)
    assert insert(tool, held, seat=0.27, above=torch.zeros(1)).item() == pytest.approx(0.29)


def test_an_object_that_may_start_outside_the_workspace_is_named() -> None:
    from cohoff_tasks.square.env_cfg import SquareEnvCfg

    cfg = SquareEnvCfg()
    cfg.events.reset_nut.params["half_range"] = (0.05, 0.05)
    check_workspace(cfg.scene, cfg.events)
    cfg.events.reset_nut.params["half_range"] = (0.3, 0.05)
    with pytest.raises(ValueError, match=r"'nut' may start outside the workspace: x = 0.42 ± 0.3 m"):
        check_workspace(cfg.scene, cfg.events)


def test_go_around_rises_before_it_crosses_and_comes_down_behind() -> None:
    place = torch.tensor([[0.5, 0.0, 0.2]]).repeat(3, 1)
    tool = torch.tensor([[0.4, 0.0, 0.15], [0.4, 0.0, 0.3], [0.498, 0.0, 0.203]])
    goal, there = go_around(tool, place, over=0.3, tolerance=0.008)
    torch.testing.assert_close(goal, torch.tensor([[0.4, 0.0, 0.3], [0.5, 0.0, 0.3], [0.5, 0.0, 0.2]]))
    assert there.tolist() == [False, False, True]


def test_along_arc_turns_a_point_about_the_hinge() -> None:
    axis = torch.tensor([[0.0, 1.0, 0.0]])
    goal = along_arc(
        torch.tensor([[0.5, 0.3, 0.2]]), torch.tensor([[0.4, 0.0, 0.2]]), axis, torch.tensor([-math.pi / 2])
    )
    torch.testing.assert_close(goal, torch.tensor([[0.4, 0.3, 0.3]]))


def test_a_pod_that_is_too_high_for_the_lid_is_named() -> None:
    with pytest.raises(ValueError, match="clearance of the pod below the lid"):
        CoffeeLayout(pod=CoffeePod(height=0.05))
