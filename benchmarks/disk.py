"""How long the disk takes to flush, and one that takes longer.

A commit waits for a flush. Here it may take a tenth of a millisecond; on the network disk of an ordinary cloud machine
it takes one and more. ``slow_disk.c`` is put before the C library of a process and lets no flush of it return sooner.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

SLOW_MILLISECONDS = 1
"""How long a flush of the slow disk takes at least."""

_SOURCE = Path(__file__).with_name("slow_disk.c")


def can_be_slow() -> bool:
    """Whether there is a C compiler to make a slow disk with."""
    return shutil.which("cc") is not None


def slow(folder: Path) -> Mapping[str, str]:
    """The environment of a process for which the disk is slow; what makes it so is compiled into a folder."""
    library = folder / "slow_disk.so"
    command = ["cc", "-O2", "-shared", "-fPIC", "-o", str(library), str(_SOURCE), "-ldl"]
    subprocess.run(command, check=True)
    return {"LD_PRELOAD": str(library), "FLUSH_SECONDS": str(SLOW_MILLISECONDS / 1000)}


def flush_milliseconds(environment: Mapping[str, str]) -> float:
    """How long a flush takes a process with this environment."""
    command = [sys.executable, "-m", "benchmarks.disk"]
    done = subprocess.run(command, env={**os.environ, **environment}, stdout=subprocess.PIPE, check=True)
    return 1000 / float(done.stdout)


def flushes_a_second(seconds: float = 1.0) -> float:
    """How often a second the disk takes a block of 8 KiB for good."""
    with tempfile.TemporaryFile() as file:
        block = os.urandom(8192)
        os.pwrite(file.fileno(), block, 0)
        began, done = time.perf_counter(), 0
        while time.perf_counter() - began < seconds:
            os.pwrite(file.fileno(), block, 0)
            os.fdatasync(file.fileno())
            done += 1
        return done / (time.perf_counter() - began)


if __name__ == "__main__":
    print(flushes_a_second())
