"""The cast: contenders by name, each on a database of its own, their servers running until the end of the block."""

from __future__ import annotations

import shutil
import tempfile
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy import select

from benchmarks import disk, stage
from benchmarks.contest import Contender, HttpContender
from benchmarks.pgbench_limit import PgbenchContender
from benchmarks.sqlite_loop import SqliteLoop
from ringback.store.schema import receipt_payloads, receipts
from tests.postgres import PostgresServer, find_programs

RINGBACK, TWO, RINGBACK_SQLITE = "ringback", "two processes of ringback", "ringback on SQLite"
ORM, PGBENCH, LOOP = "the ordinary way", "pgbench", "a bare loop on SQLite"
RINGBACK_SLOW, LOOP_SLOW = "ringback on a slow disk", "a bare loop on a slow disk"
TWO_SQLITE, TWO_SLOW = "two processes of ringback on SQLite", "two processes of ringback on a slow disk"
OTHER, OTHER_SQLITE = "the other ringback", "the other ringback on SQLite"
OTHER_TWO_SQLITE = "two processes of the other ringback on SQLite"

_SLOW = {RINGBACK_SLOW, TWO_SLOW, LOOP_SLOW}
_TWO = {TWO, TWO_SQLITE, TWO_SLOW, OTHER_TWO_SQLITE}
_SQLITE = {RINGBACK_SQLITE, TWO_SQLITE, RINGBACK_SLOW, TWO_SLOW, OTHER_SQLITE, OTHER_TWO_SQLITE}

SECRET_KEY = b64encode(bytes(32)).decode()
"""Nothing is sealed here, but on PostgreSQL a server wants one."""


class Cast:
    """Makes contenders.

    Args:
        exits: ends their servers.
        folder: has the files.
        against: another checkout's ``src``, for the other Ringback.
    """

    def __init__(self, exits: ExitStack, folder: Path, against: Path | None = None) -> None:
        self._exits = exits
        self._folder = folder
        self._against = against
        self._number = 0

    def make(self, name: str) -> Contender:
        """A contender by its name."""
        if name == PGBENCH:
            return PgbenchContender(name, self.postgresql(), find_programs() / "pgbench", self._folder, self.sample)
        flushes = self.slow_disk if name in _SLOW else {}
        if name in {LOOP, LOOP_SLOW}:
            return SqliteLoop(name, self.sqlite(), self.sample, flushes)
        if name == ORM:
            on = self.postgresql()
            return HttpContender(
                name, on, [self._exits.enter_context(stage.serving(stage.ORM, {"DATABASE_URL": on.url}))]
            )
        on = self.sqlite() if name in _SQLITE else self.postgresql()
        source = self._against if name in {OTHER, OTHER_SQLITE, OTHER_TWO_SQLITE} else None
        return self.ringback(name, on, processes=2 if name in _TWO else 1, source=source, flushes=flushes)

    def ringback(
        self,
        name: str,
        on: stage.Stage,
        *,
        processes: int = 1,
        source: Path | None = None,
        flushes: Mapping[str, str] | None = None,
    ) -> HttpContender:
        """Ringback itself."""
        environment = {
            "RINGBACK_DATABASE_URL": on.url,
            "RINGBACK_SECRET_KEY": SECRET_KEY,
            "RINGBACK_AUTO_MIGRATE": "false",
            **(flushes or {}),
        }
        servers = [stage.serving(stage.RINGBACK, environment, source=source) for _ in range(processes)]
        return HttpContender(name, on, [self._exits.enter_context(server) for server in servers])

    def postgresql(self) -> stage.Stage:
        """A stage on PostgreSQL."""
        template = self._postgresql_template
        self._number += 1
        name = f"stage_{self._number}"
        return self._ending(template.at(self._server.create_database(name, template.database.url.database or "")))

    def sqlite(self) -> stage.Stage:
        """A stage on SQLite."""
        template = self._sqlite_template
        self._number += 1
        file = self._folder / f"stage_{self._number}.db"
        shutil.copyfile(template.database.url.database or "", file)
        return self._ending(template.at(f"sqlite:///{file}"))

    @cached_property
    def sample(self) -> dict[str, Any]:
        """A receipt with its payload that Ringback wrote, by column; those who don't work the texts out copy it."""
        on = self.sqlite()
        with ExitStack() as exits:
            Cast(exits, self._folder).ringback("a sample", on).run(seconds=0.05, warmup=0, connections=1)
        joined = receipts.join(receipt_payloads, receipt_payloads.c.receipt_id == receipts.c.id)
        with on.database.read() as tx:
            return dict(tx.execute(select(receipts, receipt_payloads).select_from(joined)).mappings().fetchmany(1)[0])

    @cached_property
    def slow_disk(self) -> Mapping[str, str]:
        """What makes the disk slow for a process."""
        return disk.slow(self._folder)

    @cached_property
    def _server(self) -> PostgresServer:
        return self._exits.enter_context(stage.postgres())

    @cached_property
    def _postgresql_template(self) -> stage.Stage:
        return self._closed(stage.build(self._server.create_database("template_stage")))

    @cached_property
    def _sqlite_template(self) -> stage.Stage:
        return self._closed(stage.build(f"sqlite:///{self._folder / 'template.db'}"))

    @staticmethod
    def _closed(made: stage.Stage) -> stage.Stage:
        made.database.close()
        return made

    def _ending(self, made: stage.Stage) -> stage.Stage:
        self._exits.callback(made.database.close)
        return made


@contextmanager
def assembled(against: Path | None = None) -> Iterator[Cast]:
    """A cast with a folder, and with a PostgreSQL as soon as one is needed."""
    with ExitStack() as exits:
        folder = Path(exits.enter_context(tempfile.TemporaryDirectory(prefix="ringback-bench-")))
        yield Cast(exits, folder, against)
