"""What happened to a call, under TrackDrive's names: events, and lines of a log."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from html import escape
from typing import Any

from ringback.domain.access import EVERY_ATTRIBUTE
from ringback.domain.answers import iso
from ringback.domain.attributes import BY_NAME
from ringback.domain.calls import Change, Partner
from ringback.domain.deliveries import State, sentence
from ringback.domain.errors import CODES
from ringback.domain.explanations import changed, resent
from ringback.domain.money import format_amount
from ringback.domain.receipts import Json
from ringback.services.call_events import Told
from ringback.services.seen_calls import Event
from ringback.store.delivery_search import Listed as Delivery
from ringback.store.receipt_search import Listed as Receipt

Row = Sequence[Any]
"""A change as receipts keep it: its name, from what, to what, and where it came from."""

_FAILURES = 400
_LEVELS = {State.DELIVERED: "success", State.FAILED: "danger", State.HELD: "warning", State.RETRYING: "warning"}


def events_object(told: Told) -> Json:
    """A call with what happened to it, newest first."""
    call, zone = told.line.call, told.time_zone
    found = [*((event.at, _event(event, told)) for event in told.events)]
    found += [(delivery.created_at, _delivery(delivery, told)) for delivery in told.deliveries]
    return {
        "id": call.number,
        "uuid": call.uuid,
        "created_at": iso(call.created_at, zone),
        "events": [document for _, document in sorted(found, key=lambda each: each[0], reverse=True)],
    }


def log_lines(told: Told) -> list[Json]:
    """What happened to a call in sentences, newest first; in HTML as TrackDrive's, with no element in it."""
    found: list[tuple[datetime, str, str]] = [(event.at, *_said(event, told.line.readable)) for event in told.events]
    for each in told.deliveries:
        why = sentence(each.code, each.details) if each.code else ""
        message = f"Delivery of {each.postback} to {each.host}: {each.state.value}. {why}".strip()
        found.append((each.created_at, message, _LEVELS.get(each.state, "info")))
    return [
        {"created_at": iso(at, told.time_zone), "level": level, "message": escape(message, quote=False)}
        for at, message, level in sorted(found, key=lambda each: each[0], reverse=True)
    ]


def _event(event: Event, told: Told) -> Json:
    zone, listed = told.time_zone, event.receipt
    if listed is None:
        return {"type": "CallChange", "created_at": iso(event.at, zone), "diff": _diff(_rows(event.changes))}
    came = told.came[listed.id]
    return {
        "type": "AuditLog",
        "id": listed.id,
        "created_at": iso(listed.decided_at, zone),
        "received_at": iso(listed.received_at, zone),
        "email": listed.user,
        "request_method": came.method or None,
        "request_path": came.path or None,
        "request_ip": came.ip or None,
        "response_status": CODES[listed.code].status,
        "code": listed.code,
        "dry_run": listed.dry_run,
        "diff": _diff(_readable(listed, told.line.readable)),
    }


def _delivery(delivery: Delivery, told: Told) -> Json:
    zone = told.time_zone
    sent, tried = told.sent.get(delivery.id), told.tried.get(delivery.id)
    return {
        "type": "WebhookLog",
        "id": delivery.id,
        "created_at": iso(delivery.created_at, zone),
        "owner_type": "OutgoingWebhook",
        "owner_id": delivery.postback_id,
        "name": delivery.postback,
        "trigger_type": delivery.trigger,
        "request_method": sent and sent.method,
        "request_url": sent and sent.url,
        "state": delivery.state.value,
        "attempts": delivery.attempts,
        "code": tried and tried.status,
        "started_at": iso(tried.started_at, zone) if tried else None,
        "finished_at": iso(delivery.ended_at, zone) if delivery.ended_at else None,
    }


def _said(event: Event, readable: frozenset[str]) -> tuple[str, str]:
    """An event in a sentence, and how serious it is."""
    listed = event.receipt
    if listed is None:
        return " ".join(changed(_rows(event.changes))), "info"
    code = CODES[listed.code]
    made = [row for row in _readable(listed, readable) if row[0].partition(".")[0] in BY_NAME]
    if code.status >= _FAILURES:
        return f"{listed.user}: refused, {listed.code}.", "danger"
    rehearsed = "a dry run: " if listed.dry_run else ""
    said = "; ".join(changed(made)) if made else resent(listed.decided) or code.title
    return f"{listed.user}: {rehearsed}{said}", "success" if made else "info"


def _readable(listed: Receipt, readable: frozenset[str]) -> list[Row]:
    """What an update changed, of that which may be read."""
    names = ((row, row[0].partition(".")[0]) for row in listed.changed)
    return [row for row, name in names if name in readable or name not in EVERY_ATTRIBUTE]


def _rows(changes: Iterable[Change]) -> list[Row]:
    return [(each.name, _plain(each.before), _plain(each.after), each.origin.value) for each in changes]


def _diff(rows: Iterable[Row]) -> Json:
    return {name: [before, after] for name, before, after, *_ in rows}


def _plain(value: object) -> object:
    if isinstance(value, Partner):
        return value.name
    return format_amount(value) if isinstance(value, Decimal) else value
