# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The core that off-policy algorithms share: collecting, replay, batches, schedules, reports, checkpoints."""
