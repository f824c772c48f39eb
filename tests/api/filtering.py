"""Filters of lists of calls as clients write them, drawn at random."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, cast

from hypothesis import strategies as st

from ringback.domain.calls import Call
from tests.api.listing import BEGIN, CALLERS, STATUSES, Filter, Reader, Stock


def yes_or_no(name: str, attributes: Sequence[str], holds: Any) -> st.SearchStrategy[Filter]:  # noqa: ANN401
    def make(wanted: bool, word: int) -> Filter:  # noqa: FBT001 - as it is drawn
        text = (("0", "1"), ("false", "true"), ("No", "YES"), ("off", "on"))[word][wanted]
        return Filter({name: text}, lambda call: bool(holds(call)) is wanted, frozenset(attributes))

    return st.builds(make, st.booleans(), st.integers(0, 3))


def is_live(call: Call) -> bool:
    under_way = call.status in {"forwarded", "initiated"}
    return under_way and call.ended_at is None and call.total_duration is None


def times(name: str, value: Any) -> st.SearchStrategy[Filter]:  # noqa: ANN401 - of a call, its time
    """Both ends of a time, as clients write them."""

    def make(minutes: int, is_from: bool, form: int) -> Filter:  # noqa: FBT001
        moment = BEGIN + timedelta(minutes=minutes)
        shifted = moment - timedelta(hours=5)
        text = (
            f"{shifted:%Y-%m-%d %H:%M:%S} -0500",
            f"{moment:%Y-%m-%d %H:%M:%S} UTC",
            f"{moment:%Y-%m-%d %H:%M:%S} +0000",
            f"{moment:%Y-%m-%dT%H:%M:%SZ}",
            f"{moment:%Y-%m-%dT%H:%M:%S.000000+00:00}",
            f"{moment:%Y-%m-%d %H:%M:%S}",
            f"{moment.year}-{moment.month}-{moment.day}",
        )[form]
        begin, unit = moment, timedelta(microseconds=1) if form == 4 else timedelta(seconds=1)
        if form == 6:
            begin, unit = moment.replace(hour=0, minute=0), timedelta(days=1)
        query = {f"{name}_{'from' if is_from else 'to'}": text, "time_zone": "UTC"}

        def holds(call: Call) -> bool:
            at = value(call)
            return at is not None and (at >= begin if is_from else at < begin + unit)

        return Filter(query, holds)

    return st.builds(make, st.integers(0, 60 * 24), st.booleans(), st.integers(0, 6))


def partner(stock: Stock, noun: str) -> st.SearchStrategy[Filter]:
    def make(place: int, form: int) -> Filter:
        one = stock.partners[noun][place]
        text = (one.id, one.uuid, one.external_id, one.name)[form]
        return Filter({f"{noun}_id": text}, lambda call: getattr(call, noun) == one)

    return st.builds(make, st.integers(0, 3), st.integers(0, 3))


def fields(call: Call) -> dict[str, Any]:
    return cast("dict[str, Any]", call.state["contact_fields"])


TOLD = frozenset({"contact_fields"})
TOKENS = (
    Filter({"token_key": "zip"}, lambda call: "zip" in fields(call), TOLD),
    Filter({"token_key": "nothing"}, lambda _: False, TOLD),
    Filter({"token_value": "zip:80903"}, lambda call: fields(call).get("zip") == "80903", TOLD),
    Filter({"token_value": "age:>=40"}, lambda call: fields(call).get("age", 0) >= 40, TOLD),
    Filter({"token_value": "age:<=30"}, lambda call: fields(call).get("age", 99) <= 30, TOLD),
    Filter({"token_value": "zip:!=80903"}, lambda call: fields(call).get("zip") != "80903", TOLD),
)


def some_filter(stock: Stock) -> st.SearchStrategy[Filter]:
    """One filter of any kind."""
    places = st.integers(0, len(stock.calls) - 1)

    def of_id(place: int, form: int) -> Filter:
        one = stock.calls[place]
        return Filter({"id": (one.uuid, one.number, one.uuid.upper())[form]}, lambda call: call.uuid == one.uuid)

    def of_text(place: int) -> Filter:
        one = stock.calls[place]
        return Filter({"fulltext": one.uuid}, lambda call: call.uuid == one.uuid)

    return st.one_of(
        yes_or_no("buyer_converted", ["buyer_converted"], lambda call: call.state["buyer_converted"]),
        yes_or_no("offer_converted", ["offer_converted"], lambda call: call.state["offer_converted"]),
        yes_or_no(
            "either_converted",
            ["buyer_converted", "offer_converted"],
            lambda call: call.state["buyer_converted"] or call.state["offer_converted"],
        ),
        yes_or_no("no_buyer", [], lambda call: call.buyer is None),
        yes_or_no("in_progress", [], is_live),
        times("created_at", lambda call: call.created_at),
        times("ended_at", lambda call: call.ended_at),
        *(partner(stock, noun) for noun in stock.partners),
        st.builds(of_status, st.sampled_from([status for status in STATUSES if status]), st.integers(0, 2)),
        st.sampled_from(TOKENS),
        st.builds(of_id, places, st.integers(0, 2)),
        st.builds(of_text, places),
        st.builds(of_caller, st.sampled_from([caller for caller in CALLERS if caller])),
    )


def of_status(status: str, form: int) -> Filter:
    text = (status.upper(), status.replace("-", " ").title(), status.replace("-", "_"))[form]
    return Filter({"status": text}, lambda call: call.status == status)


def of_caller(caller: str) -> Filter:
    return Filter({"fulltext": caller}, lambda call: call.caller_number == caller)


def together(stock: Stock) -> st.SearchStrategy[list[Filter]]:
    """Filters that can stand in one query: no two have a name in common, but for the time zone."""
    return st.lists(some_filter(stock), max_size=3, unique_by=own_name)


def own_name(filter_: Filter) -> str:
    return next(iter(filter_.query))


def asked(filters: Sequence[Filter]) -> dict[str, Any]:
    return {name: value for each in filters for name, value in each.query.items()}


def may_read(reader: Reader, attributes: frozenset[str]) -> bool:
    """Whether he may read each of these attributes of some call."""
    return reader.reads is None or all(any(name in reads for reads in reader.reads.values()) for name in attributes)
