"""Which statements the database is asked, to count them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from ringback.store.engine import Database


@contextmanager
def asked(database: Database) -> Iterator[list[str]]:
    """The statements of a block, without those that only begin a transaction; many rows at once count as one."""
    statements: list[str] = []

    def note(*told: Any) -> None:  # noqa: ANN401 - connection, cursor, statement, parameters, context, many
        if not told[2].startswith("BEGIN"):
            statements.append(told[2])

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
