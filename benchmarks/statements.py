"""How many SQL statements the database sees for an update, counted by itself."""

from __future__ import annotations

from sqlalchemy import text

from benchmarks.contest import HttpContender
from benchmarks.stage import count_statements

STATEMENTS = """SELECT query, calls FROM pg_stat_statements JOIN pg_database ON pg_database.oid = dbid
    WHERE datname = current_database() ORDER BY calls DESC"""
OF_THE_BENCHMARK = ("SELECT pg_", "SELECT count(", "ALTER SYSTEM", "CREATE EXTENSION")


def statements_an_update(contender: HttpContender, seconds: float) -> dict[str, float]:
    """Let a contender take a turn; how often each statement was carried out for an update, commonest first."""
    stage = contender.stage
    before = stage.recorded().receipts
    count_statements(stage.url, "top")
    contender.turn(seconds)
    with stage.database.read() as tx:
        counted = {str(row.query): int(row.calls) for row in tx.execute(text(STATEMENTS))}
    count_statements(stage.url, "none")
    updates = stage.recorded().receipts - before
    return {query: calls / updates for query, calls in counted.items() if not query.startswith(OF_THE_BENCHMARK)}
