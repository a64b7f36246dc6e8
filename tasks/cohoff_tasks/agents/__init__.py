# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Agent configurations shared by all tasks, one module per algorithm."""
