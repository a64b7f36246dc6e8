# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Scene pieces, actions, MDP terms and expert pieces shared by all tasks."""
