# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Everything that touches Isaac Lab: environment, recording, replay, evaluation, video, launching."""
