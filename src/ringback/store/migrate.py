"""Bringing the schema up to date, by Alembic, one process at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, text

from ringback.store.engine import Database
from ringback.store.failures import RejectedError

_LOCK = 7_261_947_003
"""The advisory lock on PostgreSQL under which one process migrates while others wait."""


def migrate(database: Database) -> tuple[str | None, str]:
    """Bring the schema to the newest revision; returns the one before and the one after.

    Raises:
        RejectedError: the schema is that of a later version.
    """
    config = _config()
    with database.write() as connection, _alone(connection):
        before = _current(connection)
        if before == _newest():
            return before, before
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise RejectedError(f"its schema is that of a later version of Ringback, revision {before}") from error
        return before, str(_current(connection))


def is_current(database: Database) -> bool:
    """Whether the schema is the one that this program needs."""
    with database.read() as connection:
        return _current(connection) == _newest()


def is_known(revision: str) -> bool:
    """Whether a schema of this revision is this program's, or can be brought up to date by it."""
    return revision in {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}


@cache
def _newest() -> str:
    return str(ScriptDirectory.from_config(_config()).get_current_head())


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL lock_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    yield


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config
