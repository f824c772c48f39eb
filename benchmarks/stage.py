"""The stage: databases with calls in them, servers as processes of their own, and what was really recorded."""

from __future__ import annotations

import hashlib
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import IO, Literal

import psycopg
from sqlalchemy import func, insert, select, text

from benchmarks import load
from ringback import clock
from ringback.domain.money import to_micros
from ringback.store.engine import Database
from ringback.store.migrate import migrate
from ringback.store.schema import call_changes, calls, receipt_payloads, receipts
from ringback.store.values import to_moment
from tests.postgres import PostgresServer
from tests.world import build_world

ROOT = Path(__file__).resolve().parents[1]

CALLS = 20_000

CHANGES_AN_UPDATE = 2
"""Every update changes the revenue and one contact field; a call has converted before."""

PATH = "/api/v1/calls/update_call/{}"
_BODY = (
    '{{"buyer_converted":"true","revenue":"{:.2f}","offer_converted":"true","post_call_tokens":{{"first_name":"{}"}}}}'
)
_BODIES = 9_973  # prime to the number of calls, so that a call never gets the same body twice in a row

SETTINGS = {
    "shared_preload_libraries": "pg_stat_statements",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "30min",
}
"""The server's own settings, but no checkpoint falls into somebody's turn; fsync and synchronous_commit are on."""


@contextmanager
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL on disk that keeps what it promises."""
    with PostgresServer(durable=True, settings=SETTINGS) as server:
        count_statements(server.url(), "none")
        yield server


def count_statements(url: str, which: Literal["none", "top"]) -> None:
    """Have PostgreSQL count statements, or not: it costs a little."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        connection.execute(f"ALTER SYSTEM SET pg_stat_statements.track = '{which}'")
        connection.execute("SELECT pg_reload_conf()")
        connection.execute("SELECT pg_stat_statements_reset()")


@dataclass(frozen=True)
class Recorded:
    """Rows that are there."""

    receipts: int
    payloads: int
    changes: int

    def __sub__(self, before: Recorded) -> Recorded:
        return Recorded(self.receipts - before.receipts, self.payloads - before.payloads, self.changes - before.changes)


@dataclass
class Stage:
    """A database with one account, one team, one token and many calls, all for one contender."""

    database: Database
    authorization: str
    token_id: str
    uuids: list[str]
    sent: int = 0

    def at(self, url: str) -> Stage:
        """The same in a copy of the database."""
        return replace(self, database=Database(url))

    @property
    def url(self) -> str:
        """The address of the database."""
        return self.database.url.set(drivername=self.database.url.get_backend_name()).render_as_string(
            hide_password=False
        )

    def plan(self, ports: Sequence[int], **how: float | None) -> load.Plan:
        """Updates that go on where the last plan ended."""
        return load.Plan(
            ports=list(ports),
            paths=[PATH.format(each) for each in self.uuids],
            headers={
                "Host": "acme.localhost",
                "Content-Type": "application/json",
                "Authorization": self.authorization,
            },
            bodies=[body(number) for number in range(_BODIES)],
            start=self.sent,
            **how,  # type: ignore[arg-type] # numbers of the plan
        )

    def size(self) -> int:
        """Bytes on disk of all tables and indexes."""
        question = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
        if not self.database.is_sqlite:
            question = "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r' AND oid >= 16384"
        with self.database.read() as tx:
            return int(tx.scalar(text(question)) or 0)

    def recorded(self) -> Recorded:
        """Count what is there."""
        with self.database.read() as tx:
            counts = [
                tx.scalar(select(func.count()).select_from(t)) for t in (receipts, receipt_payloads, call_changes)
            ]
        return Recorded(*(count or 0 for count in counts))


def body(number: int) -> str:
    """The guide's smallest body with one contact field; each number has its own amount and name."""
    return _BODY.format(10 + number / 100, f"Ada {number}")


def build(url: str, *, count: int = CALLS) -> Stage:
    """Migrate an empty database and fill it."""
    database = Database(url)
    migrate(database)
    world = build_world(database)
    uuids = [_uuid(number) for number in range(1, count + 1)]
    now = to_moment(clock.now())
    rows = [
        {
            "account_id": world.acme,
            "uuid": each,
            "number": number,
            "caller_number": f"+1719555{number:06d}",
            "buyer_id": world.bright,
            "offer_id": world.offer,
            "changes": 0,
            "created_at": now,
            "updated_at": now,
            "buyer_converted": True,
            "revenue": to_micros(Decimal("1.00")),
            "offer_converted": True,
            "payout": to_micros(Decimal("0.60")),
            "contact_fields": '{"first_name":"Nobody"}',
        }
        for number, each in enumerate(uuids, 1)
    ]
    with database.write() as tx:
        for first in range(0, count, 1_000):
            tx.execute(insert(calls), rows[first : first + 1_000])
    if not database.is_sqlite:
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
    random.Random(1).shuffle(uuids)  # noqa: S311 - an order, no secret
    return Stage(database, world.bob_token.authorization, world.bob_token.id, uuids)


def _uuid(number: int) -> str:
    """As good as random, and known from the number, to pgbench too."""
    return str(uuid.UUID(hashlib.md5(str(number).encode(), usedforsecurity=False).hexdigest()))


# --- servers ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Served:
    """A server that answers."""

    port: int
    process: subprocess.Popen[bytes]
    log: IO[bytes]

    def last_words(self) -> str:
        """The end of its log."""
        size = self.log.seek(0, os.SEEK_END)
        self.log.seek(max(0, size - 2_000))
        return self.log.read().decode(errors="replace")

    def cpu_seconds(self) -> float:
        """What it has used of a core."""
        return cpu_seconds([self.process.pid])


RINGBACK = ("-m", "ringback", "serve")
"""Ringback as its users start it."""

ORM = (
    *("-m", "uvicorn", "--factory", "benchmarks.updates_orm:build", "--loop", "uvloop", "--http", "httptools"),
    *("--no-access-log", "--no-server-header", "--no-proxy-headers", "--log-level", "warning"),
)
"""The ordinary way, in the same server."""


@contextmanager
def serving(program: Sequence[str], environment: Mapping[str, str], *, source: Path | None = None) -> Iterator[Served]:
    """An application in a server of its own.

    Args:
        program: what Python is to run; it gets a port.
        environment: added to ours.
        source: another checkout's ``src`` to take Ringback from.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    command = [sys.executable, *program, "--port", str(port)]
    path = os.pathsep.join(str(folder) for folder in (source, os.environ.get("PYTHONPATH"), ROOT) if folder)
    given = {**os.environ, "PYTHONPATH": path, **environment}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, cwd=ROOT, env=given, stdout=log, stderr=log)
        served = Served(port, process, log)
        try:
            _await_answer(served)
            yield served
        finally:
            process.terminate()
            process.wait(30)


def _await_answer(served: Served) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and served.process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", served.port), 1).close()
        except ConnectionRefusedError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError(f"the server did not start: {served.last_words()}")


def cpu_seconds(pids: Sequence[int]) -> float:
    """What these processes, and their children that have ended, have used of a core; 0 if the system doesn't tell."""
    ticks = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += sum(int(field) for field in fields[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")
