"""The newest call of a caller, of the offer that a token stands for."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Column, Connection, Integer, Select, and_, or_, select

from ringback.domain.decisions import CallRef, RefKind
from ringback.store.schema import calls, offers
from ringback.store.sets import given, wanted
from ringback.store.values import to_moment

_EVER = datetime(1970, 1, 1, tzinfo=UTC)

_ASKED: list[Column[Any]] = [
    Column("place", Integer),
    *(calls.c[name] for name in ("account_id", "caller_number", "buyer_id", "created_at")),
    offers.c.token,
]
"""What a call is looked for by. ``created_at`` is that of the oldest that counts, no ``buyer_id`` is any buyer's."""


def find_newest(connection: Connection, asked: Iterable[tuple[int, CallRef]]) -> dict[tuple[int, CallRef], CallRef]:
    """Those of the references by caller that some call fits, each with a reference to the newest one by its UUID."""
    meant = [each for each in asked if each[1].kind is RefKind.CALLER]
    rows = [
        (place, account_id, ref.value, buyer, to_moment(ref.since or _EVER), ref.offer_token)
        for place, (account_id, ref) in enumerate(meant)
        for buyer in ([None] if ref.buyers is None else sorted(ref.buyers))
    ]
    if not rows:
        return {}
    statement = _finding(connection.dialect.name)
    newest = connection.execute(statement, {"asked": given(_ASKED, rows)}).all()
    # In the order of time, so that of several buyers' calls the last one stays.
    return {meant[row.place]: CallRef(RefKind.UUID, str(row.uuid)) for row in newest}


@lru_cache
def _finding(dialect: str) -> Select[Any]:
    asked = wanted(dialect, "asked", _ASKED)
    older = calls.alias("older")
    newest = (
        select(older.c.uuid)
        .join(offers, and_(offers.c.account_id == older.c.account_id, offers.c.id == older.c.offer_id))
        .where(
            older.c.account_id == asked.c.account_id,
            older.c.caller_number == asked.c.caller_number,
            older.c.created_at >= asked.c.created_at,
            offers.c.token == asked.c.token,
            or_(asked.c.buyer_id.is_(None), older.c.buyer_id == asked.c.buyer_id),
        )
        .order_by(older.c.created_at.desc(), older.c.number.desc())
        .limit(1)
        .correlate(asked)
        .scalar_subquery()
    )
    return (
        select(asked.c.place, calls.c.uuid)
        .select_from(asked.join(calls, and_(calls.c.account_id == asked.c.account_id, calls.c.uuid == newest)))
        .order_by(calls.c.created_at, calls.c.number)
    )
