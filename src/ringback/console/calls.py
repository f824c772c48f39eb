"""Calls: the list with its filters, the same as a file, one call with all that happened to it, adjusting by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from starlette.responses import Response, StreamingResponse

from ringback.console import call_filters, told
from ringback.console.pages import Need, Page, Visit, field_errors, go, render
from ringback.domain.attributes import BUYER_CONVERTED, CONTACT_FIELDS, OFFER_CONVERTED, PAYOUT, REVENUE
from ringback.domain.calls import Call
from ringback.domain.errors import Refusal
from ringback.services import adjustments, exports, seen_calls
from ringback.services.adjustments import ADJUSTABLE, REASON_LENGTH
from ringback.services.seen_calls import Event, Line
from ringback.store import waiting
from ringback.store.call_search import Place

PAGE_LENGTH = 50
WORTH = (BUYER_CONVERTED, REVENUE, OFFER_CONVERTED, PAYOUT)
"""The attributes that have a column in the list, in its order."""

_LONGEST_PLACE = 18
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Told:
    """An event of a call in words."""

    event: Event
    result: tuple[str, str]
    changes: Sequence[told.Changed]
    glance: str


def list_calls(visit: Visit) -> Response:
    """The calls that the visitor sees, newest first."""
    filters, before = call_filters.read(visit), _read_place(visit.query("before"))
    lines = seen_calls.search(visit.tx, visit.actor, filters.wanted, before=before, limit=PAGE_LENGTH + 1)
    shown = lines[:PAGE_LENGTH]
    older = _write_place(shown[-1].call) if len(lines) > PAGE_LENGTH else ""
    readable = seen_calls.readable(visit.actor)
    return render(
        visit,
        "calls/list.html",
        filters=filters,
        lines=shown,
        columns=[attribute for attribute in WORTH if attribute.name in readable],
        partners=call_filters.PARTNERS,
        offered=call_filters.offered(visit),
        may_filter_converted=call_filters.may_filter_converted(visit),
        most=exports.MOST,
        is_first=before is None,
        next_url=visit.url(f"/calls{filters.query(before=older)}") if older else "",
    )


def export(visit: Visit) -> Response:
    """The calls of a filter as a file, read while it is sent."""
    filters = call_filters.read(visit)
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
    return render(
        visit,
        "calls/show.html",
        status=200 if refusal is None else refusal.code.status,
        call=call,
        worth=[(each, call.state[each.name]) for each in WORTH if each.name in line.readable],
        contact=call.state[CONTACT_FIELDS.name] if CONTACT_FIELDS.name in line.readable else None,
        events=[_told(event, line) for event in timeline.events],
        is_cut=timeline.is_cut,
        waits=waits,
        reason_length=REASON_LENGTH,
        errors={} if refusal is None else field_errors(refusal),
    )


def _told(event: Event, line: Line) -> Told:
    listed = event.receipt
    if listed is None:
        return Told(event, ("changed", "green"), told.would_change(event.changes), "")
    made = told.changes(listed.changed, line.readable)
    return Told(event, told.RESULTS[listed.result], made, told.glance(listed.result, listed.code, listed.decided, made))


def _find(visit: Visit) -> Line:
    return seen_calls.see(visit.tx, visit.actor, str(visit.request.path_params["uuid"]))


def _write_place(call: Call) -> str:
    return f"{(call.created_at - _EPOCH) // timedelta(microseconds=1)}-{call.number}"


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
