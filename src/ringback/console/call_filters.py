"""The filters of the list of calls, as they stand in its address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from ringback.console.pages import Visit
from ringback.domain.attributes import BUYER_CONVERTED
from ringback.domain.periods import day_start, read_day, read_hour
from ringback.services import calls, seen, seen_calls
from ringback.store import partners
from ringback.store.call_search import Wanted

NAMES = ("q", "buyer", "traffic_source", "offer", "converted", "from", "to", "hour")
"""The filters, in the order of the form; an hour is one of the single day that is asked for, as 2026-01-31T05:00Z."""

PARTNERS = {"buyer": "Buyer", "traffic_source": "Traffic source", "offer": "Offer"}
OFFERED = 500
"""How many names of partners a list to choose from has."""

_CONVERTED = {"yes": True, "no": False}
_HOUR = timedelta(hours=1)
_NOTHING = 0


@dataclass(frozen=True, slots=True)
class Filters:
    """What was asked for, as typed and as understood, and what can't be understood of it."""

    typed: Mapping[str, str]
    wanted: Wanted
    errors: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def set(self) -> int:
        """How many filters are set, the search apart."""
        return sum(bool(text) for name, text in self.typed.items() if name not in {"q", "hour"})

    @property
    def is_any(self) -> bool:
        """Whether anything is filtered or searched at all."""
        return any(self.typed.values())

    def query(self, **more: str) -> str:
        """The query string of these filters and of something more."""
        given = {**{name: value for name, value in {**self.typed, **more}.items() if value}, **self.columns}
        return f"?{urlencode(given, doseq=True)}" if given else ""

    def without_columns(self) -> str:
        """The query string of these filters with the usual columns."""
        return replace(self, columns={}).query()


def read(visit: Visit, columns: Mapping[str, Sequence[str]]) -> Filters:
    """The filters of a request; its columns are kept beside them wherever they lead."""
    typed = {name: visit.query(name)[:200] for name in NAMES}
    errors: dict[str, str] = {}
    zone = ZoneInfo(visit.here.time_zone)
    first, last = (read_day(typed[name]) for name in ("from", "to"))
    for name, day in (("from", first), ("to", last)):
        if typed[name] and day is None:
            errors[name] = "A date is written as 2026-01-31."
    if typed["converted"] not in _CONVERTED:
        typed["converted"] = ""
    ids = {noun: _partner(visit, noun, typed[noun], errors) for noun in PARTNERS}
    uuid, number, caller_number = calls.read_sought(typed["q"])
    since, until = _days(typed, first, last, zone)
    wanted = Wanted(
        buyer_id=ids["buyer"],
        traffic_source_id=ids["traffic_source"],
        offer_id=ids["offer"],
        buyer_converted=_CONVERTED.get(typed["converted"]),
        uuid=uuid,
        number=number,
        caller_number=caller_number,
        since=since,
        until=until,
    )
    return Filters(typed, wanted, errors, columns)


def _days(
    typed: dict[str, str], first: date | None, last: date | None, zone: ZoneInfo
) -> tuple[datetime | None, datetime | None]:
    """From when until when calls are wanted; an hour that is not of the single day asked for is none."""
    since = None if first is None else day_start(first, zone)
    until = None if last is None else day_start(last + timedelta(days=1), zone)
    hour = read_hour(typed["hour"])
    if hour is None or since is None or until is None or first != last or not since <= hour < until:
        typed["hour"] = ""
        return since, until
    return hour, min(until, hour + _HOUR)


def may_filter_converted(visit: Visit) -> bool:
    """Whether the visitor may read of some call if it converted, and so filter by it."""
    return BUYER_CONVERTED.name in seen_calls.readable(visit.actor)


def offered(visit: Visit) -> dict[str, list[str]]:
    """The names that can be filtered by; who doesn't run the account is told only those of his buyers."""
    names: dict[str, list[str]] = {noun: [] for noun in PARTNERS}
    for noun in ("buyer",) if visit.is_member_only else PARTNERS:
        rows = partners.list_partners(visit.tx, visit.here.id, noun)
        names[noun] = [row["name"] for row in rows if noun != "buyer" or seen.shows(visit.actor, row["id"])][:OFFERED]
    return names


def _partner(visit: Visit, noun: str, text: str, errors: dict[str, str]) -> int | None:
    """The partner that is named; who doesn't run the account isn't told whether others than his buyers are there."""
    if not text:
        return None
    found = partners.find(visit.tx, visit.here.id, noun, text)
    if found is None or (noun == "buyer" and not seen.shows(visit.actor, found.id)):
        if noun == "buyer" or not visit.is_member_only:
            errors[noun] = f"There is no {PARTNERS[noun].lower()} {text} here."
        return _NOTHING
    return found.id
