#!/usr/bin/env bash
# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

# What the SLURM jobs share. To be sourced.

# need NAME...: end in one line unless SLURM has set these variables.
need() {
    local name
    for name in "$@"; do
        if [ -z "${!name:-}" ]; then
            echo "error: $name is not set; submit this script: sbatch --array=0-4 $0 ..." >&2
            exit 2
        fi
    done
}

# run_step COMMAND...: run it as a step of the job, in the image $CONTAINER if that is set, and end the job with its
# status. SLURM announces the time limit by SIGUSR1; a step that ends because of it, with status 128 + 10, runs again.
run_step() {
    local status=0 launcher=(srun)
    if [ -n "${CONTAINER:-}" ]; then
        launcher+=(apptainer exec --nv "$CONTAINER")
    fi
    "${launcher[@]}" "$@" || status=$?
    if [ "$status" = 138 ]; then
        # Not $SLURM_JOB_ID: one job of an array has the number of the array, which would requeue all of it.
        local job=${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID
        echo "the time is up; job $job is queued again" >&2
        scontrol requeue "$job"
    fi
    exit "$status"
}
