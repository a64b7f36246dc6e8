# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Chunk policies, the chunk engine and the ways of combining a base policy with a learned one."""
