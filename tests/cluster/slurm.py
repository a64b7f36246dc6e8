# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A SLURM cluster of one node, this machine, with everything in one folder."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch")
"""Debian: ``apt install munge slurmctld slurmd slurm-client``."""

CONFIGURATION = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort=16817
SlurmdPort=16818
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
SlurmUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
MinJobAge=3600
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} State=UNKNOWN
PartitionName=test Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Poll ``condition``; fail after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s for {what}"
        time.sleep(0.5)


class Cluster:
    """Runs while its context lasts.

    Args:
        folder: Empty folder for sockets, logs and states.
        work: Working directory of the jobs.
    """

    def __init__(self, folder: Path, work: Path) -> None:
        self.folder, self.work = folder, work
        self.environment = os.environ | {"SLURM_CONF": str(folder / "slurm.conf")}

    def __enter__(self) -> Cluster:
        folder = self.folder
        for name in ("state", "spool"):
            (folder / name).mkdir()
        key = folder / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o600)
        host = socket.gethostname().partition(".")[0]
        text = CONFIGURATION.format(folder=folder, host=host, cpus=os.cpu_count())
        (folder / "slurm.conf").write_text(text, encoding="utf-8")
        files = {"socket": "munge.socket", "pid-file": "munged.pid", "log-file": "munged.log", "seed-file": "seed"}
        paths = [f"--{option}={folder / name}" for option, name in files.items()]
        self.call("munged", "--force", f"--key-file={key}", *paths)
        self.call("slurmctld", "-c")
        self.call("slurmd", "-c")
        wait_until(lambda: self.call("sinfo", "--noheader", "--format=%T").strip() == "idle", 60, "the node")
        return self

    def __exit__(self, *exception: object) -> None:
        self.call("scancel", "--full", "--user=root")
        wait_until(lambda: not self.call("squeue", "--noheader"), 60, "the jobs")
        for name in ("slurmd", "slurmctld", "munged"):
            os.kill(int((self.folder / f"{name}.pid").read_text()), 15)

    def call(self, *command: str) -> str:
        """Output of a command; its errors where it fails."""
        process = subprocess.run(
            command, cwd=self.work, env=self.environment, capture_output=True, text=True, check=False
        )
        assert process.returncode == 0, (command, process.stdout + process.stderr)
        return process.stdout

    def submit(self, *arguments: str) -> str:
        """Submit a script; return the number of the job or array."""
        return self.call("sbatch", "--parsable", *arguments).strip()

    def field(self, job: str, name: str) -> str:
        """A field of ``scontrol show job``."""
        found = re.search(rf"\b{name}=(\S*)", self.call("scontrol", "show", "job", job))
        assert found is not None, name
        return found[1]

    def is_running_again(self, job: str, restarts: int) -> bool:
        """Whether a job runs for the time after ``restarts``; SLURM would delay it, so it is told to start now."""
        if self.field(job, "Restarts") != str(restarts):
            return False
        if self.field(job, "JobState") == "PENDING":
            self.call("scontrol", "update", f"JobId={job}", "StartTime=now")
        return self.field(job, "JobState") == "RUNNING"

    def has_ended(self, job: str) -> bool:
        """Whether a job has ended."""
        return self.field(job, "JobState") in ("COMPLETED", "FAILED", "TIMEOUT")


def is_installed() -> bool:
    """Whether this machine can be a cluster."""
    path = f"{os.environ['PATH']}:/usr/sbin"
    return os.getuid() == 0 and all(shutil.which(name, path=path) for name in PROGRAMS)
