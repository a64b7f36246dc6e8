# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""pi-0.5 (arXiv 2504.16054) for inference in pure PyTorch: the network, its checkpoints, and a chunk policy around it."""
