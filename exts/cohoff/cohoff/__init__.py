# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Coherent imitation learning on top of chunked base policies."""

__version__ = "0.1.0"
