# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Chunk policies, the chunk engine and the ways of combining a base policy with a learned one."""

from cohoff.policies.acting import ActingPolicy
from cohoff.policies.base import ChunkPolicy
from cohoff.policies.chunking import ChunkEngine
from cohoff.policies.combine import COMBINATIONS, Combination, make_combination
from cohoff.policies.loading import BASE_KINDS, BaseKind, base_path, load_base

__all__ = [
    "BASE_KINDS",
    "COMBINATIONS",
    "ActingPolicy",
    "BaseKind",
    "ChunkEngine",
    "ChunkPolicy",
    "Combination",
    "base_path",
    "load_base",
    "make_combination",
]
