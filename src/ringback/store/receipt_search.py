"""Receipts as lists want them: filtered, newest first, paged by their ids, which begin with the time they were made.

Call, access token, buyer, user and outcome have an index each that ends with the id, those of token, buyer and user by
way of the outcome: alone or with an outcome each leads right to its receipts. Of several the narrowest leads.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, Row, RowMapping, Select, and_, select

from ringback.domain.receipts import Json, Result
from ringback.store.schema import buyers, calls, receipt_payloads, receipts, users
from ringback.store.values import from_document, from_moment, lowest_id
from ringback.store.walks import Fits, Path, narrowest, walk


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which receipts are wanted; None where it doesn't matter.

    ``since`` and ``until`` are about when they were made, ``until`` not included. ``hides_guesses`` leaves out what
    named a call by a number that its sender was told there is none of.
    """

    result: Result | None = None
    code: str | None = None
    buyer_id: int | None = None
    user_id: int | None = None
    token_id: str | None = None
    call_uuid: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    hides_guesses: bool = False


@dataclass(frozen=True, slots=True)
class Listed:
    """A receipt as a line of a list, with its call as it is today; no number where no call has the UUID (yet)."""

    id: str
    received_at: datetime
    decided_at: datetime
    call_uuid: str | None
    call_ref: str
    call_number: int | None
    call_buyer_id: int | None
    buyer: str | None
    user_id: int
    user: str
    result: Result
    code: str
    dry_run: bool
    is_late: bool
    decided: Json
    changed: Sequence[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Request:
    """What a text is looked for in: the path, with its query string, and the body of a request."""

    id: str
    path: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Page:
    """Ids of receipts, newest first; ``looked_to`` is the one at which it was given up to find more, if it was."""

    ids: Sequence[str]
    looked_to: str | None = None


def list_ids(
    connection: Connection,
    account_id: int,
    wanted: Wanted,
    *,
    before: str | None = None,
    after: str | None = None,
    limit: int,
) -> Page:
    """The newest receipts that are wanted, from before the one named, or only those after another."""
    paths = _paths(connection, account_id, wanted, after)
    found = walk(connection, (_r.id,), paths, before=None if before is None else (before,), limit=limit)
    return Page([row.id for row in found.rows], None if found.looked_to is None else found.looked_to[0])


def list_by_id(connection: Connection, account_id: int, ids: Iterable[str]) -> list[Listed]:
    """Receipts by id, newest first."""
    mine = (receipts.c.account_id == account_id, receipts.c.id.in_(list(ids)))
    return _listed(connection, select(receipts).where(*mine))


def list_requests(connection: Connection, account_id: int, ids: Iterable[str]) -> list[Request]:
    """The requests of receipts, newest first."""
    payload = receipt_payloads.c
    mine = (payload.account_id == account_id, payload.receipt_id.in_(list(ids)))
    statement = select(payload.receipt_id, payload.path, payload.body).where(*mine)
    return [Request(*row) for row in connection.execute(statement.order_by(payload.receipt_id.desc()))]


_r = receipts.c


def _paths(connection: Connection, account_id: int, wanted: Wanted, after: str | None) -> Sequence[Path]:
    """The ways to the receipts that are wanted."""
    within = [_r.account_id == account_id]
    if wanted.since is not None:
        within.append(_r.id >= lowest_id(wanted.since))
    if wanted.until is not None:
        within.append(_r.id < lowest_id(wanted.until))
    if after is not None:
        within.append(_r.id > after)
    named = {
        "call_uuid": wanted.call_uuid,
        "token_id": wanted.token_id,
        "buyer_id": wanted.buyer_id,
        "user_id": wanted.user_id,
        "result": wanted.result and wanted.result.value,
        "code": wanted.code,
    }
    tests = {name: value for name, value in named.items() if value is not None}

    def way(*leads: str, **more: str) -> Path:
        led = {**{name: tests[name] for name in leads}, **more}
        rest = {name: value for name, value in tests.items() if name not in led}
        return Path((*within, *(_r[name] == value for name, value in led.items())), *_fits(wanted, rest))

    if "call_uuid" in tests:
        return [way("call_uuid")]
    results = [wanted.result] if wanted.result else list(Result)
    ways = [[way(name, result=each.value) for each in results] for name in _BY_RESULT if name in tests]
    return narrowest(connection, _r.id, ways or [[way("result")] if wanted.result else [way()]])


_BY_RESULT = ("token_id", "buyer_id", "user_id")
"""The filters whose indexes have the outcome before the id."""


def _fits(wanted: Wanted, tests: Mapping[str, object]) -> tuple[Fits | None, tuple[Column[Any], ...]]:
    """Whether a receipt that is found by some columns is wanted by the others, and which those are; None if it is."""
    if not tests and not wanted.hides_guesses:
        return None, ()

    def fits(row: Row[Any]) -> bool:
        is_guess = wanted.hides_guesses and row.code == "call_not_found" and row.call_ref != wanted.call_uuid
        return not is_guess and all(getattr(row, name) == value for name, value in tests.items())

    reads = {**tests, **({"code": "", "call_ref": ""} if wanted.hides_guesses else {})}
    return fits, tuple(_r[name] for name in reads)


def _listed(connection: Connection, chosen: Select[Any]) -> list[Listed]:
    page, payload = chosen.subquery("page"), receipt_payloads.c
    joined = (
        page.join(receipt_payloads, and_(payload.account_id == page.c.account_id, payload.receipt_id == page.c.id))
        .join(users, users.c.id == page.c.user_id)
        .outerjoin(calls, and_(calls.c.account_id == page.c.account_id, calls.c.uuid == page.c.call_uuid))
        .outerjoin(buyers, and_(buyers.c.account_id == page.c.account_id, buyers.c.id == calls.c.buyer_id))
    )
    statement = (
        select(
            *page.c,
            payload.method,
            payload.decided,
            payload.changed,
            users.c.email,
            calls.c.number,
            calls.c.buyer_id.label("call_buyer_id"),
            buyers.c.name.label("buyer"),
        )
        .select_from(joined)
        .order_by(page.c.id.desc())
    )
    return [_line(row) for row in connection.execute(statement).mappings()]


def _line(row: RowMapping) -> Listed:
    return Listed(
        id=row["id"],
        received_at=from_moment(row["received_at"]),
        decided_at=from_moment(row["decided_at"]),
        call_uuid=row["call_uuid"],
        call_ref=row["call_ref"],
        call_number=row["number"],
        call_buyer_id=row["call_buyer_id"],
        buyer=row["buyer"],
        user_id=row["user_id"],
        user=row["email"],
        result=Result(row["result"]),
        code=row["code"],
        dry_run=row["dry_run"],
        is_late=not row["method"] and row["received_at"] < row["decided_at"],
        decided=from_document(row["decided"]),
        changed=from_document(row["changed"]),
    )
