# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Sizes of a pi-0.5 network, and their cost in operations and memory."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from cohoff.errors import InputError


@dataclass(frozen=True)
class Pi05Spec:
    """Sizes of a pi-0.5 network; the defaults are the public checkpoints'."""

    vlm_width: int = 2048
    """Width of the prefix transformer (Gemma)."""
    vlm_mlp: int = 16384
    """Width of its feed-forward layers."""
    exp_width: int = 1024
    """Width of the action expert."""
    exp_mlp: int = 4096
    """Width of its feed-forward layers."""
    depth: int = 18
    """Layers of prefix and expert, which share their attention."""
    heads: int = 8
    """Query heads of prefix and expert."""
    kv_heads: int = 1
    """Key and value heads."""
    head_dim: int = 256
    """Size of a head, even."""
    vis_width: int = 1152
    """Width of the vision tower (SigLIP)."""
    vis_depth: int = 27
    """Layers of the vision tower."""
    vis_heads: int = 16
    """Heads of the vision tower."""
    vis_mlp: int = 4304
    """Width of its feed-forward layers."""
    patch: int = 14
    """Side of an image patch [pixel]."""
    image: int = 224
    """Side of an image [pixel], a multiple of the patch."""
    vocab: int = 257152
    """Rows of the token embedding."""
    action_dim: int = 32
    """Action dimensions of the network, padding included."""
    chunk: int = 50
    """Actions in a chunk."""
    steps: int = 10
    """Euler steps from noise to actions."""
    min_period: float = 4e-3
    """Shortest period of the flow-time embedding."""
    max_period: float = 4.0
    """Longest period of the flow-time embedding."""

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not isinstance(value, int | float) or isinstance(value, bool) or value <= 0:
                raise InputError(f"pi-0.5 {name} is {value!r}; it must be positive")
        if self.head_dim % 2 or self.exp_width % 2:
            raise InputError(
                f"pi-0.5 head_dim and exp_width are {self.head_dim} and {self.exp_width}; they must be even"
            )
        for whole, part in (("image", "patch"), ("heads", "kv_heads"), ("vis_width", "vis_heads")):
            if getattr(self, whole) % getattr(self, part):
                raise InputError(
                    f"pi-0.5 {whole} is {getattr(self, whole)}; it must be a multiple of {part}, {getattr(self, part)}"
                )

    @property
    def image_tokens(self) -> int:
        """Tokens of one camera image."""
        return (self.image // self.patch) ** 2

    @property
    def qkv_rows(self) -> int:
        """Rows of the fused query, key and value projection."""
        return (self.heads + 2 * self.kv_heads) * self.head_dim


@dataclass(frozen=True)
class Pi05Shapes:
    """Sizes of one call."""

    batch: int
    """Chunks planned at once, B."""
    cameras: int
    """Images per chunk, C."""
    tokens: int
    """Length of the padded prompt, L."""

    def prefix(self, spec: Pi05Spec) -> int:
        """Tokens before the chunk."""
        return self.cameras * spec.image_tokens + self.tokens


def flops(spec: Pi05Spec, shapes: Pi05Shapes) -> dict[str, float]:
    """Return floating-point operations (two per multiply-add) of vision tower, prefix and Euler steps of one call."""
    s, length = spec, shapes.prefix(spec)
    pixels = 3 * s.patch**2
    attention = s.heads * s.head_dim
    layer = 4 * s.vis_width**2 + 2 * s.vis_width * s.vis_mlp
    vision = 2 * s.image_tokens * (pixels * s.vis_width + s.vis_depth * layer + s.vis_width * s.vlm_width)
    vision += 4 * s.vis_depth * s.image_tokens**2 * s.vis_width
    layer = s.vlm_width * (s.qkv_rows + attention + 3 * s.vlm_mlp)
    keys = s.vlm_width * 2 * s.kv_heads * s.head_dim
    prefix = 2 * length * ((s.depth - 1) * layer + keys) + 4 * (s.depth - 1) * length**2 * attention
    layer = s.exp_width * (s.qkv_rows + attention + 3 * s.exp_mlp)
    step = 2 * s.chunk * (s.depth * layer + 2 * s.action_dim * s.exp_width)
    step += 4 * s.depth * s.chunk * (length + s.chunk) * attention
    per_chunk = {"vision": vision * shapes.cameras, "prefix": prefix, "suffix": s.steps * step}
    return {name: float(shapes.batch * value) for name, value in per_chunk.items()}


def parameters(spec: Pi05Spec) -> int:
    """Return the number of weights on the device."""
    s = spec
    attention = s.heads * s.head_dim
    vision = s.vis_width * (3 * s.patch**2 + s.image_tokens + s.vlm_width)
    vision += s.vis_depth * (4 * s.vis_width**2 + 2 * s.vis_width * s.vis_mlp + 9 * s.vis_width + s.vis_mlp)
    vlm = s.vocab * s.vlm_width + s.depth * s.vlm_width * (s.qkv_rows + attention + 3 * s.vlm_mlp)
    expert = s.depth * s.exp_width * (s.qkv_rows + attention + 3 * s.exp_mlp) + 2 * s.action_dim * s.exp_width
    modulation = s.steps * (2 * s.depth + 1) * 3 * s.exp_width
    return vision + vlm + expert + modulation


def activations(spec: Pi05Spec, shapes: Pi05Shapes) -> int:
    """Estimate the number of values that one chunk of a call needs at once: keys, values, largest intermediates."""
    s, length = spec, shapes.prefix(spec)
    cache = 2 * s.depth * s.kv_heads * s.head_dim * (s.chunk + length)
    vision = shapes.cameras * s.image_tokens * (6 * s.vis_width + 2 * s.vis_mlp)
    # Two of the values of width vlm_width are in float32.
    prefix = length * (8 * s.vlm_width + 4 * s.vlm_mlp)
    return cache + max(vision, prefix)
