# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""ResiP: a residual learned on-policy over a frozen base policy that acts inside of the environment."""
