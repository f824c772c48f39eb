"""A SQLite database as one file: copied while it is served, and looked at before it is believed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from ringback.store.failures import RejectedError

COMPANIONS = ("-wal", "-shm", "-journal")
"""What SQLite puts behind the name of a database for the files beside it."""


def copy(source: Path, target: Path) -> None:
    """Copy a database as it is at one moment; whoever writes it goes on writing.

    Raises:
        RejectedError: it can't be read or written, or the copy is damaged.
    """
    with _opened(source) as there, _opened(target, mode="rwc") as here:
        there.backup(here)  # in one step: with several, each write of another process would have it begin anew
        here.execute("PRAGMA journal_mode=DELETE")  # the copy is one file, without others beside it
        found = here.execute("PRAGMA integrity_check(1)").fetchone()[0]
        if found != "ok":
            raise RejectedError(f"it is damaged: {found.splitlines()[-1]}")


def revision_of(file: Path) -> str | None:
    """The revision of a database's schema; None if it is none of Ringback."""
    with _opened(file) as here:
        if here.execute("SELECT 1 FROM sqlite_schema WHERE name = 'alembic_version'").fetchone() is None:
            return None
        row = here.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else None


def is_in_use(file: Path) -> bool:
    """Whether another process has a database open."""
    try:
        with _opened(file) as here:
            here.execute("PRAGMA locking_mode=EXCLUSIVE")
            here.execute("BEGIN EXCLUSIVE")
    except RejectedError as error:
        return "locked" in str(error)
    return False


@contextmanager
def _opened(file: Path, mode: str = "rw") -> Iterator[sqlite3.Connection]:
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode={mode}", uri=True, timeout=0)) as connection:
            yield connection
    except sqlite3.Error as error:
        raise RejectedError(str(error)) from error
