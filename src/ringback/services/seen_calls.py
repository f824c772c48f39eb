"""Calls as a person at the console may see them.

Who runs the account sees them all; a member those of his buyers, and of these what his teams may read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace
from sqlalchemy import Connection

from ringback.domain import access
from ringback.domain.access import Level, Principal, Team
from ringback.domain.attributes import BUYER_CONVERTED, BY_NAME
from ringback.domain.calls import Call, Change, Entry
from ringback.domain.decisions import CallRef, RefKind
from ringback.domain.errors import Refusal
from ringback.domain.figures import Figures
from ringback.services import seen
from ringback.store import call_search, calls, figures, receipt_search
from ringback.store.call_search import Place, Wanted
from ringback.store.figures import Span
from ringback.store.receipt_search import Listed

_QUARTER = timedelta(minutes=15)
_MICROSECOND = timedelta(microseconds=1)
_EVER = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)

RECEIPTS_SHOWN = 100
CHANGES_SHOWN = 500
"""How many of the newest receipts and changes the page of a call shows."""


@dataclass(frozen=True, slots=True)
class Line:
    """A call, and what the visitor may read of it."""

    call: Call
    readable: frozenset[str]


@dataclass(frozen=True, slots=True)
class Found:
    """A page of a list; the next one comes before ``older``. Calls were looked for back to ``looked_to``."""

    lines: Sequence[Line]
    older: Place | None
    looked_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class Total:
    """What the calls of a filter come to, as far as the visitor may read it; no figures where they are too many."""

    figures: Figures | None
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


def search(tx: Connection, principal: Principal, wanted: Wanted, *, before: Place | None = None, limit: int) -> Found:
    """The newest calls that are wanted and may be seen, from before a place on.

    Raises:
        Refusal: ``may_not_read``: nothing may be filtered by what can't be read.
    """
    narrow = narrowed(principal, wanted)
    page = call_search.list_page(tx, principal.account_id, narrow, before=before, limit=limit + 1)
    lines = [Line(call, seen.readable(principal, call.buyer_id)) for call in page.calls[:limit]]
    if len(page.calls) > limit:
        last = lines[-1].call
        return Found(lines, (last.created_at, last.number))
    return Found(lines, page.looked_to, page.looked_to and page.looked_to[0])


def sum_up(tx: Connection, principal: Principal, wanted: Wanted) -> Total:
    """What all calls come to that are wanted and may be seen.

    Of a period and at most one kind of partner the figures are kept; others are added up while they are few enough.
    """
    narrow = narrowed(principal, wanted)
    may_read = _readable_of_all(principal, narrow)
    of = _partners_of(narrow)
    if of is None:
        return Total(call_search.sum_up(tx, principal.account_id, narrow), may_read)
    span = (narrow.since or _EVER[0], narrow.until or _EVER[1])
    (found,) = figures.sum_calls(tx, principal.account_id, [span], of)
    return Total(found.of_converted(converted=narrow.buyer_converted), may_read)


def count(tx: Connection, principal: Principal, wanted: Wanted) -> int | None:
    """How many calls are wanted and may be seen; None if that takes a look at too many."""
    narrow = narrowed(principal, wanted)
    if _partners_of(narrow) is None:
        found = call_search.list_rows(tx, principal.account_id, narrow, ())
        return None if found is None else len(found)
    sums = sum_spans(tx, principal, narrow, [(narrow.since or _EVER[0], narrow.until or _EVER[1])])
    return None if sums is None else sums[0].calls


def sum_spans(tx: Connection, principal: Principal, narrow: Wanted, spans: Sequence[Span]) -> list[Figures] | None:
    """What the calls of each span come to, of those that are wanted; None if that takes a look at too many.

    Of at most one kind of partner it is read from the kept figures, but for the quarters of an hour that a span has
    only in part.
    """
    of = _partners_of(narrow)
    wholes: list[Span] = []
    rests: list[list[Span]] = []
    for since, until in spans:
        first, last = _quarter(since - _MICROSECOND) + _QUARTER, _quarter(until)
        has_whole = of is not None and first < last
        wholes.append((first, last) if has_whole else (since, since))
        rests.append([(since, first), (last, until)] if has_whole else [(since, until)])
    kept = [Figures()] * len(spans) if of is None else figures.sum_calls(tx, principal.account_id, wholes, of)
    sums: list[Figures] = []
    for whole, rest in zip(kept, rests, strict=True):
        added = whole.of_converted(converted=narrow.buyer_converted)
        for since, until in rest:
            found: Figures | None = Figures()
            if since < until:
                found = call_search.sum_up(tx, principal.account_id, replace(narrow, since=since, until=until))
            if found is None:
                return None
            added += found
        sums.append(added)
    return sums


def _quarter(moment: datetime) -> datetime:
    return moment - (moment - _EVER[0]) % _QUARTER


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
    page = receipt_search.list_ids(tx, account_id, asked, limit=RECEIPTS_SHOWN + 1)
    shown = receipt_search.list_by_id(tx, account_id, page.ids[:RECEIPTS_SHOWN])
    entries = calls.list_entries(tx, account_id, uuid, newest=CHANGES_SHOWN)
    is_cut = len(page.ids) > len(shown)
    oldest = shown[-1].decided_at if is_cut else line.call.created_at
    events = [Event(receipt.decided_at, receipt) for receipt in shown]
    events += _changes_of_others(entries, {receipt.id for receipt in shown}, oldest, line.readable)
    return Timeline(sorted(events, key=lambda event: event.at, reverse=True), is_cut)


def _changes_of_others(
    entries: Sequence[Entry], told: set[str], oldest: datetime, may_read: frozenset[str]
) -> Iterator[Event]:
    """What was changed by receipts that are not told already, as far as it may be read; not to whom a call belonged."""
    made: dict[str, list[Entry]] = {}
    told_of = may_read & access.EVERY_ATTRIBUTE
    for entry in entries:
        if entry.receipt_id not in told and entry.changed_at >= oldest and entry.change.attribute in told_of:
            made.setdefault(entry.receipt_id, []).append(entry)
    for each in made.values():
        yield Event(each[0].changed_at, changes=tuple(entry.change for entry in each))


def _partners_of(wanted: Wanted) -> tuple[str, Sequence[int]] | None:
    """Whose kept figures are those of what is wanted: the whole account's or some partners'; None if nobody's are."""
    if wanted.is_sought or wanted.lack_buyer or wanted.conditions:
        return None
    allowed = {column: [number] for column, number in wanted.partners.items()}
    if wanted.only_buyers is not None:
        allowed["buyer_id"] = sorted(wanted.only_buyers & set(allowed.get("buyer_id", wanted.only_buyers)))
    if len(allowed) > 1:
        return None
    return next(((column.removesuffix("_id"), numbers) for column, numbers in allowed.items()), figures.WHOLE)


def _readable_of_all(principal: Principal, wanted: Wanted) -> frozenset[str]:
    """What the person may read of every call that is wanted: a sum over some of them only would mislead."""
    if wanted.buyer_id is not None:
        return seen.readable(principal, wanted.buyer_id)
    if wanted.only_buyers is None:
        return access.readable(principal, tuple(team for team in principal.teams if team.every_buyer))
    each = [seen.readable(principal, buyer_id) for buyer_id in wanted.only_buyers]
    return frozenset.intersection(*each) if each else frozenset()


def narrowed(principal: Principal, wanted: Wanted, attributes: Iterable[str] = ()) -> Wanted:
    """What is wanted, less what the person may not see; what is told of attributes only where he may read them.

    Raises:
        Refusal: ``may_not_read``: there is an attribute that he may read of no call.
    """
    if principal.runs_account:
        return wanted
    told = {*attributes, *(name for each in wanted.conditions for name in each.attributes)}
    if wanted.buyer_converted is not None:
        told.add(BUYER_CONVERTED.name)
    only_buyers = wanted.only_buyers
    for seen_by in (principal.teams, *(_reading(principal, name) for name in sorted(told))):
        if not any(team.every_buyer for team in seen_by):
            buyers = frozenset(buyer_id for team in seen_by for buyer_id in team.buyers)
            only_buyers = buyers if only_buyers is None else only_buyers & buyers
    return replace(wanted, only_buyers=only_buyers)


def _reading(principal: Principal, attribute: str) -> Sequence[Team]:
    """The teams of a person that may read an attribute."""
    teams = [team for team in principal.teams if team.rights.get(attribute, Level.NONE) >= Level.READ]
    if not teams:
        raise Refusal("may_not_read", attribute=BY_NAME[attribute].label)
    return teams
