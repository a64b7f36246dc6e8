# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Training of pi-0.5 on demonstrations with pictures."""
