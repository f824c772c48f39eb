"""The tables of figures: what calls and updates came to, by the quarter of an hour and by the day (both UTC).

A transaction that changes calls only adds rows to ``…_changes``; a job adds those up later (``store.rollups``). What is
true at any moment is the sum of both.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, String, Table

from ringback.store.schema import Id, Moment, Money, Uuid, metadata

QUARTER = 15 * 60 * 1_000_000
"""Microseconds; the clocks of all time zones are set by multiples of it."""

DAY = 96 * QUARTER

WHOLE = ("", 0)
"""What the figures of a whole account are of; others are of a partner: the noun and its number."""


COUNTS = ("calls", "conversions")
AMOUNTS = ("revenue", "payout", "converted_revenue", "converted_payout")
WORTH = (*COUNTS, *AMOUNTS)


def _worth() -> list[Column[int]]:
    counts = (Column(name, BigInteger, nullable=False) for name in COUNTS)
    return [*counts, *(Column(name, Money, nullable=False) for name in AMOUNTS)]


call_figures = Table(
    "call_figures",
    metadata,
    Column("account_id", Id, primary_key=True),
    Column("noun", String(16), primary_key=True),
    Column("partner_id", BigInteger, primary_key=True, autoincrement=False),
    Column("span", BigInteger, primary_key=True, autoincrement=False),
    Column("since", Moment, primary_key=True, autoincrement=False),
    *_worth(),
    sqlite_with_rowid=False,
)

# A row has the id of the first receipt that it tells of; its side is 1 of what came to its partners, -1 of what left.
call_figure_changes = Table(
    "call_figure_changes",
    metadata,
    Column("account_id", Id, primary_key=True),
    Column("since", Moment, primary_key=True, autoincrement=False),
    Column("id", Uuid, primary_key=True),
    Column("side", Integer, primary_key=True, autoincrement=False),
    Column("buyer_id", BigInteger),
    Column("traffic_source_id", BigInteger),
    Column("offer_id", BigInteger),
    *_worth(),
    sqlite_with_rowid=False,
)

update_figures = Table(
    "update_figures",
    metadata,
    Column("account_id", Id, primary_key=True),
    Column("span", BigInteger, primary_key=True, autoincrement=False),
    Column("since", Moment, primary_key=True, autoincrement=False),
    Column("result", String(16), primary_key=True),
    Column("code", String(32), primary_key=True),
    Column("updates", BigInteger, nullable=False),
    Column("waited", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

update_figure_changes = Table(
    "update_figure_changes",
    metadata,
    Column("account_id", Id, primary_key=True),
    Column("since", Moment, primary_key=True, autoincrement=False),
    Column("id", Uuid, primary_key=True),
    Column("result", String(16), nullable=False),
    Column("code", String(32), nullable=False),
    Column("updates", BigInteger, nullable=False),
    Column("waited", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
