# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Coffee: put a pod into a coffee machine and close the lid."""

from cohoff_tasks.common.registration import register

register("Coffee", __name__)
