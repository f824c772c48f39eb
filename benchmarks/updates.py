"""The claim about updates: how many a second against the ordinary way, the database's own limit, and a bare loop.

``python -m benchmarks.updates --quick`` compares in half a minute; ``--with`` picks contenders, ``--against`` adds
another checkout's ``src``, to compare Ringback with itself. The whole claim is measured by ``make bench``.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import cast

from benchmarks import report
from benchmarks.cast import LOOP, ORM, OTHER, OTHER_SQLITE, PGBENCH, RINGBACK, RINGBACK_SQLITE, TWO, assembled
from benchmarks.contest import HttpContender, Results, Spread, compete, rates, ratios
from benchmarks.report import Claim, Section
from benchmarks.statements import statements_an_update

POSTGRESQL = (RINGBACK, ORM, PGBENCH, TWO, OTHER)
SQLITE = (RINGBACK_SQLITE, LOOP, OTHER_SQLITE)
MEASURED, MEASURED_SQLITE = (RINGBACK, ORM, PGBENCH, TWO), (RINGBACK_SQLITE, LOOP)
LATENCY_ROUNDS = 3

TEXT = """\
Each contender posts the guide's body with one contact field to 20,000 calls in turn. Each update changes the revenue
and that field, so that it writes the call, two lines of the ledger, a receipt and its payload, and it is answered after
a durable commit. Rows are counted after each turn and must equal the answers. HTTP: 64 connections, one request in
flight on each; client, server and database share the machine's cores, and what each uses of them stands beside.

{tables}

Two processes on one PostgreSQL reach {two} of what one does.

Latency, in three rounds. The top rate is a closed loop; at half of it requests fall due by the clock, and their latency
counts from then.

{latency}

SQL statements an update under load, BEGIN and COMMIT counted: {statements:.2f}, the ordinary way
{ordinary_statements:.2f} (pg_stat_statements). Bytes on disk an update, with indexes and dead rows: PostgreSQL
{disk:,.0f}, SQLite {sqlite_disk:,.0f}."""


def measure(*, rounds: int = 6, seconds: float = 5.0) -> Section:
    """Measure everything that is said about single updates; SQLite first, while no PostgreSQL uses the disk."""
    with assembled() as ready:
        contenders = [ready.make(name) for name in MEASURED_SQLITE]
        on_sqlite = cast("HttpContender", contenders[0])
        size = on_sqlite.stage.size()
        results = dict(compete(contenders, rounds=rounds, seconds=seconds))
        sqlite_disk = _disk_bytes(on_sqlite, size)
    with assembled() as ready:
        contenders = [ready.make(name) for name in MEASURED]
        ours, ordinary = cast("HttpContender", contenders[0]), cast("HttpContender", contenders[1])
        size = ours.stage.size()
        results |= compete(contenders, rounds=rounds, seconds=seconds)
        disk = _disk_bytes(ours, size)
        latency, latency_claim = _latency(ours, results, seconds)
        statements = sum(statements_an_update(ours, seconds).values())
        ordinary_statements = sum(statements_an_update(ordinary, seconds).values())
    found = TEXT.format(
        tables="\n\n".join(_tables(results)),
        two=report.spread(ratios(results[TWO], results[RINGBACK]), 2),
        latency=latency,
        statements=statements,
        ordinary_statements=ordinary_statements,
        disk=disk,
        sqlite_disk=sqlite_disk,
    )
    few = Claim("SQL statements an update, BEGIN and COMMIT counted", "one", 1.0, _one(statements), lower=True)
    return Section("Updates", found, [*_claims(results), latency_claim, few])


def _claims(results: Results) -> list[Claim]:
    ours, sqlite = results[RINGBACK], results[RINGBACK_SQLITE]
    return [
        Claim("updates/s, PostgreSQL", "FastAPI and SQLAlchemy ORM", 10.0, ratios(ours, results[ORM])),
        Claim("updates/s, PostgreSQL", "pgbench, 16 clients", 1.0, ratios(ours, results[PGBENCH])),
        Claim("updates/s, SQLite", "a bare loop", 3.0, ratios(sqlite, results[LOOP])),
    ]


def _latency(ours: HttpContender, results: Results, seconds: float) -> tuple[str, Claim]:
    """Waits at half of the top rate, by the clock, beside waits at the top rate."""
    half = rates(results[RINGBACK]).middle / 2
    rows, parts = [], []
    for _ in range(LATENCY_ROUNDS):
        top, calm = ours.turn(seconds).figures, ours.at_rate(half, seconds)
        parts.append(calm.p99 / top["p99 ms"])
        rows.append([f"{each:.1f}" for each in (top["p50 ms"], top["p99 ms"], calm.p50, calm.p99)])
    names = ["top rate: p50 ms", "p99 ms", f"{half:,.0f} a second: p50 ms", "p99 ms"]
    return report.table(names, rows), Claim(
        "p99 at half of the top rate", "p99 at the top rate", 1 / 3, Spread.of(parts), lower=True
    )


def _disk_bytes(contender: HttpContender, before: int) -> float:
    return (contender.stage.size() - before) / contender.stage.recorded().receipts


def _one(number: float) -> Spread:
    return Spread(number, number, number)


def _tables(results: Results) -> list[str]:
    groups = [{name: results[name] for name in group if name in results} for group in (POSTGRESQL, SQLITE)]
    return [report.contest_table(group) for group in groups if group]


def main() -> None:
    """Hold a contest and print its tables."""
    names = {
        "pg": RINGBACK,
        "orm": ORM,
        "pgbench": PGBENCH,
        "two": TWO,
        "other": OTHER,
        "sqlite": RINGBACK_SQLITE,
        "loop": LOOP,
        "other-sqlite": OTHER_SQLITE,
    }
    parser = argparse.ArgumentParser(prog="python -m benchmarks.updates", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two rounds of two seconds")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=5.0, help="of a turn")
    parser.add_argument("--with", dest="names", nargs="+", choices=names, default=["pg", "pgbench", "sqlite", "loop"])
    parser.add_argument("--against", type=Path, help="the src folder of another checkout of Ringback")
    given = parser.parse_args()
    rounds, seconds = (2, 2.0) if given.quick else (given.rounds, given.seconds)
    for group in (SQLITE, POSTGRESQL):
        taking_part = [names[name] for name in given.names if names[name] in group]
        with assembled(given.against) as ready:
            results = compete([ready.make(name) for name in taking_part], rounds=rounds, seconds=seconds)
        print("\n\n".join(_tables(results)))


if __name__ == "__main__":
    main()
