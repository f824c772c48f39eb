"""The claim about updates: how many a second against the ordinary way, the database's own limit, and a bare loop.

``python -m benchmarks.updates --quick`` takes half a minute; ``--with`` names the contenders, ``--against`` another
checkout's ``src`` to compare Ringback with itself.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks import stage
from benchmarks.contest import Contender, HttpContender, Results, compete, figure, rates, ratios
from benchmarks.pgbench_limit import PgbenchContender
from tests.postgres import PostgresServer

OURS = "benchmarks.stage:ours"
POSTGRESQL, SQLITE = "ringback", "ringback, SQLite"
FIGURES = ("p50 ms", "p99 ms", "server µs", "database µs", "client µs", "log bytes")


class Cast:
    """Makes contenders: each with a database of its own, their servers running until the end of the block."""

    def __init__(self, exits: ExitStack, server: PostgresServer, folder: Path) -> None:
        self._exits = exits
        self._server = server
        self._folder = folder
        self._number = 0

    def postgresql(self) -> stage.Stage:
        """A stage on PostgreSQL."""
        self._number += 1
        made = stage.build(self._server.create_database(f"stage_{self._number}"))
        self._exits.callback(made.database.close)
        return made

    def sqlite(self) -> stage.Stage:
        """A stage on SQLite."""
        self._number += 1
        made = stage.build(f"sqlite:///{self._folder / f'stage_{self._number}.db'}")
        self._exits.callback(made.database.close)
        return made

    def ringback(self, name: str, on: stage.Stage, *, processes: int = 1, source: Path | None = None) -> HttpContender:
        """Ringback itself."""
        environment = {"RINGBACK_DATABASE_URL": on.url, "RINGBACK_AUTO_MIGRATE": "false"}
        served = [
            self._exits.enter_context(stage.serving(OURS, environment, source=source)) for _ in range(processes)
        ]
        return HttpContender(name, on, served)

    def pgbench(self) -> PgbenchContender:
        """The database's own limit, on a stage where Ringback has written a first receipt."""
        on = self.postgresql()
        environment = {"RINGBACK_DATABASE_URL": on.url, "RINGBACK_AUTO_MIGRATE": "false"}
        with stage.serving(OURS, environment) as served:
            HttpContender(POSTGRESQL, on, [served]).run(seconds=0.1, warmup=0.0, connections=1)
        return PgbenchContender(on, self._server.programs / "pgbench", self._folder)
