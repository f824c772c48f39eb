"""Figures reckoned from the rows themselves: what those that are kept must agree with."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from ringback.domain.figures import Figures, Updates
from ringback.domain.money import from_micros
from ringback.domain.receipts import Result
from ringback.store.engine import Database
from ringback.store.schema import calls, receipts
from ringback.store.values import from_moment, time_of

Span = tuple[datetime, datetime]


class Reckoning:
    """All calls and receipts of an account, and what those of a span come to."""

    def __init__(self, database: Database, account_id: int) -> None:
        with database.read() as tx:
            self.calls = tx.execute(select(calls).where(calls.c.account_id == account_id)).mappings().all()
            found = tx.execute(select(receipts).where(receipts.c.account_id == account_id)).mappings().all()
        self.recorded = {row["uuid"]: row["created_at"] for row in self.calls}
        self.receipts = [row for row in found if not row["dry_run"] and row["route"] not in {"console", "record"}]

    def figures(self, span: Span, **partner: int) -> Figures:
        """What the calls that were recorded in a span come to, all or those of a partner."""
        those = [row for row in self.calls if span[0] <= from_moment(row["created_at"]) < span[1]]
        those = [row for row in those if all(row[f"{noun}_id"] == number for noun, number in partner.items())]
        converted = [row for row in those if row["buyer_converted"]]
        worth = (_sum(rows, name) for rows in (those, converted) for name in ("revenue", "payout"))
        return Figures(len(those), len(converted), *worth)

    def updates(self, span: Span) -> Updates:
        """What became of the updates that came in a span."""
        came = [row for row in self.receipts if span[0] <= time_of(row["id"]) < span[1]]
        counts = Counter((Result(row["result"]), row["code"]) for row in came)
        waits = [
            max(0, row["received_at"] - self.recorded[row["call_uuid"]]) // 1000
            for row in came
            if row["result"] == "applied"
        ]
        return Updates(dict(counts), timedelta(milliseconds=sum(waits)))


def _sum(rows: list[Any], name: str) -> Any:  # noqa: ANN401
    return from_micros(sum(row[name] or 0 for row in rows))
