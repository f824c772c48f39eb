"""No query of a list reads a whole table, whatever is filtered, on either database.

Every list is opened with every filter on a database with some thousand rows, and each statement that it asks is
explained. PostgreSQL would read small tables as a whole all the same; it is told not to.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, event, text

from benchmarks import growth, seed
from ringback.app import build
from ringback.settings import read_settings
from ringback.store.engine import Database
from ringback.store.schema import metadata
from tests.console.visitor import visiting
from tests.live import Live, running

CALLS = 1_500
TABLES = {*metadata.tables, "buyer", "source", "offer"}
"""The tables, and the names that statements give them."""

GROWING = {table for table in metadata.tables if table.startswith(("call", "receipt", "update_", "waiting_", "audit"))}
"""The tables that grow with calls and what is done to them; others PostgreSQL may read whole while they are small."""

_SCAN = re.compile(r"SCAN (\w+)")
Asked = dict[str, Any]
"""Statements with the parameters that they were asked with first."""


@contextmanager
def noting(database: Database) -> Iterator[Asked]:
    asked: Asked = {}

    def note(*told: Any) -> None:  # noqa: ANN401 - connection, cursor, statement, parameters, context, many
        if told[2].startswith(("SELECT", "WITH")):
            asked.setdefault(told[2], told[3])

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


def scanned(tx: Connection, statement: str, parameters: Any) -> list[str]:  # noqa: ANN401
    """The tables that a statement reads as a whole."""
    if tx.dialect.name == "sqlite":
        lines = [row[-1] for row in tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
        found = [match[1] for line in lines if (match := _SCAN.match(line))]
        return [name for name in found if name in TABLES]
    (plan,) = tx.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters).scalar_one()
    return [*_whole(plan["Plan"])]


def _whole(node: dict[str, Any]) -> Iterator[str]:
    is_index = node["Node Type"] in {"Index Scan", "Index Only Scan", "Bitmap Index Scan"}
    if node["Node Type"] == "Seq Scan" or (is_index and "Index Cond" not in node):
        name = node.get("Relation Name") or node["Index Name"].removeprefix("pk_")
        if name in GROWING:
            yield name
    for inner in node.get("Plans", ()):
        yield from _whole(inner)


def filtered(tx: Connection, statement: str, parameters: Any) -> list[str]:  # noqa: ANN401
    """What PostgreSQL looks at of calls and receipts row by row, since the index that it takes doesn't tell it."""
    (plan,) = tx.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters).scalar_one()
    return [*_filters(plan["Plan"])]


def _filters(node: dict[str, Any]) -> Iterator[str]:
    if node.get("Relation Name") in {"calls", "receipts"} and "Filter" in node:
        yield f"{node['Index Name']}: {node['Filter']}"
    for inner in node.get("Plans", ()):
        yield from _filters(inner)


API = (
    *("calls", "calls?page=3&order_dir=asc", "calls?cursor=-1", "calls?cursor=700", "calls?cursor=700&order_dir=asc"),
    *("calls?buyer_id=Buyer+00", "calls?offer_id=Offer+03&traffic_source_id=Source+04", "calls?no_buyer=true"),
    *("calls?buyer_converted=1&cursor=-1", "calls?status=finished&cursor=-1", "calls?token_key=zip&cursor=-1"),
    *("calls?created_at_label=Last+Month&buyer_id=Buyer+00", "calls?created_at_from=2026-01-01+10:07&no_buyer=true"),
    *("calls?fulltext=700", "calls?id=700", "calls?order=revenue&created_at_label=Last+Week", "calls/live_calls"),
    *("calls/17195550100/by_caller_number", "calls/700/events", "call_logs?call_id=700"),
    "calls/stats?group_by=status&stat=count&created_at_from=2020-01-01&created_at_to=2030-01-01",
)
"""Lists of the API."""


@pytest.fixture
def filled(database: Database, database_url: str) -> Iterator[Live]:
    world = seed.fill(database, CALLS)
    app = build(read_settings(database_url=database_url))
    with running(app, world) as live:
        yield live


def test_no_list_reads_a_whole_table(filled: Live) -> None:
    world = filled.world
    with world.database.read() as tx:
        poster = tx.execute(text("SELECT id FROM users WHERE email = 'post0@buyer.example'")).scalar_one()
    visitors = [visiting(filled, user) for user in (world.ada, poster)]
    with noting(filled.app.database) as asked:
        for page in growth.pages(world):
            assert {visitor.get(f"/a/acme{page.path}").status for visitor in visitors} <= {200, 403, 404}
        for path in API:
            for token in (world.ada_token, world.bob_token):
                reply = filled.request("GET", f"/api/v1/{path}", auth=token.authorization)
                assert reply.status in {200, 404}, (path, reply.body)
    with world.database.read() as tx:
        if not world.database.is_sqlite:
            for way in ("seqscan", "hashjoin", "mergejoin"):
                tx.execute(text(f"SET LOCAL enable_{way} = off"))
        whole = {statement: found for statement, each in asked.items() if (found := scanned(tx, statement, each))}
        left = [] if world.database.is_sqlite else [line for s, each in asked.items() for line in filtered(tx, s, each)]
    assert len(asked) > 60
    assert whole == {}
    assert left == []
