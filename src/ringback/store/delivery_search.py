"""Deliveries as people look for them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    RowMapping,
    Select,
    and_,
    func,
    select,
    update,
)

from ringback.domain.deliveries import State
from ringback.store.deliveries import Request, read_request
from ringback.store.schema import calls
from ringback.store.sending_schema import attempts, deliveries, delivery_requests, postbacks
from ringback.store.values import from_document, from_moment, lowest_id, maybe_from_moment, to_moment
from ringback.store.walks import LOOKED_AT, Path, narrowest, walk

GIVEN_UP = (State.FAILED, State.HELD, State.PENDING, State.RETRYING)
"""The states from which a person can take a delivery back."""

LOOKED_AFTER = (State.PENDING, State.RETRYING, State.HELD, State.FAILED)
"""The states that a person may have to look after."""

ATTEMPTS_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which deliveries are looked for; None for any."""

    state: State | None = None
    postback_id: int | None = None
    host: str | None = None
    call_uuid: str | None = None
    differs: bool = False
    is_test: bool | None = None

    @property
    def leads(self) -> dict[str, object]:
        """What it names, by the columns of it."""
        named = {
            "state": self.state and self.state.value,
            "postback_id": self.postback_id,
            "host": self.host,
            "call_uuid": self.call_uuid,
            "differs": self.differs or None,
            "is_test": self.is_test,
        }
        return {name: value for name, value in named.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Listed:
    """A delivery as lists show it."""

    id: str
    postback_id: int
    postback: str
    version: int
    trigger: str
    call_uuid: str
    call_number: int | None
    receipt_id: str | None
    host: str
    state: State
    code: str
    details: Mapping[str, Any]
    attempts: int
    differs: bool
    is_test: bool
    created_at: datetime
    ended_at: datetime | None
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to send a delivery, and what came of it."""

    number: int
    started_at: datetime
    state: State
    code: str
    details: Mapping[str, Any]
    credential: str | None
    address: str | None
    status: int | None
    headers: tuple[tuple[str, str], ...]
    body: bytes
    truncated: bool
    problem: str
    milliseconds: Mapping[str, int | None]


@dataclass(frozen=True, slots=True)
class Page:
    """Deliveries, newest first; ``looked_to`` is the one at which it was given up to find more of them, if it was."""

    lines: Sequence[Listed]
    looked_to: str | None = None


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some deliveries that are wanted, the oldest first; the next ones come after ``after``, if there may be more."""

    ids: Sequence[str]
    after: str | None


def list_page(
    connection: Connection, account_id: int, wanted: Wanted, *, before: str | None = None, limit: int
) -> Page:
    """The newest deliveries that are wanted, from before the one named."""
    paths = _paths(connection, account_id, wanted)
    place = None if before is None else (before,)
    found = walk(connection, (deliveries.c.id,), paths, before=place, limit=limit)
    ids = [row.id for row in found.rows]
    these = select(deliveries).where(deliveries.c.account_id == account_id, deliveries.c.id.in_(ids))
    return Page(_listed(connection, these) if ids else [], None if found.looked_to is None else found.looked_to[0])


def find(connection: Connection, account_id: int, delivery_id: str) -> Listed | None:
    """One delivery of an account."""
    mine = (deliveries.c.account_id == account_id, deliveries.c.id == delivery_id)
    found = _listed(connection, select(deliveries).where(*mine))
    return found[0] if found else None


def find_request(connection: Connection, account_id: int, delivery_id: str) -> Request | None:
    """What a delivery sends, without its credential; None while it is held for a value."""
    columns = delivery_requests.c
    mine = (columns.account_id == account_id, columns.delivery_id == delivery_id)
    row = connection.execute(select(delivery_requests).where(*mine)).mappings().one_or_none()
    return None if row is None else read_request(row)


def list_attempts(connection: Connection, account_id: int, delivery_id: str) -> list[Attempt]:
    """The newest attempts of a delivery, the last one first."""
    columns = attempts.c
    mine = (columns.account_id == account_id, columns.delivery_id == delivery_id)
    statement = select(attempts).where(*mine).order_by(columns.number.desc()).limit(ATTEMPTS_SHOWN)
    return [_attempt(row) for row in connection.execute(statement).mappings()]


def count_by_state(
    connection: Connection, account_id: int, *, states: Sequence[State] = LOOKED_AFTER, most: int = 1_000
) -> dict[State, int]:
    """How many deliveries are in each state, without tests; no more than the most are counted."""
    return {state: count(connection, account_id, Wanted(state=state, is_test=False), most=most) for state in states}


def count(connection: Connection, account_id: int, wanted: Wanted, *, most: int) -> int:
    """How many deliveries are wanted; no more than the most are counted, and those among the newest there are."""
    paths = _paths(connection, account_id, wanted)
    return len(walk(connection, (deliveries.c.id,), paths, limit=most).rows)


def count_tests(connection: Connection, account_id: int, *, since: datetime) -> int:
    """How many tests were sent since a time."""
    columns = deliveries.c
    mine = (columns.account_id == account_id, columns.id >= lowest_id(since), columns.is_test)
    return connection.execute(select(func.count()).where(*mine)).scalar_one()


def list_hosts(connection: Connection, account_id: int, *, most: int = 200) -> list[str]:
    """The hosts that were sent to lately."""
    newest = (
        select(deliveries.c.host)
        .where(deliveries.c.account_id == account_id)
        .order_by(deliveries.c.id.desc())
        .limit(most)
        .subquery()
    )
    return sorted(host for host in connection.execute(select(newest.c.host).distinct()).scalars() if host)


def list_again(
    connection: Connection, account_id: int, wanted: Wanted, *, after: str | None = None, up_to: str, limit: int
) -> Chunk:
    """The oldest deliveries that are wanted, in the state that is named, from after one of them up to another.

    They are listed once each: what fails again meanwhile stands before the next ones.
    """
    assert wanted.state is not None  # noqa: S101 - without it there would be no order to go by
    column = deliveries.c.id
    mine = (deliveries.c.account_id == account_id, deliveries.c.state == wanted.state.value)
    stretch = (*mine, column <= up_to) if after is None else (*mine, column <= up_to, column > after)
    rows = connection.execute(
        select(column, *(deliveries.c[name] for name in wanted.leads)).where(*stretch).order_by(column).limit(LOOKED_AT)
    ).all()
    fits = _fits(wanted, ["state"])
    found = [row.id for row in rows if fits is None or fits(row)]
    if len(found) > limit:
        return Chunk(found[:limit], found[limit - 1])
    return Chunk(found, rows[-1].id if len(rows) == LOOKED_AT else None)


def take_back(connection: Connection, account_id: int, ids: Sequence[str], now: datetime) -> int:
    """Give deliveries up that a person doesn't want sent any more; what a worker has goes out. Returns how many."""
    columns = deliveries.c
    made = connection.execute(
        update(deliveries)
        .where(
            columns.account_id == account_id,
            columns.id.in_(list(ids)),
            columns.state.in_([state.value for state in GIVEN_UP]),
        )
        .values(state=State.CANCELLED.value, code="cancelled", due_at=None, ended_at=to_moment(now))
    )
    return made.rowcount


def _paths(connection: Connection, account_id: int, wanted: Wanted) -> Sequence[Path]:
    """The way to the deliveries that are wanted that passes the fewest others."""
    mine, columns = deliveries.c.account_id == account_id, deliveries.c

    def way(*led: str) -> list[Path]:
        known = (columns.differs if name == "differs" else columns[name] == wanted.leads[name] for name in led)
        left = [columns[name] for name in wanted.leads if name not in led]
        return [Path((mine, *known), _fits(wanted, led), tuple(left))]

    ways = [way(name) for name in wanted.leads if name != "is_test"]
    return narrowest(connection, columns.id, ways or [way()])


def _fits(wanted: Wanted, led: Collection[str]) -> Callable[[Row[Any]], bool] | None:
    """Whether a delivery is wanted of which so much is known already; None if all are."""
    left = [(name, value) for name, value in wanted.leads.items() if name not in led]
    return (lambda row: all(getattr(row, name) == value for name, value in left)) if left else None


def _listed(connection: Connection, chosen: Select[Any]) -> list[Listed]:
    page = chosen.subquery("page")
    joined = page.outerjoin(
        postbacks, and_(postbacks.c.account_id == page.c.account_id, postbacks.c.id == page.c.postback_id)
    ).outerjoin(calls, and_(calls.c.account_id == page.c.account_id, calls.c.uuid == page.c.call_uuid))
    statement = (
        select(*page.c, postbacks.c.name.label("postback"), calls.c.number)
        .select_from(joined)
        .order_by(page.c.id.desc())
    )
    return [_line(row) for row in connection.execute(statement).mappings()]


def _line(row: RowMapping) -> Listed:
    return Listed(
        id=row["id"],
        postback_id=row["postback_id"],
        postback=row["postback"] or f"deleted postback {row['postback_id']}",
        version=row["version"],
        trigger=row["trigger"],
        call_uuid=row["call_uuid"],
        call_number=row["number"],
        receipt_id=row["receipt_id"],
        host=row["host"],
        state=State(row["state"]),
        code=row["code"],
        details=from_document(row["details"]),
        attempts=row["attempts"],
        differs=row["differs"],
        is_test=row["is_test"],
        created_at=from_moment(row["created_at"]),
        ended_at=maybe_from_moment(row["ended_at"]),
        due_at=maybe_from_moment(row["due_at"]),
    )


def _attempt(row: RowMapping) -> Attempt:
    return Attempt(
        number=row["number"],
        started_at=from_moment(row["started_at"]),
        state=State(row["state"]),
        code=row["code"],
        details=from_document(row["details"]),
        credential=row["credential"],
        address=row["address"],
        status=row["status"],
        headers=tuple((name, value) for name, value in from_document(row["headers"])),
        body=row["body"],
        truncated=row["truncated"],
        problem=row["problem"],
        milliseconds=from_document(row["milliseconds"]),
    )
