"""Calls: the list with its filters, the same as a file, one call with all that happened to it, adjusting by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast

from starlette.responses import Response, StreamingResponse

from ringback.console import call_columns, call_filters, told
from ringback.console.call_columns import WORTH
from ringback.console.delivery_words import STATES
from ringback.console.pages import Need, Page, Visit, field_errors, go, render
from ringback.domain.attributes import CONTACT_FIELDS, Scalar
from ringback.domain.calls import Call
from ringback.domain.deliveries import sentence
from ringback.domain.errors import Refusal
from ringback.domain.template_tokens import call_values
from ringback.domain.templates import spelled
from ringback.domain.token_choices import list_choices
from ringback.services import adjustments, exports, seen_calls
from ringback.services.adjustments import ADJUSTABLE, REASON_LENGTH
from ringback.services.seen_calls import Event, Line
from ringback.store import delivery_search, waiting
from ringback.store.call_search import Place
from ringback.store.delivery_search import Listed as Delivery
from ringback.store.receipt_search import Listed as Receipt
from ringback.store.walks import LOOKED_AT

PAGE_LENGTH = 50
DELIVERIES_SHOWN = 100
"""How many of the newest deliveries the page of a call shows."""

_OF_ONE = frozenset({"trigger", "postback", "delivery_id"})
"""Template tokens that are no values of a call, but of one delivery."""

_LONGEST_PLACE = 18
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Told:
    """An event of a call in words: a receipt, changes, or a delivery."""

    at: datetime
    result: tuple[str, str]
    glance: str
    changes: Sequence[told.Changed] = ()
    receipt: Receipt | None = None
    delivery: Delivery | None = None


def list_calls(visit: Visit) -> Response:
    """The calls that the visitor sees, newest first, and what all of the filter come to."""
    columns = call_columns.read(visit)
    filters, before = call_filters.read(visit, columns.given), _read_place(visit.query("before"))
    found = seen_calls.search(visit.tx, visit.actor, filters.wanted, before=before, limit=PAGE_LENGTH)
    older = _write_place(found.older) if found.older else ""
    return render(
        visit,
        "calls/list.html",
        filters=filters,
        found=found,
        lines=found.lines,
        columns=columns,
        total=seen_calls.sum_up(visit.tx, visit.actor, filters.wanted),
        looked_at=LOOKED_AT,
        partners=call_filters.PARTNERS,
        offered=call_filters.offered(visit),
        may_filter_converted=call_filters.may_filter_converted(visit),
        most=exports.MOST,
        is_first=before is None,
        next_url=visit.url(f"/calls{filters.query(before=older)}") if older else "",
    )


def export(visit: Visit) -> Response:
    """The calls of a filter as a file, read while it is sent."""
    filters = call_filters.read(visit, {})
    seen_calls.search(visit.tx, visit.actor, filters.wanted, limit=1)
    file = exports.write_calls(visit.tools.database, visit.actor, filters.wanted, visit.here.time_zone)
    name = f"calls-{visit.here.subdomain}-{visit.tools.now():%Y-%m-%d}.csv"
    return StreamingResponse(
        file, media_type="text/csv; charset=utf-8", headers={"content-disposition": f'attachment; filename="{name}"'}
    )


def show(visit: Visit) -> Response:
    """One call."""
    return _page(visit, _find(visit))


def adjust(visit: Visit) -> Response:
    """Change by hand what a call is worth."""
    line = _find(visit)
    typed = {attribute.name: visit.text(attribute.name) for attribute in ADJUSTABLE}
    try:
        outcome = adjustments.adjust(visit.tx, visit.acting, line.call, typed, visit.text("reason"))
    except Refusal as refusal:
        return _page(visit, line, refusal)
    url = visit.url(f"/calls/{line.call.uuid}")
    if outcome.applied is None or not outcome.applied.changes:
        return go(url, "The call had these values already; nothing had to change.", "warning")
    return go(url, "Adjusted.")


def _page(visit: Visit, line: Line, refusal: Refusal | None = None) -> Response:
    call, timeline = line.call, seen_calls.timeline(visit.tx, visit.actor, line)
    waits = [] if visit.is_member_only else waiting.list_waiting(visit.tx, visit.here.id, call_uuid=call.uuid)
    sent = delivery_search.Page([])
    if not visit.is_member_only:
        wanted = delivery_search.Wanted(call_uuid=call.uuid)
        sent = delivery_search.list_page(visit.tx, visit.here.id, wanted, limit=DELIVERIES_SHOWN)
    return render(
        visit,
        "calls/show.html",
        status=200 if refusal is None else refusal.code.status,
        call=call,
        worth=[(each, call.state[each.name]) for each in WORTH if each.name in line.readable],
        contact=call.state[CONTACT_FIELDS.name] if CONTACT_FIELDS.name in line.readable else None,
        events=sorted(
            [*map(_sent, sent.lines), *(_told(event, line) for event in timeline.events)],
            key=lambda each: each.at,
            reverse=True,
        ),
        is_cut=timeline.is_cut,
        has_more_deliveries=len(sent.lines) == DELIVERIES_SHOWN,
        tokens=[] if visit.is_member_only else _tokens(visit, call),
        waits=waits,
        reason_length=REASON_LENGTH,
        errors={} if refusal is None else field_errors(refusal),
    )


def _told(event: Event, line: Line) -> Told:
    listed = event.receipt
    if listed is None:
        return Told(event.at, ("changed", "green"), "", told.would_change(event.changes))
    made = told.changes(listed.changed, line.readable)
    glance = told.glance(listed.result, listed.code, listed.decided, made)
    return Told(event.at, told.RESULTS[listed.result], glance, made, receipt=listed)


def _sent(delivery: Delivery) -> Told:
    reason = sentence(delivery.code, delivery.details)
    return Told(delivery.created_at, STATES[delivery.state], reason, delivery=delivery)


def _tokens(visit: Visit, call: Call) -> list[tuple[str, str, str]]:
    """What templates can name of a call: each token, what it is, and its value; nothing of one delivery alone."""
    values = call_values(
        call, subdomain=visit.here.subdomain, account=visit.here.name, trigger="", postback="", delivery_id=""
    )
    choices = list_choices(cast("Mapping[str, Scalar]", call.state[CONTACT_FIELDS.name]))
    return [(each.written, each.label, spelled(values.get(each.key))) for each in choices if each.key not in _OF_ONE]


def _find(visit: Visit) -> Line:
    return seen_calls.see(visit.tx, visit.actor, str(visit.request.path_params["uuid"]))


def _write_place(place: Place) -> str:
    return f"{(place[0] - _EPOCH) // timedelta(microseconds=1)}-{place[1]}"


def _read_place(text: str) -> Place | None:
    micros, _, number = text.partition("-")
    if not all(part.isascii() and part.isdigit() and len(part) <= _LONGEST_PLACE for part in (micros, number)):
        return None
    try:
        return _EPOCH + timedelta(microseconds=int(micros)), int(number)
    except OverflowError:
        return None


PAGES = (
    Page("GET", "/a/{account}/calls", list_calls, Need.MEMBER),
    Page("GET", "/a/{account}/calls.csv", export, Need.MEMBER),
    Page("GET", "/a/{account}/calls/{uuid:uuid}", show, Need.MEMBER),
    Page("POST", "/a/{account}/calls/{uuid:uuid}", adjust, Need.MANAGER),
)
