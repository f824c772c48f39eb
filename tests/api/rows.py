"""What a database holds, row by row: to tell whether anything changed, and where something stands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Table, select

from ringback.domain.attributes import blank_state
from ringback.domain.calls import Call, replay
from ringback.store import calls as store_calls
from ringback.store.engine import Database
from ringback.store.schema import call_changes, calls, idempotency_keys, metadata, waiting_updates

Rows = dict[str, list[tuple[Any, ...]]]
"""The rows of tables, by the name of the table."""


def of_account(database: Database, account_id: int, *, but: frozenset[str] = frozenset()) -> Rows:
    """Every row of an account, but of some tables."""
    own = [table for table in metadata.sorted_tables if "account_id" in table.c and table.name not in but]
    with database.read() as tx:
        return {table.name: _rows(tx, table, account_id) for table in own}


def of_call(database: Database, call: Call) -> Rows:
    """What is kept of a call's worth: its row, its ledger, the keys of its updates."""
    with database.read() as tx:
        found = {table.name: _rows(tx, table, call.account_id) for table in (calls, call_changes, idempotency_keys)}
    named = {call.uuid, str(call.number)}
    return {name: [row for row in rows if named & {str(value) for value in row}] for name, rows in found.items()}


def waiting_states(database: Database, call: Call) -> list[str]:
    """The state of each update of a call that waits, or waited."""
    mine = (waiting_updates.c.account_id == call.account_id, waiting_updates.c.call_uuid == call.uuid)
    with database.read() as tx:
        return list(tx.execute(select(waiting_updates.c.state).where(*mine)).scalars())


def ledger_sum(database: Database, call: Call) -> dict[str, Any]:
    """The state that the changes of a call add up to."""
    with database.read() as tx:
        entries = store_calls.list_entries(tx, call.account_id, call.uuid)
    assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
    return replay((entry.change for entry in entries), blank_state())


def texts(database: Database) -> Iterator[tuple[str, bytes]]:
    """Every text and every byte string in a database, with the column that it stands in."""
    with database.read() as tx:
        for table in metadata.sorted_tables:
            for row in tx.execute(select(table)).mappings():
                for name, value in row.items():
                    if isinstance(value, (str, bytes)):
                        yield f"{table.name}.{name}", value if isinstance(value, bytes) else value.encode()


def _rows(tx: Connection, table: Table, account_id: int) -> list[tuple[Any, ...]]:
    found = tx.execute(select(table).where(table.c.account_id == account_id))
    return sorted((tuple(row) for row in found), key=repr)
