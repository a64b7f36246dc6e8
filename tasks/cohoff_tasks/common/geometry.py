# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Small geometry on batches of poses. Quaternions are (x, y, z, w); angles are in radians."""

from __future__ import annotations

import torch


def wrap(angle: torch.Tensor, period: float) -> torch.Tensor:
    """The equivalent of ``angle`` in [-period/2, period/2), same shape."""
    return torch.remainder(angle + 0.5 * period, period) - 0.5 * period


def yaw_of(quat: torch.Tensor) -> torch.Tensor:
    """Heading of the body's x axis in the horizontal plane, shape [N], of orientations [N, 4]."""
    x, y, z, w = quat.unbind(-1)
    return torch.atan2(2.0 * (x * y + w * z), 1.0 - 2.0 * (y * y + z * z))


def x_axis(quat: torch.Tensor) -> torch.Tensor:
    """The body's x axis, shape [N, 3], of orientations [N, 4]."""
    x, y, z, w = quat.unbind(-1)
    return torch.stack((1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y + w * z), 2.0 * (x * z - w * y)), dim=-1)


def y_axis(quat: torch.Tensor) -> torch.Tensor:
    """The body's y axis, shape [N, 3], of orientations [N, 4]."""
    x, y, z, w = quat.unbind(-1)
    return torch.stack((2.0 * (x * y - w * z), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z + w * x)), dim=-1)


def z_axis(quat: torch.Tensor) -> torch.Tensor:
    """The body's z axis, shape [N, 3], of orientations [N, 4]."""
    x, y, z, w = quat.unbind(-1)
    return torch.stack((2.0 * (x * z + w * y), 2.0 * (y * z - w * x), 1.0 - 2.0 * (x * x + y * y)), dim=-1)


def quat_mul(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Hamilton product ``a * b``, shape [N, 4]: the rotation ``b`` followed by ``a``."""
    ax, ay, az, aw = a.unbind(-1)
    bx, by, bz, bw = b.unbind(-1)
    return torch.stack(
        (
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
            aw * bw - ax * bx - ay * by - az * bz,
        ),
        dim=-1,
    )


def quat_from_rotvec(rotvec: torch.Tensor) -> torch.Tensor:
    """Unit quaternions [N, 4] of rotation vectors [N, 3] (axis times angle)."""
    angle = torch.linalg.vector_norm(rotvec, dim=-1, keepdim=True)
    # sinc is smooth through zero: sin(angle / 2) / angle = sinc(angle / (2 pi)) / 2.
    return torch.cat((rotvec * (0.5 * torch.sinc(angle / (2.0 * torch.pi))), torch.cos(0.5 * angle)), dim=-1)


def rotvec_between(source: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Shortest rotation vector [N, 3] in the common frame that turns ``source`` [N, 4] into ``target`` [N, 4]."""
    conjugate = torch.cat((-source[:, :3], source[:, 3:]), dim=-1)
    delta = quat_mul(target, conjugate)
    delta = torch.where(delta[:, 3:] < 0.0, -delta, delta)
    sine = torch.linalg.vector_norm(delta[:, :3], dim=-1, keepdim=True)
    angle = 2.0 * torch.atan2(sine, delta[:, 3:])
    return delta[:, :3] * torch.where(sine > 1e-6, angle / sine.clamp(min=1e-6), 2.0)


def downward_quat(yaw: torch.Tensor) -> torch.Tensor:
    """Orientations [N, 4] of a hand that points down with its x axis heading along ``yaw`` [N]."""
    zero = torch.zeros_like(yaw)
    return torch.stack((torch.cos(0.5 * yaw), torch.sin(0.5 * yaw), zero, zero), dim=-1)
