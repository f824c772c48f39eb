"""Lists of calls are read from indexes that have their order: no page is sorted out of all calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, event

from ringback.domain.periods import Period
from ringback.store import call_search, figures
from ringback.store.call_search import Place, Wanted
from ringback.store.engine import Database
from ringback.store.migrate import migrate

MOMENT = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture
def embedded(sqlite_url: str) -> Iterator[Database]:
    """A migrated database, of the kind whose plans don't depend on how much is in it."""
    opened = Database(sqlite_url)
    migrate(opened)
    yield opened
    opened.close()


def plan(database: Database, ask: Callable[[Connection], object]) -> list[str]:
    """How SQLite goes about the first statement that is asked."""
    asked: list[tuple[str, Any]] = []
    with database.read() as tx:
        event.listen(tx, "before_cursor_execute", lambda *given: asked.append((given[2], given[3])))
        ask(tx)
        statement, values = asked[0]
        return [str(row[-1]) for row in tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)]


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (Wanted(), "created_at_number"),
        (Wanted(since=MOMENT, buyer_converted=True), "created_at_number"),
        (Wanted(buyer_id=1), "buyer_id_created_at_number"),
        (Wanted(traffic_source_id=1, until=MOMENT), "traffic_source_id_created_at_number"),
        (Wanted(offer_id=1), "offer_id_created_at_number"),
        (Wanted(caller_number="+17195550123"), "caller_number_created_at_number"),
        (Wanted(only_buyers=frozenset({1})), "buyer_id_created_at_number"),
    ],
)
@pytest.mark.parametrize("before", [None, (MOMENT, 7)])
def test_a_page_is_read_in_its_order(embedded: Database, wanted: Wanted, index: str, before: Place | None) -> None:
    told = plan(embedded, lambda tx: call_search.list_page(tx, 1, wanted, before=before, limit=50))
    assert f"ix_calls_account_id_{index} " in told[0]
    assert not any("TEMP B-TREE" in line for line in told)


def test_sums_read_only_the_figures_of_the_period(embedded: Database) -> None:
    parts = Period(date(2026, 5, 1), date(2026, 5, 7), ZoneInfo("UTC")).parts
    told = plan(embedded, lambda tx: figures.sum_calls(tx, 1, [(part.since, part.until) for part in parts]))
    searched = [line for line in told if "call_figure" in line]
    assert len(searched) == 2
    assert "account_id=? AND noun=? AND partner_id=? AND span=? AND since>? AND since<?" in searched[0]
    assert "account_id=? AND since>? AND since<?" in searched[1]
