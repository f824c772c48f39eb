"""What was answered to a key: remembered, so that a retry gets the first answer again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, Select, and_, bindparam, delete, select

from ringback.domain.receipts import Json
from ringback.store.schema import idempotency_keys
from ringback.store.sets import given, put_rows, wanted
from ringback.store.values import from_document, from_moment, to_document, to_moment


class Scope(Struct, frozen=True):
    """Where a key counts (ACCESS, "Idempotency")."""

    account_id: int
    user_id: int
    route: str
    call_ref: str
    digest: str


class Answered(Struct, frozen=True):
    """What was asked and answered under a key, and until when that is remembered."""

    scope: Scope
    fingerprint: str
    answer: Json
    receipt_id: str
    expires_at: datetime


_KEY = [idempotency_keys.c[name] for name in ("account_id", "user_id", "route", "call_ref", "digest")]


def find(connection: Connection, scopes: Iterable[Scope], now: datetime) -> dict[Scope, Answered]:
    """What is remembered of these keys."""
    rows = _rows(scopes)
    if not rows:
        return {}
    statement = _finding(connection.dialect.name)
    found = {}
    for row in connection.execute(statement, {"asked": given(_KEY, rows), "now": to_moment(now)}).mappings():
        scope = Scope(row["account_id"], row["user_id"], row["route"], row["call_ref"], row["digest"])
        answer = from_document(row["answer"])
        expires_at = from_moment(row["expires_at"])
        found[scope] = Answered(scope, row["fingerprint"], answer, row["receipt_id"], expires_at)
    return found


@lru_cache
def _finding(dialect: str) -> Select[Any]:
    asked = wanted(dialect, "asked", _KEY)
    joined = asked.join(idempotency_keys, and_(*(column == asked.c[column.name] for column in _KEY)))
    return select(idempotency_keys).select_from(joined).where(idempotency_keys.c.expires_at > bindparam("now"))


def remember(connection: Connection, answers: Sequence[Answered]) -> None:
    """Remember answers, in place of what was remembered of the same keys."""
    latest = {answered.scope: answered for answered in answers}
    rows = [
        {
            "account_id": answered.scope.account_id,
            "user_id": answered.scope.user_id,
            "route": answered.scope.route,
            "call_ref": answered.scope.call_ref,
            "digest": answered.scope.digest,
            "fingerprint": answered.fingerprint,
            "answer": to_document(answered.answer),
            "receipt_id": answered.receipt_id,
            "expires_at": to_moment(answered.expires_at),
        }
        for answered in latest.values()
    ]
    put_rows(connection, idempotency_keys, [column.name for column in _KEY], rows)


def forget(connection: Connection, now: datetime) -> int:
    """Drop what need not be remembered any longer; returns how much that was."""
    done = connection.execute(delete(idempotency_keys).where(idempotency_keys.c.expires_at <= to_moment(now)))
    return done.rowcount


def _rows(scopes: Iterable[Scope]) -> list[tuple[int, int, str, str, str]]:
    return sorted((s.account_id, s.user_id, s.route, s.call_ref, s.digest) for s in set(scopes))
