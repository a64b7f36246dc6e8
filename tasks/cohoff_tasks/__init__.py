# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Manipulation tasks, registered with Gymnasium when this package is imported."""

from . import coffee, mug_cleanup, square, threading  # noqa: F401
