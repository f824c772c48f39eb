"""The claim about updates: how many a second against the ordinary way, the database's own limit, and a bare loop.

``python -m benchmarks.updates --quick`` takes half a minute; ``--with`` names the contenders, ``--against`` another
checkout's ``src`` to compare Ringback with itself.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy import select

from benchmarks import stage
from benchmarks.contest import Contender, HttpContender, Results, compete, figure, rates, ratios
from benchmarks.pgbench_limit import PgbenchContender
from benchmarks.sqlite_loop import SqliteLoop
from ringback.store.schema import receipt_payloads, receipts
from tests.postgres import PostgresServer, find_programs

OURS = "benchmarks.serve:ringback"
POSTGRESQL, TWO, SQLITE = "ringback", "ringback, two processes", "ringback, SQLite"
ORM, PGBENCH, LOOP = "ordinary", "pgbench", "bare loop, SQLite"
OTHER, OTHER_SQLITE = "other ringback", "other ringback, SQLite"
NAMES = (POSTGRESQL, ORM, PGBENCH, TWO, SQLITE, LOOP)
QUICK = (POSTGRESQL, PGBENCH, SQLITE, LOOP)
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

    @cached_property
    def sample(self) -> dict[str, Any]:
        """A receipt with its payload that Ringback wrote, by column; those who don't work the texts out copy it."""
        on = self.sqlite()
        with ExitStack() as exits:
            environment = {"RINGBACK_DATABASE_URL": on.url}
            served = exits.enter_context(stage.serving(OURS, environment))
            HttpContender(POSTGRESQL, on, [served]).run(seconds=0.05, warmup=0.0, connections=1)
        statement = select(receipts, receipt_payloads).join(
            receipt_payloads, receipt_payloads.c.receipt_id == receipts.c.id
        )
        with on.database.read() as tx:
            return dict(tx.execute(statement).mappings().first() or {})

    def orm(self) -> HttpContender:
        """The ordinary way."""
        on = self.postgresql()
        served = self._exits.enter_context(stage.serving("benchmarks.updates_orm:build", {"DATABASE_URL": on.url}))
        return HttpContender(ORM, on, [served])

    def make(self, name: str, against: Path | None) -> Contender:
        """A contender by its name."""
        if name == POSTGRESQL:
            return self.ringback(name, self.postgresql())
        if name == TWO:
            return self.ringback(name, self.postgresql(), processes=2)
        if name == SQLITE:
            return self.ringback(name, self.sqlite())
        if name == OTHER:
            return self.ringback(name, self.postgresql(), source=against)
        if name == OTHER_SQLITE:
            return self.ringback(name, self.sqlite(), source=against)
        if name == LOOP:
            return SqliteLoop(self.sqlite(), self.sample)
        return self.orm() if name == ORM else PgbenchContender(
            self.postgresql(), find_programs() / "pgbench", self._folder, self.sample
        )


@contextmanager
def contenders(names: Sequence[str], against: Path | None = None) -> Iterator[list[Contender]]:
    """Contenders, ready to take turns."""
    with ExitStack() as exits:
        folder = Path(exits.enter_context(tempfile.TemporaryDirectory(prefix="ringback-bench-")))
        cast = Cast(exits, exits.enter_context(stage.postgres()), folder)
        yield [cast.make(name, against) for name in names]


def table(results: Results) -> str:
    """The contest as a table: rates, ratios of the first contender to each, further figures."""
    first, *_ = results.values()
    lines = ["| | updates/s | first / this | " + " | ".join(FIGURES) + " |", "|---|" + "---:|" * (len(FIGURES) + 2)]
    for name, turns in results.items():
        rate, ratio = rates(turns), ratios(first, turns)
        cells = [
            f"{rate.middle:,.0f} ({rate.least:,.0f}-{rate.most:,.0f})",
            f"{ratio.middle:.2f} ({ratio.least:.2f}-{ratio.most:.2f})",
            *("" if (each := figure(turns, wanted)) is None else f"{each:,.1f}" for wanted in FIGURES),
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Hold a contest and print its table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.updates", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two short rounds")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--with", dest="names", default="", help=f"of {', '.join(NAMES)}; separated by ';'")
    parser.add_argument("--against", type=Path, help="the src folder of another checkout of Ringback")
    given = parser.parse_args()
    names = [name.strip() for name in given.names.split(";") if name.strip()] or list(QUICK if given.quick else NAMES)
    if given.against:
        names += [OTHER, OTHER_SQLITE]
    with contenders(names, given.against) as ready:
        results = compete(
            ready, rounds=2 if given.quick else given.rounds, seconds=2.0 if given.quick else given.seconds
        )
    print(table(results))


if __name__ == "__main__":
    main()
