# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Run the commands of README and docs, page by page, in a folder of their own and at a small size.

The commands are those of the blocks marked ``bash``. What is changed or left out is in :data:`SMALL` and :data:`LEFT`.
Takes about ten minutes on a CPU: ``make docs-check``.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = (
    "README.md", "docs/viewers.md", "docs/export.md", "docs/cluster.md", "docs/adding-a-task.md", "docs/gpu.md",
    "docs/pi05.md", "docs/offline.md", "docs/vision.md",
)  # fmt: skip
"""In this order, because later pages use the run of the first one."""

TINY = (
    "agent.num_steps_per_env=4 agent.algorithm.clone.steps=20 agent.algorithm.critic.pretrain_steps=20 "
    "agent.algorithm.update_to_data=0.0625"
)
NEWEST = "$(ls -d logs/rsl_rl/cohoff_square/* | tail -n 1)"

SMALL = (
    (r"^make demo", "python scripts/demo.py --quick --output quick"),
    (r"^(isaaclab train .*)$", rf"\1 --max_iterations 2 {TINY}"),
    (r"^(isaaclab play .*)$", r"timeout 100 \1 || [ $? = 124 ]"),  # it plays until it is ended
    (r"--num_demonstrations \d+", "--num_demonstrations 8"),
    (r"--num_envs [\d ]+", "--num_envs 8 "),
    (r"--episodes \d+", "--episodes 8 --num_envs 8"),
    (r"^(python (?:-m cohoff|scripts/)\s?record_video.*)$", r"\1 --max_steps 10"),
    (r"^(python scripts/benchmark_env.*)$", r"\1 --expert_steps 5 --random_steps 5"),
    (r"^(python -m cohoff pretrain.*)$", r"\1 --steps 20"),
    (r"^(python -m cohoff offline.*?)(?: updates=\d+)?$", r"\1 updates=20"),
    (r"--video_length \d+", "--video_length 5"),
    (r"^RUN=.*", f"RUN={NEWEST}"),
    (r"(?<!\$)\bRUN\b(?!=)", NEWEST),
)
"""Replacements, applied to every command in this order."""

LEFT = {
    r"^make (test|check|format|\.venv)": "continuous integration runs it",
    r"^make parity|benchmark_pi05|lerobot": "takes an environment of its own and minutes of a large network",
    r"^pip install": "the installation that this runs in",
    r"^pytest": "part of make test",
    r"gpu_check\.py(?!.*--quick)": "needs a GPU",
    r"^srun|^sbatch|^source": "needs SLURM; tests/cluster runs it",
    r"^docker|^apptainer|^osmo|^wandb sweep|ray_sweep": "needs a builder, a service or packages of its own",
    r"pi05": "needs weights that are not included",
    r"train_multigpu": "needs several GPUs",
}
"""Commands that are not run, with the reason."""


def commands(page: str) -> list[str]:
    """Commands of a page, one line each, without comments."""
    text = (ROOT / page).read_text(encoding="utf-8")
    blocks = re.findall(r"^ *```bash\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)
    lines = "\n".join(textwrap.dedent(block) for block in blocks).replace("\\\n", " ").splitlines()
    stripped = (re.sub(r"(^|\s+)#.*", "", line).strip() for line in lines)
    return [re.sub(r"\s+", " ", line) for line in stripped if line]


def small(command: str) -> str:
    """The command at a small size."""
    for pattern, replacement in SMALL:
        command = re.sub(pattern, replacement, command)
    return command


def main() -> int:
    """Run all pages; return the number of commands that failed."""
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for name in ("scripts", "tests"):
            (Path(folder) / name).symlink_to(ROOT / name)
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = os.environ | {"PATH": path, "WANDB_MODE": "offline"}
        for page in PAGES:
            variables: list[str] = []
            for command in commands(page):
                reason = next((why for pattern, why in LEFT.items() if re.search(pattern, command)), None)
                if reason is not None:
                    print(f"{page}: not run ({reason}): {command}", flush=True)
                    continue
                line = small(command)
                if re.match(r"\w+=", line):
                    variables.append(line)
                    continue
                start = time.monotonic()
                script = "\n".join(["set -e", *variables, line])
                process = subprocess.run(
                    ["bash", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, check=False
                )
                outcome = "ok" if process.returncode == 0 else f"FAILED ({process.returncode})"
                print(f"{page}: {outcome} in {time.monotonic() - start:.0f} s: {line}", flush=True)
                if process.returncode != 0:
                    failed += 1
                    print(process.stdout[-1500:] + process.stderr[-1500:], flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
