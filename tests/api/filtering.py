"""Every filter of lists of calls as clients write it, drawn at random, with what it means, said in plain Python."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from ringback import clock
from ringback.domain.calls import Call
from tests.api.listing import BEGIN, CALLERS, STATUSES, Filter, Reader, Stock

ACCOUNT_ZONE = "America/New_York"
ZONES: Mapping[str | None, ZoneInfo] = {
    None: ZoneInfo(ACCOUNT_ZONE),
    "UTC": ZoneInfo("UTC"),
    "utc": ZoneInfo.no_cache("UTC"),
    "Asia/Kolkata": ZoneInfo("Asia/Kolkata"),
    "Pacific Time (US & Canada)": ZoneInfo("America/Los_Angeles"),
}
"""Time zones as they are named, that of the account where none is."""

Make = Callable[[Stock, ZoneInfo], st.SearchStrategy[Filter]]
DAY = timedelta(days=1)


def yes_or_no(name: str, attributes: Sequence[str], holds: Callable[[Call], object]) -> Make:
    def make(wanted: bool, word: int) -> Filter:  # noqa: FBT001 - as it is drawn
        text = (("0", "1"), ("false", "true"), ("No", "YES"), ("off", "on"))[word][wanted]
        return Filter({name: text}, lambda call: bool(holds(call)) is wanted, frozenset(attributes))

    return lambda _stock, _zone: st.builds(make, st.booleans(), st.integers(0, 3))


def is_live(call: Call) -> bool:
    under_way = call.status in {"forwarded", "initiated"}
    return under_way and call.ended_at is None and call.total_duration is None


def end_of_time(name: str, value: Callable[[Call], datetime | None]) -> Make:
    """One end of a time, as clients write it."""

    def make(zone: ZoneInfo, minutes: int, form: int) -> Filter:
        moment = BEGIN + timedelta(minutes=minutes)
        local = moment.astimezone(zone)
        text = (
            f"{moment - timedelta(hours=5):%Y-%m-%d %H:%M:%S} -0500",
            f"{moment:%Y-%m-%d %H:%M:%S} UTC",
            f"{moment:%Y-%m-%d %H:%M:%S} +0000",
            f"{moment:%Y-%m-%dT%H:%M:%SZ}",
            f"{moment:%Y-%m-%dT%H:%M:%S.000000+00:00}",
            f"{local:%Y-%m-%d %H:%M:%S}",
            f"{local:%Y-%m-%dT%H:%M}",
            f"{local.year}-{local.month}-{local.day}",
        )[form]
        begin, end = (
            moment,
            moment + {4: timedelta(microseconds=1), 6: timedelta(minutes=1)}.get(form, timedelta(seconds=1)),
        )
        if form == 7:
            midnight = datetime(local.year, local.month, local.day, tzinfo=zone)
            begin, end = midnight.astimezone(UTC), (midnight + DAY).astimezone(UTC)

        def holds(call: Call) -> bool:
            at = value(call)
            return at is not None and (at >= begin if name.endswith("_from") else at < end)

        return Filter({name: text}, holds)

    return lambda _stock, zone: st.builds(make, st.just(zone), st.integers(0, 60 * 24), st.integers(0, 7))


def partner(noun: str) -> Make:
    def made(stock: Stock, _zone: ZoneInfo) -> st.SearchStrategy[Filter]:
        def make(place: int, form: int) -> Filter:
            one = stock.partners[noun][place]
            text = (one.id, one.uuid, one.external_id, one.name)[form]
            return Filter({f"{noun}_id": text}, lambda call: getattr(call, noun) == one)

        return st.builds(make, st.integers(0, 3), st.integers(0, 3))

    return made


def fields(call: Call) -> dict[str, Any]:
    return cast("dict[str, Any]", call.state["contact_fields"])


TOLD = frozenset({"contact_fields"})
TOKEN_VALUES = (
    Filter({"token_value": "zip:80903"}, lambda call: fields(call).get("zip") == "80903", TOLD),
    Filter({"token_value": "zip:!=80903"}, lambda call: fields(call).get("zip") != "80903", TOLD),
    Filter({"token_value": "age:>=40"}, lambda call: fields(call).get("age", 0) >= 40, TOLD),
    Filter({"token_value": "age:<=30"}, lambda call: fields(call).get("age", 99) <= 30, TOLD),
    Filter({"token_value": "age:>40"}, lambda call: fields(call).get("age", 0) > 40, TOLD),
    Filter({"token_value": "age:<30.5"}, lambda call: fields(call).get("age", 99) < 30.5, TOLD),
)
TOKEN_KEYS = (
    Filter({"token_key": "zip"}, lambda call: "zip" in fields(call), TOLD),
    Filter({"token_key": "nothing"}, lambda _: False, TOLD),
)


def of_id(stock: Stock, _zone: ZoneInfo) -> st.SearchStrategy[Filter]:
    def make(place: int, form: int) -> Filter:
        one = stock.calls[place]
        return Filter({"id": (one.uuid, one.number, one.uuid.upper())[form]}, lambda call: call.uuid == one.uuid)

    return st.builds(make, st.integers(0, len(stock.calls) - 1), st.integers(0, 2))


def of_text(stock: Stock, _zone: ZoneInfo) -> st.SearchStrategy[Filter]:
    def of_call(place: int, form: int) -> Filter:
        one = stock.calls[place]
        return Filter({"fulltext": (one.uuid, one.number, f"#{one.number}")[form]}, lambda call: call.uuid == one.uuid)

    def of_caller(caller: str) -> Filter:
        return Filter({"fulltext": caller}, lambda call: call.caller_number == caller)

    callers = st.sampled_from([caller for caller in CALLERS if caller])
    calls = st.builds(of_call, st.integers(0, len(stock.calls) - 1), st.integers(0, 2))
    return st.one_of(calls, st.builds(of_caller, callers))


def of_status(_stock: Stock, _zone: ZoneInfo) -> st.SearchStrategy[Filter]:
    def make(status: str, form: int) -> Filter:
        text = (status.upper(), status.replace("-", " ").title(), status.replace("-", "_"), f" {status} ")[form]
        return Filter({"status": text}, lambda call: call.status == status)

    return st.builds(make, st.sampled_from([status for status in STATUSES if status]), st.integers(0, 3))


def of_label(_stock: Stock, zone: ZoneInfo) -> st.SearchStrategy[Filter]:
    def make(label: str, form: int) -> Filter:
        text = (label, label.lower(), label.replace(" ", "_"))[form]
        return Filter({"created_at_label": text}, lambda call: LABELS[label](call.created_at, clock.now(), zone))

    return st.builds(make, st.sampled_from([*LABELS]), st.integers(0, 2))


def _ago(**span: int) -> Callable[[datetime, datetime, ZoneInfo], bool]:
    return lambda at, now, _zone: at >= now - timedelta(**span)


def _same(part: Callable[[datetime], object], back: int = 0) -> Callable[[datetime, datetime, ZoneInfo], bool]:
    """Within the part of time that is now, until the end of today; or within the one that was so many before."""

    def holds(at: datetime, now: datetime, zone: ZoneInfo) -> bool:
        here, today = at.astimezone(zone), now.astimezone(zone)
        if not back:
            return part(here) == part(today) and here.date() <= today.date()
        day = today.replace(hour=12)
        while part(day) == part(today):
            day -= DAY
        return part(here) == part(day)

    return holds


def _half_a_year(at: datetime, now: datetime, zone: ZoneInfo) -> bool:
    here, today = at.astimezone(zone).date(), now.astimezone(zone).date()
    months = today.year * 12 + today.month - 7
    last = next(day for day in (today.day, 30, 29, 28) if _is_day(months // 12, months % 12 + 1, day))
    return (months // 12, months % 12 + 1, last) <= (here.year, here.month, here.day) and here <= today


def _is_day(year: int, month: int, day: int) -> bool:
    try:
        return bool(datetime(year, month, day, tzinfo=UTC))
    except ValueError:
        return False


LABELS: Mapping[str, Callable[[datetime, datetime, ZoneInfo], bool]] = {
    "Last 5 Min": _ago(minutes=5),
    "Last 15 Min": _ago(minutes=15),
    "Last 30 Min": _ago(minutes=30),
    "Last Hour": _ago(hours=1),
    "Last 4 Hours": _ago(hours=4),
    "Last 6 Hours": _ago(hours=6),
    "Last 12 Hours": _ago(hours=12),
    "Last Day": _ago(days=1),
    "Last 2 Days": _ago(days=2),
    "Today": _same(lambda at: at.date()),
    "Yesterday": _same(lambda at: at.date(), 1),
    "This Week": _same(lambda at: at.isocalendar()[:2]),
    "Last Week": _same(lambda at: at.isocalendar()[:2], 1),
    "This Month": _same(lambda at: (at.year, at.month)),
    "Last Month": _same(lambda at: (at.year, at.month), 1),
    "This Quarter": _same(lambda at: (at.year, (at.month - 1) // 3)),
    "Last Quarter": _same(lambda at: (at.year, (at.month - 1) // 3), 1),
    "Last 6 Months": _half_a_year,
    "This Year": _same(lambda at: at.year),
    "Last Year": _same(lambda at: at.year, 1),
    "Lifetime": lambda *_: True,
    "Custom Range": lambda *_: True,
}
"""What each label means: of when a call was recorded, of now, in a zone."""

MAKES: Mapping[str, Make] = {
    "created_at_from": end_of_time("created_at_from", lambda call: call.created_at),
    "created_at_to": end_of_time("created_at_to", lambda call: call.created_at),
    "created_at_label": of_label,
    "ended_at_from": end_of_time("ended_at_from", lambda call: call.ended_at),
    "ended_at_to": end_of_time("ended_at_to", lambda call: call.ended_at),
    "time_zone": lambda _stock, zone: st.just(_zone_of(zone)),
    "id": of_id,
    "buyer_id": partner("buyer"),
    "traffic_source_id": partner("traffic_source"),
    "offer_id": partner("offer"),
    "no_buyer": yes_or_no("no_buyer", [], lambda call: call.buyer is None),
    "buyer_converted": yes_or_no("buyer_converted", ["buyer_converted"], lambda call: call.state["buyer_converted"]),
    "offer_converted": yes_or_no("offer_converted", ["offer_converted"], lambda call: call.state["offer_converted"]),
    "either_converted": yes_or_no(
        "either_converted",
        ["buyer_converted", "offer_converted"],
        lambda call: call.state["buyer_converted"] or call.state["offer_converted"],
    ),
    "in_progress": yes_or_no("in_progress", [], is_live),
    "status": of_status,
    "fulltext": of_text,
    "token_key": lambda _stock, _zone: st.sampled_from(TOKEN_KEYS),
    "token_value": lambda _stock, _zone: st.sampled_from(TOKEN_VALUES),
}
"""How each filter is made."""


def _zone_of(zone: ZoneInfo) -> Filter:
    name = next(name for name, each in ZONES.items() if each is zone)
    return Filter({} if name is None else {"time_zone": name}, lambda _: True)


@st.composite
def together(draw: st.DrawFn, stock: Stock, names: Iterable[str] = MAKES, zone: ZoneInfo | None = None) -> list[Filter]:
    """Filters that stand in one query, and the time zone of them all."""
    chosen = draw(st.sampled_from([*ZONES.values()])) if zone is None else zone
    asked_for = draw(st.lists(st.sampled_from(sorted({*names} - {"time_zone"})), max_size=3, unique=True))
    return [draw(MAKES[name](stock, chosen)) for name in ("time_zone", *asked_for)]


def asked(filters: Sequence[Filter]) -> dict[str, Any]:
    return {name: value for each in filters for name, value in each.query.items()}


def may_read(reader: Reader, attributes: frozenset[str]) -> bool:
    """Whether he may read each of these attributes of some call."""
    return reader.reads is None or all(any(name in reads for reads in reader.reads.values()) for name in attributes)
