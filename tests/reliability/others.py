"""Other connections to the same PostgreSQL, that stand in the server's way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql

from tests.reliability.clients import wait_until

Other = psycopg.Connection[tuple[Any, ...]]
"""A connection that isn't the server's."""


@contextmanager
def another(url: str) -> Iterator[Other]:
    """A connection in a transaction, undone at the end of the block if it isn't committed."""
    with psycopg.connect(url) as connection:
        yield connection
        connection.rollback()


def hold_call(other: Other, uuid: str) -> None:
    """Lock a call."""
    other.execute("SELECT 1 FROM calls WHERE uuid = %s FOR UPDATE", [uuid])


def hold_table(other: Other, name: str) -> None:
    """Keep everybody else off a table."""
    other.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(sql.Identifier(name)))


_GATE = """
    CREATE FUNCTION stand_at_the_gate() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        PERFORM pg_advisory_xact_lock(1); RETURN NULL;
    END $$;
    CREATE CONSTRAINT TRIGGER gate AFTER INSERT ON call_changes DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION stand_at_the_gate()
"""


def hold_commits(other: Other) -> None:
    """Have every commit of a change wait until the end of the transaction."""
    other.execute(_GATE)
    other.commit()
    other.execute("SELECT pg_advisory_xact_lock(1)")


def wait_for_waiting(other: Other, statement: str = "%") -> int:
    """Wait until somebody waits for a lock with such a statement, and return who."""
    found: list[int] = []

    def look() -> list[int]:
        other.execute("SELECT pg_stat_clear_snapshot()")
        rows = other.execute(
            "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
            " AND query ILIKE %s",
            [statement],
        )
        found[:] = [pid for (pid,) in rows]
        return found

    wait_until(look)
    return found[0]


def count_deadlocks(other: Other) -> int:
    """How many deadlocks the database has resolved."""
    other.execute("SELECT pg_stat_clear_snapshot()")
    row = other.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()").fetchone()
    assert row is not None
    return int(row[0])
