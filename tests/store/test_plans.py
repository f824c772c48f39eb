"""What an update costs doesn't grow with what is there: no statement of its way reads a whole table."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import Connection, event

from ringback import clock
from ringback.domain.bodies import Value
from ringback.domain.decisions import CallRef, RefKind
from ringback.services.updates import apply
from ringback.store.engine import Database
from ringback.store.migrate import migrate
from tests.domain.samples import understood
from tests.reliability.desk import make_update
from tests.world import World, build_world

_GIVEN = re.compile(r"SCAN (asked|asked_rows|given)\b")
"""Rows that came with the statement."""


@pytest.fixture
def world_on_sqlite(sqlite_url: str) -> Iterator[World]:
    database = Database(sqlite_url)
    migrate(database)
    yield build_world(database)
    database.close()


def explained(connection: Connection, statements: list[tuple[str, Any]]) -> Iterator[tuple[str, str]]:
    """Each statement with each line of how SQLite would carry it out."""
    for statement, parameters in statements:
        one = parameters[0] if isinstance(parameters, list) else parameters
        for *_, line in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", one):
            yield statement, line


def test_no_statement_of_an_update_reads_a_whole_table(world_on_sqlite: World) -> None:
    world = world_on_sqlite
    call = world.call()
    statements: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:  # noqa: ANN401
        statements.append((statement, parameters))

    patches: list[Mapping[str, Value]] = [{"add_revenue": "1.00"}, {"payout": "2.00", "post_call_tokens": {"a": "b"}}]
    readings = [understood(patch, keys=keys) for patch in patches for keys in ({}, {"Idempotency-Key": str(patch)})]
    updates = [make_update(world, call, reading) for reading in readings]
    by_caller = CallRef(RefKind.CALLER, "+17195550100", "a-token", buyers=frozenset({world.bright}))
    updates += [replace(make_update(world, call, readings[0]), ref=by_caller)]
    with world.database.write() as tx:
        event.listen(world.database.engine, "before_cursor_execute", note)
        apply(tx, updates, clock.now())
        event.remove(world.database.engine, "before_cursor_execute", note)
        scans = [
            (line, statement)
            for statement, line in explained(tx, statements)
            if "SCAN" in line and not _GIVEN.search(line)
        ]
    assert len(statements) >= 8
    assert scans == []
