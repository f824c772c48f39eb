"""Waiting updates, one row for each key; repeats only raise its tries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, case, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from ringback.domain.receipts import patch_document, read_patch_document
from ringback.domain.waiting import (
    ACCOUNT_LIMIT,
    LIFETIME,
    QUARANTINE_ACCOUNT_LIMIT,
    QUARANTINE_USER_LIMIT,
    Kind,
    State,
    Waiting,
    details_document,
    read_details_document,
)
from ringback.store.blocking_schema import blocked_tokens
from ringback.store.schema import access_tokens, users, waiting_updates
from ringback.store.sets import given, update_rows, wanted
from ringback.store.values import from_document, from_moment, maybe_from_moment, to_document, to_moment


def hold(connection: Connection, waiting: Waiting, *, keeps_early: bool = False) -> datetime:
    """Keep an update, and tell until when; a repeat of one that waits only raises its tries.

    One that was given up, superseded or applied and is refused again waits anew. A repeat never shortens the time
    that it waits: what was denied doesn't go to the quarantine because its user has left the team since. Nor does it
    take from an early one that it is applied by itself, where ``keeps_early`` says that this may still come.
    """
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    moment = to_moment(waiting.received_at)
    fresh = insert(waiting_updates).values(
        account_id=waiting.account_id,
        id=waiting.id,
        user_id=waiting.user_id,
        call_uuid=waiting.call_uuid,
        waiting_key=waiting.key,
        key_name=waiting.key_name,
        token_id=waiting.token_id,
        kind=waiting.kind.value,
        code=waiting.code,
        state=State.WAITING.value,
        attributes=",".join(waiting.attributes),
        patch=to_document(patch_document(waiting.patch)),
        details=to_document(details_document(waiting.details)),
        route=waiting.route,
        hops=waiting.hops,
        tries=1,
        received_at=moment,
        last_received_at=moment,
        expires_at=to_moment(waiting.expires_at),
    )
    again = waiting_updates.c.state != State.WAITING.value
    lifetime = fresh.excluded.expires_at - fresh.excluded.received_at
    renewed = waiting_updates.c.received_at + lifetime
    longer = or_(again, renewed > waiting_updates.c.expires_at)
    if keeps_early:
        longer = or_(again, and_(longer, waiting_updates.c.kind != Kind.EARLY.value))
    statement = fresh.on_conflict_do_update(
        index_elements=["account_id", "user_id", "call_uuid", "waiting_key"],
        set_={
            "tries": case((again, 1), else_=waiting_updates.c.tries + 1),
            "received_at": case((again, fresh.excluded.received_at), else_=waiting_updates.c.received_at),
            "expires_at": case(
                (again, fresh.excluded.expires_at), (longer, renewed), else_=waiting_updates.c.expires_at
            ),
            "last_received_at": fresh.excluded.last_received_at,
            "kind": case((longer, fresh.excluded.kind), else_=waiting_updates.c.kind),
            "code": fresh.excluded.code,
            "attributes": fresh.excluded.attributes,
            "patch": fresh.excluded.patch,
            "details": fresh.excluded.details,
            "hops": fresh.excluded.hops,
            "token_id": fresh.excluded.token_id,
            "state": State.WAITING.value,
        },
    )
    until = connection.execute(statement.returning(waiting_updates.c.expires_at)).scalar_one()
    return from_moment(until)


def room(connection: Connection, account_id: int, user_id: int, kind: Kind) -> int:
    """How many more updates of this kind may wait."""
    is_waiting = (waiting_updates.c.account_id == account_id, waiting_updates.c.state == State.WAITING.value)
    if kind is not Kind.QUARANTINE:
        mine = waiting_updates.c.kind != Kind.QUARANTINE.value
        return ACCOUNT_LIMIT - connection.execute(select(func.count()).where(*is_waiting, mine)).scalar_one()
    quarantined = (*is_waiting, waiting_updates.c.kind == kind.value)
    of_user = (*quarantined, waiting_updates.c.user_id == user_id)
    return min(
        QUARANTINE_ACCOUNT_LIMIT - connection.execute(select(func.count()).where(*quarantined)).scalar_one(),
        QUARANTINE_USER_LIMIT - connection.execute(select(func.count()).where(*of_user)).scalar_one(),
    )


def finish(connection: Connection, account_id: int, applied: Mapping[str, str]) -> None:
    """Waiting updates were applied: by id, the receipt of that."""
    rows = [
        {"account_id": account_id, "id": each, "state": State.APPLIED.value, "applied_receipt_id": receipt_id}
        for each, receipt_id in applied.items()
    ]
    update_rows(connection, waiting_updates, ("account_id", "id"), rows)


def note_refusals(connection: Connection, account_id: int, refused: Mapping[str, str]) -> None:
    """Waiting updates were refused again: by id, the code."""
    rows = [{"account_id": account_id, "id": each, "code": code} for each, code in refused.items()]
    update_rows(connection, waiting_updates, ("account_id", "id"), rows)


def turn_denied(connection: Connection, account_id: int, ids: Sequence[str]) -> None:
    """Early updates that were refused when their call came wait for a person from now on."""
    lifetime = LIFETIME[Kind.DENIED] // timedelta(microseconds=1)
    connection.execute(
        update(waiting_updates)
        .where(waiting_updates.c.account_id == account_id, waiting_updates.c.id.in_(ids))
        .values(kind=Kind.DENIED.value, expires_at=waiting_updates.c.received_at + lifetime)
    )


def supersede(connection: Connection, account_id: int, user_id: int, call_uuid: str, key: str) -> None:
    """An update with this key was applied after all: what waits under the key is settled."""
    connection.execute(
        update(waiting_updates)
        .where(
            waiting_updates.c.account_id == account_id,
            waiting_updates.c.user_id == user_id,
            waiting_updates.c.call_uuid == call_uuid,
            waiting_updates.c.waiting_key == key,
            waiting_updates.c.state == State.WAITING.value,
        )
        .values(state=State.SUPERSEDED.value)
    )


def lock(connection: Connection, account_id: int, ids: Sequence[str]) -> list[Waiting]:
    """Waiting updates by id, in the order in which they were received, kept from others until the transaction ends."""
    return _select(connection, account_id, waiting_updates.c.id.in_(ids), locks=True)


def list_waiting(
    connection: Connection, account_id: int, *, call_uuid: str | None = None, kind: Kind | None = None
) -> list[Waiting]:
    """What waits in an account, oldest first."""
    conditions = [waiting_updates.c.state == State.WAITING.value]
    if call_uuid is not None:
        conditions.append(waiting_updates.c.call_uuid == call_uuid)
    if kind is not None:
        conditions.append(waiting_updates.c.kind == kind.value)
    return _select(connection, account_id, *conditions)


def list_by_id(connection: Connection, account_id: int, ids: Iterable[str]) -> list[Waiting]:
    """Waiting updates by id, whatever became of them, oldest first."""
    return _select(connection, account_id, waiting_updates.c.id.in_(list(ids)))


def list_states(
    connection: Connection, account_id: int, keys: Iterable[tuple[int, str, str]]
) -> dict[tuple[int, str, str], State]:
    """What became of updates that wait or waited, by user, call and key."""
    named = [waiting_updates.c.user_id, waiting_updates.c.call_uuid, waiting_updates.c.waiting_key]
    asked = wanted(connection.dialect.name, "asked", named)
    mine = (waiting_updates.c.account_id == account_id, *(asked.c[each.name] == each for each in named))
    statement = select(*named, waiting_updates.c.state).join(asked, and_(*mine))
    rows = connection.execute(statement, {"asked": given(named, [*keys])})
    return {(row.user_id, row.call_uuid, row.waiting_key): State(row.state) for row in rows}


def find_applied(connection: Connection, account_id: int, call_uuid: str, receipt_id: str) -> Waiting | None:
    """The waiting update of a call that was applied with this receipt."""
    found = _select(
        connection,
        account_id,
        waiting_updates.c.call_uuid == call_uuid,
        waiting_updates.c.applied_receipt_id == receipt_id,
    )
    return found[0] if found else None


def find(connection: Connection, account_id: int, call_uuid: str, user_id: int, key: str) -> Waiting | None:
    """What waits, or waited, of a user for a call under a key."""
    found = _select(
        connection,
        account_id,
        waiting_updates.c.user_id == user_id,
        waiting_updates.c.call_uuid == call_uuid,
        waiting_updates.c.waiting_key == key,
    )
    return found[0] if found else None


def expire(connection: Connection, now: datetime) -> None:
    """Give up what has waited too long."""
    connection.execute(
        update(waiting_updates)
        .where(waiting_updates.c.state == State.WAITING.value, waiting_updates.c.expires_at <= to_moment(now))
        .values(state=State.EXPIRED.value)
    )


def _select(connection: Connection, account_id: int, *conditions: Any, locks: bool = False) -> list[Waiting]:  # noqa: ANN401
    tokens = access_tokens.c
    is_blocked = and_(
        blocked_tokens.c.account_id == waiting_updates.c.account_id,
        blocked_tokens.c.token_id == waiting_updates.c.token_id,
    )
    statement = (
        select(
            waiting_updates,
            users.c.email,
            tokens.revoked_at,
            tokens.expires_at.label("token_expires_at"),
            blocked_tokens.c.blocked_at,
        )
        .join(users, users.c.id == waiting_updates.c.user_id)
        .outerjoin(access_tokens, tokens.id == waiting_updates.c.token_id)
        .outerjoin(blocked_tokens, is_blocked)
        .where(waiting_updates.c.account_id == account_id, *conditions)
        .order_by(waiting_updates.c.received_at, waiting_updates.c.id)
    )
    if locks:
        statement = statement.with_for_update(of=waiting_updates)
    return [_waiting(row) for row in connection.execute(statement).mappings()]


def _waiting(row: RowMapping) -> Waiting:
    return Waiting(
        account_id=row["account_id"],
        id=row["id"],
        user_id=row["user_id"],
        call_uuid=row["call_uuid"],
        key=row["waiting_key"],
        key_name=row["key_name"],
        token_id=row["token_id"],
        kind=Kind(row["kind"]),
        code=row["code"],
        patch=read_patch_document(from_document(row["patch"])),
        route=row["route"],
        received_at=from_moment(row["received_at"]),
        tries=row["tries"],
        state=State(row["state"]),
        user=row["email"],
        applied_receipt_id=row["applied_receipt_id"],
        details=read_details_document(from_document(row["details"])),
        hops=row["hops"],
        revoked_at=maybe_from_moment(row["revoked_at"]),
        token_expires_at=maybe_from_moment(row["token_expires_at"]),
        is_blocked=row["blocked_at"] is not None,
    )
