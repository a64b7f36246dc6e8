# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What is measured without a simulator: updates, replay buffer, planning, and agreement of devices."""
