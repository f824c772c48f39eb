"""What the sender of an update is told: the envelope of RECEIVING ("Answering") and the call object in it.

Nothing is told that the caller may not read: values, changes and effects are cut to his readable attributes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import cast
from zoneinfo import ZoneInfo

from ringback.domain.access import EVERY_ATTRIBUTE, PermissionDenied
from ringback.domain.attributes import ATTRIBUTES, BY_NAME, REVENUE, TEXTS, Attribute, Kind, Value
from ringback.domain.calls import Call, Change, Partner
from ringback.domain.errors import Refusal
from ringback.domain.money import format_amount
from ringback.domain.receipts import Json, Outcome, moved_document


def answer(outcome: Outcome) -> tuple[int, Json]:
    """The HTTP status and the JSON document that answer an update."""
    if outcome.replay is not None:
        return int(cast("int", outcome.replay["status"])), outcome.replay
    if outcome.refusal is not None:
        return _refused(outcome, outcome.refusal)
    document: dict[str, object] = {
        "status": outcome.code_status,
        "success": True,
        "code": outcome.code,
        "errors": {},
        "call": call_object(outcome.call, outcome.decision.readable, outcome.time_zone) if outcome.call else None,
        **_changed(outcome),
        **_told(outcome),
        "metadata": {"root": "call"},
    }
    return outcome.code_status, document


def refusal_document(refusal: Refusal) -> dict[str, object]:
    """The answer to a request that can't be done, without what only a known sender is told."""
    errors = {problem.field: problem.message.removeprefix(f"{problem.field}: ") for problem in refusal.problems}
    document: dict[str, object] = {
        "status": refusal.code.status,
        "success": False,
        "code": refusal.code.name,
        "errors": errors or {"base": refusal.title},
        "message": refusal.title,
        "hint": refusal.hint,
    }
    if refusal.problems:
        document["codes"] = {problem.field: problem.code for problem in refusal.problems}
    if isinstance(refusal, PermissionDenied):
        labels = [BY_NAME[right.attribute].label for right in refusal.missing]
        document["errors"] = {
            BY_NAME[right.attribute].sets[0]: f"{label}: the team {right.team} lacks the right Update."
            for right, label in zip(refusal.missing, labels, strict=True)
        }
        document["missing_permissions"] = [
            {"attribute": label, "right": "update", "team": right.team, "grant_at": f"/company/teams/{right.team_id}"}
            for right, label in zip(refusal.missing, labels, strict=True)
        ]
    return document


def _refused(outcome: Outcome, refusal: Refusal) -> tuple[int, Json]:
    document = refusal_document(refusal)
    document["changed"] = {}
    document["unchanged"] = []
    if outcome.principal is not None:
        document |= _told(outcome)
    if outcome.waits_until is not None:
        document["held_until"] = until = iso(outcome.waits_until, outcome.time_zone)
        if held := refusal.code.ways.get("held"):
            document["hint"] = held.format(until=until)
    document["metadata"] = {"root": "call"}
    return refusal.code.status, document


def _told(outcome: Outcome) -> dict[str, object]:
    """What answers of both shapes tell a known sender."""
    reading = outcome.update.reading
    document: dict[str, object] = {
        "ignored": list(reading.ignored),
        "warnings": [
            {"code": warned.code, "message": warned.message}
            for warned in outcome.all_warnings
            if is_told(warned.code, outcome.decision.readable)
        ],
        "receipt_id": outcome.update.receipt_id,
    }
    if reading.dry_run:
        document["dry_run"] = True
        document["verdicts"] = {name: verdict.value for name, verdict in outcome.decision.verdicts.items()}
    return document


def is_told(warning: str, readable: frozenset[str]) -> bool:
    """Whether a warning may be told to somebody who reads these attributes."""
    return _TELLS_OF.get(warning) in (None, *readable)


_TELLS_OF: Mapping[str, str] = {"payout_needs_revenue": REVENUE.name}
"""The warnings that tell something of a value, and the attribute whose value it is."""


def _changed(outcome: Outcome) -> dict[str, object]:
    applied, readable = outcome.applied, outcome.decision.readable
    changes = applied.changes if applied else ()
    unchanged = applied.unchanged if applied else ()
    moved = {str(name): {"from": before, "to": after} for name, before, after, _ in moved_document(outcome)}
    return {
        "changed": moved | {change.name: _from_to(change) for change in changes if change.attribute in readable},
        "unchanged": [name for name in unchanged if name in readable or name not in EVERY_ATTRIBUTE],
    }


def _from_to(change: Change) -> dict[str, object]:
    told: dict[str, object] = {"from": _shown(change.before), "to": _shown(change.after)}
    if change.origin.value != "update":
        told["origin"] = change.origin.value
    return told


def _shown(value: object) -> object:
    return format_amount(value) if isinstance(value, Decimal) else value


def call_object(call: Call, readable: frozenset[str], time_zone: str) -> dict[str, object]:
    """The call under TrackDrive's column names, and under ours where those differ (reference, 2.5 and 2.6)."""
    document: dict[str, object] = {
        "id": call.number,
        "uuid": call.uuid,
        "created_at": iso(call.created_at, time_zone),
        "updated_at": iso(call.updated_at, time_zone),
        "ended_at": iso(call.ended_at, time_zone) if call.ended_at else None,
        "caller_number": call.caller_number,
        "status": call.status,
        "total_duration": call.total_duration,
        "answered_duration": call.answered_duration,
        "hangup_cause": call.hangup_cause,
        "hangup_reason": call.hangup_cause,
        **_partner("buyer", call.buyer),
        **_partner("traffic_source", call.traffic_source),
        **_partner("offer", call.offer),
    }
    for attribute, texts in _readable(readable):
        value = getattr(call, attribute.name) if texts else _column(attribute, call.state[attribute.name])
        for name in attribute.reads:
            document[name] = value
    return document


@lru_cache(maxsize=512)
def _readable(readable: frozenset[str]) -> tuple[tuple[Attribute, bool], ...]:
    """The attributes among these that have columns, and whether they are texts, which are kept beside the state."""
    return tuple((each, each in TEXTS) for each in (*ATTRIBUTES, *TEXTS) if each.name in readable)


def call_columns(readable: frozenset[str]) -> tuple[str, ...]:
    """The names in the object of a call, in their order, for somebody who reads these attributes."""
    partners = (name for noun in _PARTNERS for name in _partner(noun, None))
    worth = (name for attribute, _ in _readable(readable) for name in attribute.reads)
    return (*_OWN, *partners, *worth)


_OWN = (
    "id",
    "uuid",
    "created_at",
    "updated_at",
    "ended_at",
    "caller_number",
    "status",
    "total_duration",
    "answered_duration",
    "hangup_cause",
    "hangup_reason",
)
_PARTNERS = {noun: (noun, f"{noun}_id", f"user_{noun}_id") for noun in ("buyer", "traffic_source", "offer")}
_NOBODY = {noun: dict.fromkeys(names) for noun, names in _PARTNERS.items()}


def _partner(noun: str, partner: Partner | None) -> Mapping[str, object]:
    """A partner's name, its number, and the id that the account gave it."""
    if partner is None:
        return _NOBODY[noun]
    name, number, own = _PARTNERS[noun]
    return {name: partner.name, number: partner.id, own: partner.external_id}


def _column(attribute: Attribute, value: Value) -> object:
    if attribute.kind is Kind.BOOLEAN:
        return "Converted" if value else None
    if attribute.kind is Kind.MONEY:
        return None if value is None else format_amount(cast("Decimal", value))
    return dict(cast("Mapping[str, object]", value))


@lru_cache(maxsize=1024)
def iso(moment: datetime, time_zone: str) -> str:
    """A time as TrackDrive writes it: ISO 8601 with milliseconds and the offset of the account's time zone."""
    return moment.astimezone(_zone(time_zone)).isoformat(timespec="milliseconds")


@lru_cache(maxsize=512)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
