"""Disks that can be full: a small file system where mounting is permitted, and everywhere a limit on files."""

from __future__ import annotations

import os
import resource
import subprocess
import tempfile
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Self

from tests.crash.servers import Server

MEGABYTES = 24
"""Enough for a database with some updates in it, and quickly full."""

BYTES_ALLOWED = 64 * 1024
"""Less than the database has; not a byte more is written to it."""


class Disk(ABC):
    """A folder on a disk that can be full."""

    def __enter__(self) -> Self:
        self._temporary = tempfile.TemporaryDirectory(prefix="ringback-disk-")
        self.folder = Path(self._temporary.name)
        return self

    def __exit__(self, *_: object) -> None:
        self._temporary.cleanup()

    @abstractmethod
    def fill(self, server: Server) -> None:
        """Leave no room."""

    @abstractmethod
    def free(self, server: Server) -> None:
        """Make room again."""


class RationedDisk(Disk):
    """Any disk; the kernel refuses what a server would write beyond a limit (EFBIG in place of ENOSPC)."""

    def fill(self, server: Server) -> None:
        """Lower the limit of the running server."""
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (BYTES_ALLOWED, resource.RLIM_INFINITY))

    def free(self, server: Server) -> None:
        """Lift it."""
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


class SmallDisk(Disk):
    """A file system of a few megabytes, in memory; root may mount it where the machine lets him."""

    def __enter__(self) -> Self:
        super().__enter__()
        command = ["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "tmpfs", str(self.folder)]
        try:
            subprocess.run(command, check=True, capture_output=True)
        except BaseException:
            super().__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        subprocess.run(["umount", "--lazy", self.folder], check=True)
        super().__exit__()

    def fill(self, server: Server) -> None:  # noqa: ARG002 - as the other disk has it
        """Write until nothing more goes."""
        with (self.folder / "ballast").open("wb", buffering=0) as ballast:
            block = bytes(4096)
            while True:
                try:
                    os.write(ballast.fileno(), block)
                except OSError:
                    return

    def free(self, server: Server) -> None:  # noqa: ARG002 - the same
        """Remove what was written."""
        (self.folder / "ballast").unlink()


def kinds() -> list[type[Disk]]:
    """The disks that this machine can have."""
    try:
        with SmallDisk():
            return [RationedDisk, SmallDisk]
    except (OSError, subprocess.CalledProcessError):
        return [RationedDisk]
