"""Waiting updates by what decides them, a row for each bundle of them rather than for each update."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, FromClause, RowMapping, and_, case, func, or_, select

from ringback.domain.causes import Bundle, BundleKey
from ringback.domain.waiting import Kind, State
from ringback.store.schema import access_tokens, buyers, calls, users, waiting_updates
from ringback.store.sets import given, wanted
from ringback.store.values import from_moment, to_moment

Place = tuple[datetime, str]
"""Where an update stands in the order of receiving: when it was received, and its id."""

_w = waiting_updates.c
_WITH_CALLS = waiting_updates.outerjoin(calls, and_(calls.c.account_id == _w.account_id, calls.c.uuid == _w.call_uuid))
_KEY = [_w.kind, _w.code, _w.user_id, calls.c.buyer_id, _w.attributes]


def list_bundles(connection: Connection, account_id: int) -> list[Bundle]:
    """The bundles that wait in an account."""
    joined = (
        _WITH_CALLS.join(users, users.c.id == _w.user_id)
        .outerjoin(buyers, and_(buyers.c.account_id == _w.account_id, buyers.c.id == calls.c.buyer_id))
        .outerjoin(access_tokens, access_tokens.c.id == _w.token_id)
    )
    statement = (
        select(
            *_KEY,
            users.c.email,
            buyers.c.name,
            func.count().label("updates"),
            func.min(_w.received_at).label("first"),
            func.max(_w.received_at).label("last"),
            func.min(_w.expires_at).label("expires"),
            func.sum(case((access_tokens.c.revoked_at.is_not(None), 1), else_=0)).label("revoked"),
        )
        .select_from(joined)
        .where(_w.account_id == account_id, _w.state == State.WAITING.value)
        .group_by(*_KEY, users.c.email, buyers.c.name)
    )
    return [_bundle(row) for row in connection.execute(statement).mappings()]


def list_places(
    connection: Connection,
    account_id: int,
    keys: Iterable[BundleKey],
    *,
    after: Place | None = None,
    up_to: str | None = None,
    limit: int,
) -> list[Place]:
    """What waits in bundles, in the order of receiving, from behind a place on."""
    asked = wanted(connection.dialect.name, "asked", _KEY)
    statement = (
        select(_w.received_at, _w.id)
        .select_from(_in(asked))
        .where(_w.account_id == account_id, _w.state == State.WAITING.value)
        .order_by(_w.received_at, _w.id)
        .limit(limit)
    )
    if after is not None:
        moment = to_moment(after[0])
        statement = statement.where(or_(_w.received_at > moment, and_(_w.received_at == moment, _w.id > after[1])))
    if up_to is not None:
        statement = statement.where(_w.id <= up_to)
    found = connection.execute(statement, {"asked": given(_KEY, list(keys))})
    return [(from_moment(received_at), waiting_id) for received_at, waiting_id in found]


def find_key(connection: Connection, account_id: int, waiting_id: str) -> BundleKey | None:
    """The bundle that a waiting update belongs to."""
    columns = (_w.kind, _w.code, _w.user_id, func.coalesce(calls.c.buyer_id, 0), _w.attributes)
    mine = (_w.account_id == account_id, _w.id == waiting_id)
    row = connection.execute(select(*columns).select_from(_WITH_CALLS).where(*mine)).one_or_none()
    return None if row is None else (row[0], row[1], row[2], row[3], row[4])


def newest(connection: Connection, account_id: int) -> str | None:
    """The id of the newest update that waits."""
    statement = select(_w.id).where(_w.account_id == account_id, _w.state == State.WAITING.value)
    return connection.execute(statement.order_by(_w.id.desc()).limit(1)).scalar_one_or_none()


def count_denied(connection: Connection, account_id: int) -> int:
    """How many updates wait for a person."""
    mine = (_w.account_id == account_id, _w.state == State.WAITING.value, _w.kind == Kind.DENIED.value)
    return connection.execute(select(func.count()).select_from(waiting_updates).where(*mine)).scalar_one()


def _in(asked: FromClause) -> FromClause:
    same = [asked.c[column.name] == column for column in (_w.kind, _w.code, _w.user_id, _w.attributes)]
    return _WITH_CALLS.join(asked, and_(*same, asked.c.buyer_id == func.coalesce(calls.c.buyer_id, 0)))


def _bundle(row: RowMapping) -> Bundle:
    return Bundle(
        kind=Kind(row["kind"]),
        code=row["code"],
        user_id=row["user_id"],
        buyer_id=row["buyer_id"],
        attributes=tuple(filter(None, row["attributes"].split(","))),
        user=row["email"],
        buyer=row["name"] or "",
        count=row["updates"],
        first=from_moment(row["first"]),
        last=from_moment(row["last"]),
        expires=from_moment(row["expires"]),
        revoked=row["revoked"],
    )
