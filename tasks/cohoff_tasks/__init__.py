# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Manipulation tasks, registered with Gymnasium when this package is imported."""

from . import coffee, hammer_cleanup, mug_cleanup, nut_assembly, square, threading  # noqa: F401
