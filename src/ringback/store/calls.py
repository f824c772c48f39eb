"""Calls and the ledger of their changes."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import (
    Connection,
    FromClause,
    RowMapping,
    Select,
    Text,
    and_,
    cast,
    exists,
    func,
    insert,
    select,
    update,
)

from ringback.domain.attributes import BY_NAME, Kind
from ringback.domain.calls import Call, Change, Entry, Origin, Partner
from ringback.domain.decisions import CallRef, RefKind
from ringback.domain.errors import RingbackError
from ringback.domain.money import format_amount
from ringback.store.accounts import hold_numbers, next_number
from ringback.store.callers import find_newest
from ringback.store.schema import buyers, call_changes, calls, offers, traffic_sources, waiting_updates
from ringback.store.sets import given, insert_rows, update_rows, wanted
from ringback.store.values import (
    from_columns,
    from_document,
    from_moment,
    maybe_from_moment,
    maybe_moment,
    to_columns,
    to_document,
    to_moment,
    to_terms,
)

Asked = tuple[int, CallRef]
"""An account and the call that is meant in it."""


class Found(Struct, frozen=True):
    """A call, and whether updates of it are waiting."""

    call: Call
    has_waiting: bool


_BUYER = buyers.alias("buyer")
_SOURCE = traffic_sources.alias("source")
_OFFER = offers.alias("offer")
_PARTNERS = (_BUYER, _SOURCE, _OFFER)
_OF_PARTNERS = ("uuid", "name", "external_id")


class LockedError(RingbackError):
    """Calls that another transaction holds; nothing was done."""

    def __init__(self, asked: Iterable[Asked]) -> None:
        super().__init__("calls are locked by another transaction")
        self.asked = frozenset(asked)


def lock(connection: Connection, asked: Iterable[Asked], *, waits: bool = True) -> dict[Asked, Found]:
    """Find calls and keep them from being changed by others until the transaction ends, in the order of their keys.

    A call that is named by its caller is the newest one now, and is locked as any other.

    Those that aren't there are kept from being recorded meanwhile: recording a call and holding an early update of it
    take the same lock, so that neither misses the other. SQLite has one writer at a time anyway.

    Raises:
        LockedError: another transaction holds some of them, and ``waits`` is false.
    """
    newest = find_newest(connection, asked := set(asked))
    meant = {each: (each[0], newest.get(each, each[1])) for each in asked}
    try:
        found = _lock(connection, set(meant.values()), waits=waits)
    except LockedError as error:
        raise LockedError(each for each in asked if meant[each] in error.asked) from error
    return {each: found[meant[each]] for each in asked if meant[each] in found}


def _lock(connection: Connection, asked: set[Asked], *, waits: bool) -> dict[Asked, Found]:
    found = _find(connection, asked, locks=True, waits=waits)
    missing = asked - found.keys()
    if not missing or connection.dialect.name == "sqlite":
        return found
    if held := _lock_absent(connection, missing, waits=waits):
        raise LockedError(held)
    came = _find(connection, missing, locks=False).keys()
    if came:
        found |= _find(connection, came, locks=True, waits=waits)
    if held := came - found.keys():
        raise LockedError(held)
    return found


def _lock_absent(connection: Connection, asked: Iterable[Asked], *, waits: bool) -> set[Asked]:
    """Keep calls that aren't there from being recorded; returns those that others keep so already."""
    uuids = sorted((account_id, ref.value) for account_id, ref in asked if ref.kind is RefKind.UUID)
    if not uuids:
        return set()
    columns = [calls.c.account_id, calls.c.uuid]
    asked_for = wanted(connection.dialect.name, "asked", columns)
    key = func.hashtextextended(cast(asked_for.c.uuid, Text), asked_for.c.account_id)
    locked = (func.pg_advisory_xact_lock if waits else func.pg_try_advisory_xact_lock)(key)
    rows = connection.execute(select(*asked_for.c, locked.label("got")), {"asked": given(columns, uuids)})
    return {(row.account_id, CallRef(RefKind.UUID, str(row.uuid))) for row in rows if row.got is False}


def find(connection: Connection, account_id: int, ref: CallRef) -> Call | None:
    """One call of an account."""
    found = _find(connection, [(account_id, ref)], locks=False).get((account_id, ref))
    return found.call if found else None


def find_all(connection: Connection, asked: Collection[Asked]) -> dict[Asked, Call]:
    """Calls, each as it is asked for."""
    return {each: found.call for each, found in _find(connection, asked, locks=False).items()}


def find_each(connection: Connection, account_id: int, uuids: Iterable[str]) -> dict[str, Call]:
    """Calls of an account by UUID."""
    asked = {(account_id, CallRef(RefKind.UUID, uuid)) for uuid in uuids}
    return {ref.value: found.call for (_, ref), found in _find(connection, asked, locks=False).items()}


def _find(connection: Connection, asked: Collection[Asked], *, locks: bool, waits: bool = True) -> dict[Asked, Found]:
    found: dict[Asked, Found] = {}
    for kind, key in _KEYS.items():
        refs = {(account_id, ref.value): ref for account_id, ref in asked if ref.kind is kind}
        if not refs:
            continue
        statement = _finding(connection.dialect.name, key, locks=locks, waits=waits)
        rows = connection.execute(statement, {"asked": given([calls.c.account_id, calls.c[key]], sorted(refs))})
        for row in rows.mappings():
            call = _call(row)
            found[call.account_id, refs[call.account_id, str(row[key])]] = Found(call, row["has_waiting"])
    return found


_KEYS = {RefKind.UUID: "uuid", RefKind.NUMBER: "number"}
"""The column that a kind of reference names."""


@lru_cache
def _finding(dialect: str, key: str, *, locks: bool, waits: bool) -> Select[Any]:
    statement = _joined(wanted(dialect, "asked", [calls.c.account_id, calls.c[key]]), key)
    return statement.with_for_update(of=calls, skip_locked=not waits) if locks else statement


def _joined(asked: FromClause, key: str) -> Select[Any]:
    """Calls with their partners and terms, in the order of their keys."""
    waits = exists().where(
        waiting_updates.c.account_id == calls.c.account_id,
        waiting_updates.c.call_uuid == calls.c.uuid,
        waiting_updates.c.state == "waiting",
    )
    joined = asked.join(calls, and_(calls.c.account_id == asked.c.account_id, calls.c[key] == asked.c[key]))
    for table, column in ((_BUYER, calls.c.buyer_id), (_SOURCE, calls.c.traffic_source_id), (_OFFER, calls.c.offer_id)):
        joined = joined.outerjoin(table, and_(table.c.account_id == calls.c.account_id, table.c.id == column))
    return (
        select(
            *calls.c,
            waits.label("has_waiting"),
            *(table.c[name].label(f"{table.name}_{name}") for table in _PARTNERS for name in _OF_PARTNERS),
            _BUYER.c.agreed_revenue,
            _OFFER.c.payout.label("payout_rule"),
        )
        .select_from(joined)
        .order_by(calls.c.account_id, calls.c.uuid)
    )


def _call(row: RowMapping) -> Call:
    return Call(
        account_id=row["account_id"],
        uuid=row["uuid"],
        number=row["number"],
        caller_number=row["caller_number"],
        state=from_columns(row),
        created_at=from_moment(row["created_at"]),
        updated_at=from_moment(row["updated_at"]),
        changes=row["changes"],
        buyer=_partner(row, "buyer_id", "buyer"),
        traffic_source=_partner(row, "traffic_source_id", "source"),
        offer=_partner(row, "offer_id", "offer"),
        terms=to_terms(row["agreed_revenue"], row["payout_rule"]),
        status=row["status"],
        hangup_cause=row["hangup_cause"],
        disposition=row["disposition"],
        disposition_notes=row["disposition_notes"],
        total_duration=row["total_duration"],
        answered_duration=row["answered_duration"],
        ended_at=maybe_from_moment(row["ended_at"]),
    )


def _partner(row: RowMapping, column: str, alias: str) -> Partner | None:
    number = row[column]
    if number is None:
        return None
    values = {name: row[f"{alias}_{name}"] for name in _OF_PARTNERS}
    return Partner(number, **values)


def wait_turn(connection: Connection, account_id: int) -> datetime | None:
    """Let others wait who record calls, until the transaction ends; returns when the newest call was recorded."""
    number = hold_numbers(connection, account_id, calls)
    mine = (calls.c.account_id == account_id, calls.c.number == number)
    # Asked after the wait: a statement sees what was committed when it began.
    return maybe_from_moment(connection.execute(select(calls.c.created_at).where(*mine)).scalar_one_or_none())


def add(connection: Connection, call: Call) -> Call:
    """Record a new call; it is returned with the number that it got."""
    call = replace(call, number=next_number(connection, call.account_id, calls))
    connection.execute(
        insert(calls).values(
            account_id=call.account_id,
            uuid=call.uuid,
            number=call.number,
            changes=call.changes,
            created_at=to_moment(call.created_at),
            updated_at=to_moment(call.updated_at),
            **_details(call),
            **to_columns(call.state),
        )
    )
    return call


def save_details(connection: Connection, call: Call) -> None:
    """Write what is known of a call beside its worth."""
    mine = (calls.c.account_id == call.account_id, calls.c.uuid == call.uuid)
    connection.execute(update(calls).where(*mine).values(updated_at=to_moment(call.updated_at), **_details(call)))


def _details(call: Call) -> dict[str, object]:
    return {
        "caller_number": call.caller_number,
        "status": call.status,
        "hangup_cause": call.hangup_cause,
        "disposition": call.disposition,
        "disposition_notes": call.disposition_notes,
        "total_duration": call.total_duration,
        "answered_duration": call.answered_duration,
        "ended_at": maybe_moment(call.ended_at),
        "buyer_id": call.buyer and call.buyer.id,
        "traffic_source_id": call.traffic_source and call.traffic_source.id,
        "offer_id": call.offer and call.offer.id,
    }


def save(connection: Connection, changed: Iterable[Call]) -> None:
    """Write the new states of calls that are locked."""
    rows = [
        {
            "account_id": call.account_id,
            "uuid": call.uuid,
            "changes": call.changes,
            "updated_at": to_moment(call.updated_at),
            **to_columns(call.state),
        }
        for call in changed
    ]
    update_rows(connection, calls, ("account_id", "uuid"), rows)


def add_entries(connection: Connection, entries: Iterable[tuple[Call, Entry]]) -> None:
    """Write rows of the ledger."""
    rows = [
        {
            "account_id": call.account_id,
            "call_uuid": call.uuid,
            "seq": entry.seq,
            "attribute": entry.change.attribute,
            "field": entry.change.field,
            "before": _plain(entry.change.before),
            "after": _plain(entry.change.after),
            "origin": entry.change.origin.value,
            "receipt_id": entry.receipt_id,
            "received_at": to_moment(entry.received_at),
            "changed_at": to_moment(entry.changed_at),
        }
        for call, entry in entries
    ]
    insert_rows(connection, call_changes, rows)


def list_entries(connection: Connection, account_id: int, call_uuid: str, *, newest: int | None = None) -> list[Entry]:
    """The ledger of one call, in its order; all of it, or only so many of its newest rows."""
    statement = (
        select(call_changes)
        .where(call_changes.c.account_id == account_id, call_changes.c.call_uuid == call_uuid)
        .order_by(call_changes.c.seq.desc())
        .limit(newest)
    )
    rows = connection.execute(statement).mappings().all()
    return [
        Entry(
            row["seq"],
            Change(
                row["attribute"],
                _value(row["attribute"], row["before"]),
                _value(row["attribute"], row["after"]),
                Origin(row["origin"]),
                row["field"],
            ),
            row["receipt_id"],
            from_moment(row["received_at"]),
            from_moment(row["changed_at"]),
        )
        for row in reversed(rows)
    ]


def _plain(value: object) -> str:
    if isinstance(value, Partner):
        return to_document({"id": value.id, "uuid": value.uuid, "name": value.name})
    if isinstance(value, datetime):
        return to_document(value.isoformat())
    return to_document(format_amount(value) if isinstance(value, Decimal) else value)


def _value(attribute: str, document: str) -> Any:  # noqa: ANN401 - as wide as the values of attributes
    value = from_document(document)
    if isinstance(value, dict):
        return Partner(**value)
    if value is not None and attribute in BY_NAME and BY_NAME[attribute].kind is Kind.MONEY:
        return Decimal(value)
    return value
