"""The floor under any server on SQLite that commits each update by itself: a bare loop of the same writes.

One thread, one connection, the same durability (WAL, synchronous=FULL). Nobody is authenticated, nothing is decided,
and the texts that Ringback works out are constants, taken from a receipt that it wrote.
"""

from __future__ import annotations

import sqlite3
import time
from typing import Any

from sqlalchemy import insert
from sqlalchemy.dialects.sqlite import dialect

from benchmarks.contest import Meter, Turn
from benchmarks.stage import Stage, body
from ringback import entropy
from ringback.store.schema import call_changes, receipt_payloads, receipts

FIND = "SELECT changes, revenue, contact_fields FROM calls WHERE account_id = ? AND uuid = ?"
CHANGE = """UPDATE calls SET changes = ?, updated_at = ?, buyer_converted = 1, revenue = ?, offer_converted = 1,
    contact_fields = ? WHERE account_id = ? AND uuid = ?"""
LOG, RECEIPT, PAYLOAD = (
    str(insert(table).compile(dialect=dialect(paramstyle="named")))
    for table in (call_changes, receipts, receipt_payloads)
)


class SqliteLoop:
    """The loop as a contender; ``sample`` is a receipt with its payload, by column."""

    def __init__(self, name: str, stage: Stage, sample: dict[str, Any]) -> None:
        self.name = name
        self._stage = stage
        self._sample = sample
        self._connection = sqlite3.connect(stage.database.url.database or "", isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-65536"):
            self._connection.execute(f"PRAGMA {pragma}")

    def turn(self, seconds: float) -> Turn:
        """As many updates as one loop gets through."""
        meter = Meter(self._stage)
        began, done = time.perf_counter(), 0
        while (spent := time.perf_counter() - began) < seconds:
            self._update(self._stage.uuids[self._stage.sent % len(self._stage.uuids)], self._stage.sent)
            self._stage.sent += 1
            done += 1
        return Turn(done / spent, meter.figures(done))

    def _update(self, uuid: str, number: int) -> None:
        execute = self._connection.execute
        now = time.time_ns() // 1000
        account, receipt_id = self._sample["account_id"], entropy.new_id()
        execute("BEGIN IMMEDIATE")
        changes, revenue, fields = execute(FIND, (account, uuid)).fetchone()
        after = (1000 + number) * 10_000
        execute(CHANGE, (changes + 2, now, after, f'{{"first_name":"Ada {number}"}}', account, uuid))
        row = {
            **self._sample,
            "id": receipt_id,
            "receipt_id": receipt_id,
            "call_uuid": uuid,
            "call_ref": uuid,
            "origin": "update",
            "received_at": now,
            "decided_at": now,
            "changed_at": now,
            "body": body(number).encode(),
        }
        names = ("attribute", "field", "before", "after", "seq")
        for change in (
            ("revenue", None, f'"{revenue}"', f'"{after}"', changes + 1),
            ("contact_fields", "first_name", fields, f'"Ada {number}"', changes + 2),
        ):
            execute(LOG, row | dict(zip(names, change, strict=True)))
        execute(RECEIPT, row)
        execute(PAYLOAD, row)
        execute("COMMIT")
