# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What goes wrong on purpose: kills, malformed files, values that are not finite, and long runs."""
