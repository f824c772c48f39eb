"""The floor under any server on SQLite that commits each update by itself: a bare loop of the same writes.

One thread, one connection, the same settings and durability (WAL, synchronous=FULL). Nobody is authenticated, nothing
is decided, and the texts that Ringback works out are constants, taken from a receipt that it wrote. It runs in a
process of its own, like a server, so that the disk can be slow for either.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import insert
from sqlalchemy.dialects.sqlite import dialect

from benchmarks.contest import Meter, Turn
from benchmarks.stage import Stage, body
from ringback import entropy
from ringback.store.engine import PRAGMAS
from ringback.store.schema import call_changes, receipt_payloads, receipts

FIND = "SELECT changes, revenue, contact_fields FROM calls WHERE account_id = ? AND uuid = ?"
CHANGE = """UPDATE calls SET changes = ?, updated_at = ?, buyer_converted = 1, revenue = ?, offer_converted = 1,
    contact_fields = ? WHERE account_id = ? AND uuid = ?"""
LOG, RECEIPT, PAYLOAD = (
    str(insert(table).compile(dialect=dialect(paramstyle="named")))
    for table in (call_changes, receipts, receipt_payloads)
)


class Plan(msgspec.Struct, frozen=True):
    """What to write, and for how long; ``sample`` is a receipt with its payload, by column."""

    file: str
    uuids: list[str]
    sample: dict[str, Any]
    start: int
    seconds: float
    warmup: float


class Told(msgspec.Struct, frozen=True):
    """What came of it; ``done`` counts the warm-up too."""

    done: int
    per_second: float


class SqliteLoop:
    """The loop as a contender."""

    def __init__(self, name: str, stage: Stage, sample: Mapping[str, Any], environment: Mapping[str, str]) -> None:
        self.name = name
        self._stage = stage
        self._sample = {column: value for column, value in sample.items() if column != "body"}
        self._environment = {**os.environ, **environment}

    def turn(self, seconds: float) -> Turn:
        """As many updates as one loop gets through."""
        meter = Meter(self._stage)
        file, warmup = self._stage.database.url.database or "", min(1.0, seconds / 4)
        plan = Plan(file, self._stage.uuids, self._sample, self._stage.sent, seconds, warmup)
        command = [sys.executable, "-m", "benchmarks.sqlite_loop"]
        done = subprocess.run(
            command, env=self._environment, input=msgspec.json.encode(plan), stdout=subprocess.PIPE, check=True
        )
        told = msgspec.json.decode(done.stdout, type=Told)
        self._stage.sent += told.done
        return Turn(told.per_second, meter.figures(told.done))


class _Loop:
    """One connection that writes updates."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._next = plan.start
        self._connection = sqlite3.connect(plan.file, isolation_level=None)
        for pragma in PRAGMAS:
            self._connection.execute(f"PRAGMA {pragma}")

    def run(self) -> Told:
        self._write_for(self._plan.warmup)
        warm = self._next
        spent = self._write_for(self._plan.seconds)
        return Told(self._next - self._plan.start, (self._next - warm) / spent)

    def _write_for(self, seconds: float) -> float:
        began = time.perf_counter()
        while (spent := time.perf_counter() - began) < seconds:
            self._update(self._plan.uuids[self._next % len(self._plan.uuids)], self._next)
            self._next += 1
        return spent

    def _update(self, uuid: str, number: int) -> None:
        execute = self._connection.execute
        now = time.time_ns() // 1000
        account, receipt_id = self._plan.sample["account_id"], entropy.new_id()
        execute("BEGIN IMMEDIATE")
        changes, revenue, fields = execute(FIND, (account, uuid)).fetchone()
        after = (1000 + number) * 10_000
        execute(CHANGE, (changes + 2, now, after, f'{{"first_name":"Ada {number}"}}', account, uuid))
        row = {
            **self._plan.sample,
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


if __name__ == "__main__":
    wanted = msgspec.json.decode(sys.stdin.buffer.read(), type=Plan)
    sys.stdout.buffer.write(msgspec.json.encode(_Loop(wanted).run()))
