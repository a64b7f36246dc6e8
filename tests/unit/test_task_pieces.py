# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Geometry, expert pieces and authored assets, without a simulator."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
import torch

from cohoff_tasks.assets.boxes import Box, box_object
from cohoff_tasks.assets.cache import cached_folder
from cohoff_tasks.assets.square import SquareNut
from cohoff_tasks.common.expert import PoseServo, StageMachine, funnel
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


def test_wrap_stays_in_half_open_interval():
    angles = torch.tensor([0.0, 0.6, -0.6, 0.5, -0.5, 3.2]) * math.pi
    expected = torch.tensor([0.0, -0.4, 0.4, -0.5, -0.5, 0.2]) * math.pi
    torch.testing.assert_close(wrap(angles, math.pi), expected, atol=1e-5, rtol=0.0)


def test_axes_of_a_quarter_turn_about_z():
    quat = quat_from_rotvec(torch.tensor([[0.0, 0.0, math.pi / 2]]))
    torch.testing.assert_close(x_axis(quat), torch.tensor([[0.0, 1.0, 0.0]]), atol=1e-6, rtol=0.0)
    torch.testing.assert_close(y_axis(quat), torch.tensor([[-1.0, 0.0, 0.0]]), atol=1e-6, rtol=0.0)
    torch.testing.assert_close(z_axis(quat), torch.tensor([[0.0, 0.0, 1.0]]), atol=1e-6, rtol=0.0)
    torch.testing.assert_close(yaw_of(quat), torch.tensor([math.pi / 2]))


def test_downward_hand_points_down_and_heads_along_yaw():
    quat = downward_quat(torch.tensor([0.7]))
    torch.testing.assert_close(z_axis(quat), torch.tensor([[0.0, 0.0, -1.0]]), atol=1e-6, rtol=0.0)
    torch.testing.assert_close(yaw_of(quat), torch.tensor([0.7]))


@pytest.mark.parametrize("angle", [0.0, 1e-8, 1e-3, 1.0, 3.0])
def test_rotation_vectors_round_trip(angle):
    axis = torch.nn.functional.normalize(torch.tensor([[1.0, -2.0, 0.5]]), dim=1)
    source = quat_from_rotvec(torch.tensor([[0.3, 0.2, -0.9]]))
    target = quat_mul(quat_from_rotvec(angle * axis), source)
    torch.testing.assert_close(rotvec_between(source, target), angle * axis, atol=1e-5, rtol=1e-4)
    # A quaternion and its negative are the same rotation.
    torch.testing.assert_close(rotvec_between(source, -target), angle * axis, atol=1e-5, rtol=1e-4)


def test_stages_move_only_from_their_own_stage():
    machine = StageMachine(3, "cpu")
    machine.move(0, 1, torch.tensor([True, False, True]))
    machine.move(1, 2, torch.tensor([True, True, False]))
    assert machine.stage.tolist() == [2, 0, 1]
    machine.reset(torch.tensor([True, False, False]))
    assert machine.stage.tolist() == [0, 0, 1]


def test_funnel_is_flat_then_linear_then_flat():
    height = funnel(torch.tensor([0.0, 0.01, 0.02, 1.0]), tolerance=0.01, slope=3.0, depth=0.1)
    torch.testing.assert_close(height, torch.tensor([0.0, 0.0, 0.03, 0.1]))


def test_servo_is_proportional_near_the_goal_and_bounded_far_away():
    identity = torch.tensor([[0.0, 0.0, 0.0, 1.0]]).repeat(2, 1)
    arm = SimpleNamespace(
        target_pose=(torch.zeros(2, 3), identity), cfg=SimpleNamespace(position_scale=0.02, rotation_scale=0.1)
    )
    env = SimpleNamespace(action_manager=SimpleNamespace(get_term=lambda name: arm))
    servo = PoseServo(env, gain=0.5, limit=0.8)  # type: ignore[arg-type]
    goal = torch.tensor([[0.01, 0.0, 0.0], [0.3, 0.4, 0.0]])
    turned = quat_from_rotvec(torch.tensor([[0.0, 0.0, 0.04], [0.0, 0.0, 1.0]]))
    action = servo(goal, turned)
    torch.testing.assert_close(action[0], torch.tensor([0.25, 0.0, 0.0, 0.0, 0.0, 0.2]))
    torch.testing.assert_close(action[1], torch.tensor([0.48, 0.64, 0.0, 0.0, 0.0, 0.8]))


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "cohoff" / "assets"


def test_cached_folder_is_built_once_per_key_and_whole_or_not_at_all(cache):
    calls = []

    def build(folder):
        calls.append(folder)
        (folder / "file").write_text("content")

    first = cached_folder("thing", {"a": 1}, build)
    assert cached_folder("thing", {"a": 1}, build) == first and len(calls) == 1
    assert cached_folder("thing", {"a": 2}, build) != first and len(calls) == 2

    def fail(folder):
        (folder / "file").write_text("half")
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        cached_folder("thing", {"a": 3}, fail)
    assert len(list(cache.iterdir())) == 2


def test_second_builder_keeps_the_folder_of_the_first(cache):
    def build_while_another_finishes(folder):
        (folder / "file").write_text("second")
        cached_folder("thing", 1, lambda other: (other / "file").write_text("first"))

    folder = cached_folder("thing", 1, build_while_another_finishes)
    assert (folder / "file").read_text() == "first"
    assert len(list(cache.iterdir())) == 1


def test_box_object_has_the_boxes_as_colliders(cache):
    from pxr import Usd, UsdGeom, UsdPhysics

    boxes = (Box("one", (0.1, 0.0, 0.0), (0.2, 0.1, 0.4)), Box("two", (0.0, 0.0, 0.5), (0.1, 0.1, 0.1)))
    stage = Usd.Stage.Open(box_object("test", boxes, mass=0.3, color=(1.0, 0.0, 0.0)))
    root = stage.GetDefaultPrim()
    assert UsdPhysics.MassAPI(root).GetMassAttr().Get() == pytest.approx(0.3)
    colliders = [prim.GetName() for prim in stage.Traverse() if prim.HasAPI(UsdPhysics.CollisionAPI)]
    assert colliders == ["one", "two"]
    bound = UsdGeom.Imageable(stage.GetPrimAtPath("/Object/one")).ComputeLocalBound(0.0, "default").ComputeAlignedBox()
    assert tuple(bound.GetMin()) == pytest.approx((0.0, -0.05, -0.2), abs=1e-6)
    assert tuple(bound.GetMax()) == pytest.approx((0.2, 0.05, 0.2), abs=1e-6)
    fixture = Usd.Stage.Open(box_object("test", boxes, mass=None, color=(1.0, 0.0, 0.0)))
    assert not fixture.GetDefaultPrim().HasAPI(UsdPhysics.RigidBodyAPI)


def test_grasp_point_is_the_middle_of_the_handle():
    nut = SquareNut(hole=0.05, wall=0.015, handle_length=0.05)
    assert nut.grasp_offset == pytest.approx(0.065)
