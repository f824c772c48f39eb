"""The claim about updates: how many a second against the ordinary way, the database's own limit, and a bare loop.

``python -m benchmarks.updates --quick`` compares in half a minute; ``--with`` picks contenders, ``--against`` adds
another checkout's ``src``, to compare Ringback with itself. The whole claim is measured by ``make bench``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks import cast, report
from benchmarks.cast import Cast, assembled
from benchmarks.contest import HttpContender, Results, Spread, compete, rates, ratios
from benchmarks.report import Claim, Section
from benchmarks.statements import statements_an_update

POSTGRESQL = (cast.RINGBACK, cast.ORM, cast.PGBENCH, cast.TWO, cast.OTHER)
SQLITE = (cast.RINGBACK_SQLITE, cast.LOOP, cast.OTHER_SQLITE)
MEASURED = (cast.RINGBACK, cast.ORM, cast.PGBENCH, cast.TWO, cast.RINGBACK_SQLITE, cast.LOOP)
LATENCY_ROUNDS = 3


def measure(*, rounds: int = 6, seconds: float = 5.0) -> Section:
    """Measure everything that is said about single updates."""
    with assembled() as ready:
        contenders = [ready.make(name) for name in MEASURED]
        sizes = {each.name: each.stage.size() for each in contenders if isinstance(each, HttpContender)}
        results = compete(contenders, rounds=rounds, seconds=seconds)
        served = {each.name: each for each in contenders if isinstance(each, HttpContender)}
        disk = {name: _disk_bytes(served[name], sizes[name]) for name in (cast.RINGBACK, cast.RINGBACK_SQLITE)}
        latency, latency_claim = _latency(served[cast.RINGBACK], results, seconds)
        statements = {name: statements_an_update(served[name], seconds) for name in (cast.RINGBACK, cast.ORM)}
    return Section(
        "Updates",
        _text(results, latency, disk, statements),
        [
            *_claims(results),
            latency_claim,
            Claim(
                "SQL statements an update, BEGIN and COMMIT counted",
                "one",
                1.0,
                _one(statements[cast.RINGBACK]),
                lower=True,
            ),
        ],
    )


def _claims(results: Results) -> list[Claim]:
    ours, sqlite = results[cast.RINGBACK], results[cast.RINGBACK_SQLITE]
    return [
        Claim("updates/s, PostgreSQL", "FastAPI and SQLAlchemy ORM", 10.0, ratios(ours, results[cast.ORM])),
        Claim("updates/s, PostgreSQL", "pgbench, 16 clients", 1.0, ratios(ours, results[cast.PGBENCH])),
        Claim("updates/s, SQLite", "a bare loop", 3.0, ratios(sqlite, results[cast.LOOP])),
    ]


def _latency(ours: HttpContender, results: Results, seconds: float) -> tuple[str, Claim]:
    """Waits at half of the top rate, by the clock, beside waits at the top rate."""
    half = rates(results[cast.RINGBACK]).middle / 2
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


def _text(results: Results, latency: str, disk: dict[str, float], statements: dict[str, float]) -> str:
    two = report.spread(ratios(results[cast.TWO], results[cast.RINGBACK]), 2)
    return "\n\n".join(
        [
            "Each contender posts the guide's body with one contact field to 20,000 calls in turn; each update changes the"
            " revenue and that field, so that it writes the call, two lines of the ledger, a receipt and its payload, and"
            " is answered after a durable commit. Rows are counted after each turn and must equal the answers. HTTP: 64"
            " connections, one request in flight on each; client, server and database share the machine's cores.",
            *_tables(results),
            f"Two processes on one PostgreSQL reach {two} of what one does: where client, server and database share two"
            " cores, there is none left for the second.",
            "Latency, three rounds. The top rate is a closed loop; at half of it requests fall due by the clock, and their"
            " latency counts from then.",
            latency,
            f"SQL statements an update under load: ringback {statements[cast.RINGBACK]:.2f}, the ordinary way"
            f" {statements[cast.ORM]:.2f} (pg_stat_statements, BEGIN and COMMIT counted). Bytes on disk an update, indexes"
            f" and dead rows included: PostgreSQL {disk[cast.RINGBACK]:,.0f}, SQLite {disk[cast.RINGBACK_SQLITE]:,.0f}.",
        ]
    )


def main() -> None:
    """Hold a contest and print its tables."""
    names = {
        "pg": cast.RINGBACK,
        "orm": cast.ORM,
        "pgbench": cast.PGBENCH,
        "two": cast.TWO,
        "other": cast.OTHER,
        "sqlite": cast.RINGBACK_SQLITE,
        "loop": cast.LOOP,
        "other-sqlite": cast.OTHER_SQLITE,
    }
    parser = argparse.ArgumentParser(prog="python -m benchmarks.updates", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two rounds of two seconds")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=5.0, help="of a turn")
    parser.add_argument("--with", dest="names", nargs="+", choices=names, default=["pg", "pgbench", "sqlite", "loop"])
    parser.add_argument("--against", type=Path, help="the src folder of another checkout of Ringback")
    given = parser.parse_args()
    rounds, seconds = (2, 2.0) if given.quick else (given.rounds, given.seconds)
    with assembled(given.against) as ready:
        results = compete([ready.make(names[name]) for name in given.names], rounds=rounds, seconds=seconds)
    print("\n\n".join(_tables(results)))


if __name__ == "__main__":
    main()
