#!/usr/bin/env bash
# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

# Prepare a folder for nodes without internet, on one with it: robot and objects as USD, compiled kernels, and what a
# simulation loads at its first start. Jobs use it after `. FOLDER/environment.sh`.
#
#     scripts/cluster/prepare.sh /shared/cohoff-cache Cohoff-Square-Franka Cohoff-Coffee-Franka
#
# Kernels are compiled for the device of this machine: call it in a job with a GPU (srun --gres=gpu:1 ...) if the jobs
# have one.

set -euo pipefail
if [ $# -lt 2 ]; then
    echo "error: give a folder and at least one task: scripts/cluster/prepare.sh FOLDER TASK..." >&2
    exit 2
fi
mkdir -p "$1"
folder=$(cd "$1" && pwd)
shift

cat > "$folder/environment.sh" << END
export XDG_CACHE_HOME='$folder' WARP_CACHE_PATH='$folder/warp' TORCHINDUCTOR_CACHE_DIR='$folder/inductor'
export HF_HOME='$folder/huggingface' HF_HUB_OFFLINE=1 WANDB_MODE=offline
END
# shellcheck source=/dev/null
. "$folder/environment.sh"
for task in "$@"; do
    python -m cohoff collect_demos --task "$task" --num_demonstrations 1 --num_envs 4 --output "$folder/check.hdf5"
done
rm "$folder/check.hdf5"
echo "prepared; in jobs: . $folder/environment.sh"
