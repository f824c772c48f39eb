"""Calls as a person at the console may see them.

Who runs the account sees them all; a member those of his buyers, and of these what his teams may read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from ringback.domain import access
from ringback.domain.access import Level, Principal, Team
from ringback.domain.attributes import BUYER_CONVERTED
from ringback.domain.calls import Call, Change, Entry
from ringback.domain.decisions import CallRef, RefKind
from ringback.domain.errors import Refusal
from ringback.services import seen
from ringback.store import call_search, calls, receipt_search
from ringback.store.call_search import Place, Wanted
from ringback.store.receipt_search import Listed

RECEIPTS_SHOWN = 100
CHANGES_SHOWN = 500
"""How many of the newest receipts and changes the page of a call shows."""


@dataclass(frozen=True, slots=True)
class Line:
    """A call, and what the visitor may read of it."""

    call: Call
    readable: frozenset[str]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a call: a receipt, or changes by somebody whose receipts the visitor doesn't see."""

    at: datetime
    receipt: Listed | None = None
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Timeline:
    """What happened to a call after it was recorded, newest first."""

    events: Sequence[Event]
    is_cut: bool


def readable(principal: Principal) -> frozenset[str]:
    """The attributes that a person may read of some call."""
    return access.readable(principal, principal.teams)


def search(
    tx: Connection, principal: Principal, wanted: Wanted, *, before: Place | None = None, limit: int
) -> list[Line]:
    """The newest calls that are wanted and may be seen, from before a place on.

    Raises:
        Refusal: ``may_not_read``: nothing may be filtered by what can't be read.
    """
    narrow = _narrowed(principal, wanted)
    found = call_search.list_page(tx, principal.account_id, narrow, before=before, limit=limit)
    return [Line(call, seen.readable(principal, call.buyer_id)) for call in found]


def see(tx: Connection, principal: Principal, uuid: str) -> Line:
    """One call.

    Raises:
        Refusal: ``not_found``: there is none, or it is not shown to him.
    """
    call = calls.find(tx, principal.account_id, CallRef(RefKind.UUID, uuid))
    if call is None or not seen.shows(principal, call.buyer_id):
        raise Refusal("not_found", path=f"/calls/{uuid}")
    return Line(call, seen.readable(principal, call.buyer_id))


def timeline(tx: Connection, principal: Principal, line: Line) -> Timeline:
    """What happened to a call; of other people's updates a member sees what they changed, and not whose they were."""
    account_id, uuid = principal.account_id, line.call.uuid
    asked = seen.narrowed(principal, receipt_search.Wanted(call_uuid=uuid))
    found = receipt_search.list_page(tx, account_id, asked, limit=RECEIPTS_SHOWN + 1)
    shown = found[:RECEIPTS_SHOWN]
    entries = calls.list_entries(tx, account_id, uuid, newest=CHANGES_SHOWN)
    is_cut = len(found) > len(shown)
    oldest = shown[-1].decided_at if is_cut else line.call.created_at
    events = [Event(receipt.decided_at, receipt) for receipt in shown]
    events += _changes_of_others(entries, {receipt.id for receipt in shown}, oldest, line.readable)
    return Timeline(sorted(events, key=lambda event: event.at, reverse=True), is_cut)


def _changes_of_others(
    entries: Sequence[Entry], told: set[str], oldest: datetime, may_read: frozenset[str]
) -> Iterator[Event]:
    """What was changed by receipts that are not told already, as far as it may be read."""
    made: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry.receipt_id not in told and entry.changed_at >= oldest and entry.change.attribute in may_read:
            made.setdefault(entry.receipt_id, []).append(entry)
    for each in made.values():
        yield Event(each[0].changed_at, changes=tuple(entry.change for entry in each))


def _narrowed(principal: Principal, wanted: Wanted) -> Wanted:
    if principal.runs_account:
        return wanted
    teams: Sequence[Team] = principal.teams
    if wanted.buyer_converted is not None:
        teams = [team for team in teams if team.rights.get(BUYER_CONVERTED.name, Level.NONE) >= Level.READ]
        if not teams:
            raise Refusal("may_not_read", attribute=BUYER_CONVERTED.label)
    if any(team.every_buyer for team in teams):
        return wanted
    return replace(wanted, only_buyers=frozenset(buyer_id for team in teams for buyer_id in team.buyers))
