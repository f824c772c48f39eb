"""How many SQL statements the database sees for an update, counted by itself."""

from __future__ import annotations

from sqlalchemy import text

from benchmarks.contest import HttpContender
from benchmarks.stage import Stage


def statements_an_update(contender: HttpContender, seconds: float) -> float:
    """Let a contender take a turn, and count; the bookkeeping of the benchmark itself is left out."""
    _order(contender.stage, "CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
    _order(contender.stage, "ALTER SYSTEM SET pg_stat_statements.track = 'top'", "SELECT pg_reload_conf()")
    before = contender.stage.recorded().receipts
    _order(contender.stage, "SELECT pg_stat_statements_reset()")
    contender.turn(seconds)
    counted = _count(contender.stage)
    _order(contender.stage, "ALTER SYSTEM RESET pg_stat_statements.track", "SELECT pg_reload_conf()")
    return counted / (contender.stage.recorded().receipts - before)


def _count(stage: Stage) -> int:
    statement = """SELECT sum(calls) FROM pg_stat_statements JOIN pg_database ON pg_database.oid = dbid
        WHERE datname = current_database() AND query NOT ILIKE '%pg_%' AND query NOT ILIKE 'SELECT count(%'"""
    with stage.database.read() as tx:
        return int(tx.scalar(text(statement)) or 0)


def _order(stage: Stage, *statements: str) -> None:
    with stage.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in statements:
            connection.execute(text(statement))
