"""The claim about updates: how many a second against the ordinary way, the database's own limit, and a bare loop.

``python -m benchmarks.updates --quick`` compares in half a minute; ``--with`` picks contenders, ``--against`` adds
another checkout's ``src``, to compare Ringback with itself. The whole claim is measured by ``make bench``.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from benchmarks import report
from benchmarks.cast import (
    LOOP,
    LOOP_SLOW,
    ORM,
    OTHER,
    OTHER_SQLITE,
    OTHER_TWO_SQLITE,
    PGBENCH,
    RINGBACK,
    RINGBACK_SLOW,
    RINGBACK_SQLITE,
    TWO,
    TWO_SLOW,
    TWO_SQLITE,
    Cast,
    assembled,
)
from benchmarks.contest import HttpContender, Results, Spread, compete, rates, ratios
from benchmarks.disk import can_be_slow, flush_milliseconds
from benchmarks.report import Claim, Section
from benchmarks.statements import statements_an_update

POSTGRESQL = (RINGBACK, ORM, PGBENCH, TWO, OTHER)
SQLITE = (RINGBACK_SQLITE, TWO_SQLITE, LOOP, OTHER_SQLITE, OTHER_TWO_SQLITE)
SLOW = (RINGBACK_SLOW, TWO_SLOW, LOOP_SLOW)
MEASURED, MEASURED_SQLITE = (RINGBACK, ORM, PGBENCH, TWO), (RINGBACK_SQLITE, TWO_SQLITE, LOOP)
LATENCY_ROUNDS = 3

TEXT = """\
Each contender posts the guide's body with one contact field to 20,000 calls in turn. Each update changes the revenue
and that field, so that it writes the call, two lines of the ledger, a receipt and its payload, and it is answered after
a durable commit. Rows are counted after each turn and must equal the answers. HTTP: 64 connections, one request in
flight on each; client, server and database share the machine's cores, and what each uses of them stands beside.

{tables}

{flushes}

Two processes reach {two} of what one does.

Latency, in three rounds. The top rate is a closed loop; at half of it requests fall due by the clock, and their latency
counts from then.

{latency}

SQL statements an update under load, BEGIN and COMMIT counted: {statements:.2f}, the ordinary way
{ordinary_statements:.2f} (pg_stat_statements). Bytes on disk an update, with indexes and dead rows: PostgreSQL
{disk:,.0f}, SQLite {sqlite_disk:,.0f}."""


SLOW_TEXT = """\
{here} A disk over a network, as most cloud machines
have it, takes about a millisecond or more. The slow disk is this one, but on either side no flush returns in less
(`slow_disk.c`; measured: {slow:.2f} ms). Ringback flushes once for all updates that it has, the loop once for each."""


def measure(*, rounds: int = 6, seconds: float = 5.0) -> Section:
    """Measure everything that is said about single updates; SQLite first, while no PostgreSQL uses the disk."""
    with assembled() as ready:
        flushes = _flushes(ready)
        contenders = [ready.make(name) for name in (*MEASURED_SQLITE, *SLOW) if name in flushes]
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
        flushes=_told(flushes),
        two=_two(results),
        latency=latency,
        statements=statements,
        ordinary_statements=ordinary_statements,
        disk=disk,
        sqlite_disk=sqlite_disk,
    )
    few = Claim("SQL statements an update, BEGIN and COMMIT counted", "one", 1.0, _one(statements), lower=True)
    return Section("Updates", found, [*_claims(results, flushes), latency_claim, few])


def _flushes(ready: Cast) -> Mapping[str, float]:
    """How long a flush takes those on SQLite, in milliseconds; without a compiler there is no slow disk."""
    taking = dict.fromkeys(MEASURED_SQLITE, flush_milliseconds({}))
    return taking | dict.fromkeys(SLOW, flush_milliseconds(ready.slow_disk)) if can_be_slow() else taking


def _told(flushes: Mapping[str, float]) -> str:
    here = f"A commit waits for a flush, which takes {flushes[LOOP]:.2f} ms on this machine's disk."
    if LOOP_SLOW not in flushes:
        return f"{here} There is no C compiler here to make a slower one with."
    return SLOW_TEXT.format(here=here, slow=flushes[LOOP_SLOW])


def _two(results: Results) -> str:
    """What two processes do of what one does, on each database."""
    pairs = {
        "PostgreSQL": (TWO, RINGBACK),
        "SQLite": (TWO_SQLITE, RINGBACK_SQLITE),
        "a slow disk": (TWO_SLOW, RINGBACK_SLOW),
    }
    return ", ".join(
        f"{report.spread(ratios(results[two], results[one]), 2)} on {name}"
        for name, (two, one) in pairs.items()
        if two in results
    )


def _claims(results: Results, flushes: Mapping[str, float]) -> list[Claim]:
    ours = results[RINGBACK]
    return [
        Claim("updates/s, PostgreSQL", "FastAPI and SQLAlchemy ORM", 10.0, ratios(ours, results[ORM])),
        Claim("updates/s, PostgreSQL", "pgbench, 16 clients", 1.0, ratios(ours, results[PGBENCH])),
        *(
            Claim(
                f"updates/s, two processes on SQLite, {disk} ({flushes[loop]:.2f} ms a flush)",
                "a bare loop",
                3.0,
                ratios(results[two], results[loop]),
            )
            for disk, two, loop in (("this disk", TWO_SQLITE, LOOP), ("slow disk", TWO_SLOW, LOOP_SLOW))
            if loop in flushes
        ),
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
    groups = [{name: results[name] for name in group if name in results} for group in (POSTGRESQL, SQLITE, SLOW)]
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
        "two-sqlite": TWO_SQLITE,
        "loop": LOOP,
        "other-sqlite": OTHER_SQLITE,
        "other-two-sqlite": OTHER_TWO_SQLITE,
        "slow": RINGBACK_SLOW,
        "two-slow": TWO_SLOW,
        "slow-loop": LOOP_SLOW,
    }
    parser = argparse.ArgumentParser(prog="python -m benchmarks.updates", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two rounds of two seconds")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=5.0, help="of a turn")
    parser.add_argument("--with", dest="names", nargs="+", choices=names, default=["pg", "pgbench", "sqlite", "loop"])
    parser.add_argument("--against", type=Path, help="the src folder of another checkout of Ringback")
    given = parser.parse_args()
    rounds, seconds = (2, 2.0) if given.quick else (given.rounds, given.seconds)
    for group in ((*SQLITE, *SLOW), POSTGRESQL):
        taking_part = [names[name] for name in given.names if names[name] in group]
        with assembled(given.against) as ready:
            results = compete([ready.make(name) for name in taking_part], rounds=rounds, seconds=seconds)
        print("\n\n".join(_tables(results)))


if __name__ == "__main__":
    main()
