"""Whose turn it is to write a SQLite file: one of all threads and processes, and the next one as soon as it is done.

SQLite has who finds another writing sleep for up to a tenth of a second before he looks again, and lets him write while
the log of the one before is still written back, so that under load the log grows for ever. Here a turn ends after that
(docs/decisions/0009-taking-turns.md). Only the pace depends on it: SQLite's own lock keeps writers apart in any case.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ringback.store.failures import ContendedError

ENDING = "-turn"
"""What is put behind the name of a database for the file whose lock is the turn. There is nothing in it."""

LOOK_SECONDS = 0.0005
"""How often is looked whether the turn of another process is over: to wait in the kernel could not be bounded."""


class Turns:
    """The turns of one process at one database; whoever writes takes one.

    Threads wait for each other, processes for the lock of a file, which goes with the process that has it. It is a file
    of its own, since to close the database's would drop the locks that SQLite has on it.

    Args:
        database: the file.
    """

    def __init__(self, database: str) -> None:
        self._database = Path(database)
        self._among_threads = threading.Lock()
        self._handle: int | None = None

    @contextmanager
    def take(self, seconds: float) -> Iterator[float]:
        """A turn, for the length of a block, which gets what is left of the seconds.

        Raises:
            ContendedError: it did not come in time.
        """
        deadline = time.monotonic() + seconds
        if not self._among_threads.acquire(timeout=seconds):
            raise _too_late()
        try:
            self._lock(deadline)
            try:
                yield max(0.0, deadline - time.monotonic())
            finally:
                self._unlock()
        finally:
            self._among_threads.release()

    def close(self) -> None:
        """Close the file; the next turn opens it again."""
        with self._among_threads:
            handle, self._handle = self._handle, None
        if handle is not None:
            os.close(handle)

    def _lock(self, deadline: float) -> None:
        with suppress(OSError):  # where there can be no such file, or no lock on it, SQLite's own has to do
            if self._handle is None:
                self._handle = _open_beside(self._database)
            while True:
                try:
                    return fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise _too_late() from None
                time.sleep(LOOK_SECONDS)

    def _unlock(self) -> None:
        if self._handle is not None:
            with suppress(OSError):
                fcntl.flock(self._handle, fcntl.LOCK_UN)


def _open_beside(database: Path) -> int:
    """Open the file of turns; a new one is for whom the database is for."""
    database = database.resolve()
    like, file = database.stat(), database.with_name(database.name + ENDING)
    with suppress(FileExistsError):
        handle = os.open(file, os.O_RDONLY | os.O_CREAT | os.O_EXCL, like.st_mode & 0o666)
        if os.geteuid() == 0:
            os.fchown(handle, like.st_uid, like.st_gid)
        return handle
    return os.open(file, os.O_RDONLY)


def _too_late() -> ContendedError:
    return ContendedError("database is locked: others write")
