# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Names and shapes of the tensors in a pi-0.5 checkpoint.

Two layouts are in use: openpi's, whose names are used here, and lerobot's, which prefixes every name with ``model.``.
Newer versions of transformers omit ``vision_model.``, and the token embedding may be stored as the tied language head.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from cohoff.errors import InputError
from cohoff.policies.pi05.spec import Pi05Spec

PALIGEMMA = "paligemma_with_expert.paligemma.model."
VISION = f"{PALIGEMMA}vision_tower.vision_model."
LANGUAGE = f"{PALIGEMMA}language_model."
EXPERT = "paligemma_with_expert.gemma_expert.model."
EMBEDDING = f"{LANGUAGE}embed_tokens.weight"
HEAD = "paligemma_with_expert.paligemma.lm_head.weight"
"""The language head, which is the same as the embedding."""

Shape = tuple[int, ...]


def expected(spec: Pi05Spec) -> dict[str, Shape]:
    """Return name and shape of every tensor that inference reads."""
    return {name: shape for name, shape in _all(spec).items() if not _is_unused(name, spec)}


def unused(spec: Pi05Spec) -> dict[str, Shape]:
    """Return name and shape of every tensor that lerobot demands and inference does not read."""
    names = {name: shape for name, shape in _all(spec).items() if _is_unused(name, spec)}
    head = {"paligemma_with_expert.gemma_expert.lm_head.weight": (spec.vocab, spec.exp_width)}
    return names | head | {f"{LANGUAGE}norm.weight": (spec.vlm_width,)}


def _all(spec: Pi05Spec) -> dict[str, Shape]:
    """Return name and shape of every tensor of vision tower, layers and projections."""
    s = spec
    shapes: dict[str, Shape] = {EMBEDDING: (s.vocab, s.vlm_width)}

    def affine(name: str, *shape: int) -> None:
        shapes[f"{name}.weight"] = shape
        shapes[f"{name}.bias"] = shape[:1]

    affine(f"{VISION}embeddings.patch_embedding", s.vis_width, 3, s.patch, s.patch)
    shapes[f"{VISION}embeddings.position_embedding.weight"] = (s.image_tokens, s.vis_width)
    for layer in (f"{VISION}encoder.layers.{i}" for i in range(s.vis_depth)):
        affine(f"{layer}.layer_norm1", s.vis_width)
        affine(f"{layer}.layer_norm2", s.vis_width)
        for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
            affine(f"{layer}.self_attn.{name}", s.vis_width, s.vis_width)
        affine(f"{layer}.mlp.fc1", s.vis_mlp, s.vis_width)
        affine(f"{layer}.mlp.fc2", s.vis_width, s.vis_mlp)
    affine(f"{VISION}post_layernorm", s.vis_width)
    affine(f"{PALIGEMMA}multi_modal_projector.linear", s.vlm_width, s.vis_width)
    for i in range(s.depth):
        layer = f"{LANGUAGE}layers.{i}"
        shapes |= _attention(layer, s, s.vlm_width) | _feed_forward(layer, s.vlm_width, s.vlm_mlp)
        shapes |= {f"{layer}.{name}_layernorm.weight": (s.vlm_width,) for name in ("input", "post_attention")}
        layer = f"{EXPERT}layers.{i}"
        shapes |= _attention(layer, s, s.exp_width) | _feed_forward(layer, s.exp_width, s.exp_mlp)
        for name in ("input", "post_attention"):
            affine(f"{layer}.{name}_layernorm.dense", 3 * s.exp_width, s.exp_width)
    affine(f"{EXPERT}norm.dense", 3 * s.exp_width, s.exp_width)
    affine("action_in_proj", s.exp_width, s.action_dim)
    affine("action_out_proj", s.action_dim, s.exp_width)
    affine("time_mlp_in", s.exp_width, s.exp_width)
    affine("time_mlp_out", s.exp_width, s.exp_width)
    return shapes


def resolve(shapes: Mapping[str, Shape], spec: Pi05Spec, origin: str) -> dict[str, str]:
    """Return the stored name of every expected tensor; check that the checkpoint holds these and no others.

    Args:
        shapes: Shape of every stored tensor.
        spec: Sizes of the network.
        origin: Name of the checkpoint in error messages.

    Raises:
        InputError: Tensors are missing, unknown or of a wrong shape; the message names them.
    """
    stored = {openpi_name(name): name for name in shapes}
    if not any(name.startswith("paligemma_with_expert.") for name in stored):
        found = ", ".join(sorted(shapes)[:3])
        raise InputError(f"{origin} is in no known pi-0.5 layout (lerobot's or openpi's): its tensors are {found}, ...")
    if EMBEDDING not in stored and HEAD in stored:
        stored[EMBEDDING] = stored.pop(HEAD)
    wanted = expected(spec)
    if missing := [name for name in wanted if name not in stored]:
        raise InputError(f"{origin} lacks {_some(missing)}; it is incomplete or of another size")
    if unknown := [name for name in stored if name not in wanted and not _is_unused(name, spec)]:
        raise InputError(f"{origin} holds {_some(unknown)}, which pi-0.5 of this size does not have")
    for name, shape in wanted.items():
        if tuple(shapes[stored[name]]) != shape:
            found = tuple(shapes[stored[name]])
            raise InputError(f"{origin} holds {name} of shape {found}, expected {shape}")
    return {name: stored[name] for name in wanted}


def _attention(layer: str, s: Pi05Spec, width: int) -> dict[str, Shape]:
    queries, keys = s.heads * s.head_dim, s.kv_heads * s.head_dim
    shapes = {"q": (queries, width), "k": (keys, width), "v": (keys, width), "o": (width, queries)}
    return {f"{layer}.self_attn.{name}_proj.weight": shape for name, shape in shapes.items()}


def _feed_forward(layer: str, width: int, inner: int) -> dict[str, Shape]:
    shapes = {"gate": (inner, width), "up": (inner, width), "down": (width, inner)}
    return {f"{layer}.mlp.{name}_proj.weight": shape for name, shape in shapes.items()}


def _is_unused(name: str, s: Pi05Spec) -> bool:
    """Return whether inference does not need ``name``: language heads, and the end of the prefix."""
    last = (
        re.escape(f"{LANGUAGE}layers.{s.depth - 1}.") + r"(self_attn\.[qo]_proj|mlp\.\w+_proj|post_attention_layernorm)"
    )
    heads = r"paligemma_with_expert\.(paligemma|gemma_expert)\.lm_head"
    return re.fullmatch(rf"({heads}|{re.escape(LANGUAGE)}norm|{last})\.weight", name) is not None


def openpi_name(name: str) -> str:
    """Return openpi's name of a tensor in any of the layouts."""
    name = re.sub(r"^model\.(?=paligemma_with_expert\.|action_(in|out)_proj\.|time_mlp_(in|out)\.)", "", name)
    return re.sub(r"\.vision_tower\.(?!vision_model\.)", ".vision_tower.vision_model.", name)


def _some(names: list[str]) -> str:
    """Return the first names and the number of further ones."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
