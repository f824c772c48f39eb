"""The recording of a call, as it is reported to us: Ringback is no telephone switch."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from ringback.domain.bodies import Fields
from ringback.domain.bodies import Value as Raw
from ringback.domain.decisions import read_uuid
from ringback.domain.errors import Problem
from ringback.domain.unreplaced import find_unreplaced
from ringback.domain.updates import UNSTORABLE, Reading, keep_unknown, read_patch

PARTNERS: Mapping[str, str] = {
    "buyer": "buyer",
    "buyer_id": "buyer",
    "traffic_source": "traffic_source",
    "traffic_source_id": "traffic_source",
    "offer": "offer",
    "offer_id": "offer",
}
"""The names that refer to a partner, by number, UUID or name."""

_DURATIONS = frozenset({"total_duration", "answered_duration"})
_MOMENTS = frozenset({"ended_at"})
_TEXTS = frozenset({"caller_number", "uuid", "status"})
_SECONDS = re.compile(r"[0-9]{1,10}")
NAMES = frozenset(PARTNERS) | _DURATIONS | _MOMENTS | _TEXTS
"""The names of a recording that are neither attributes nor template token values."""

LONGEST_DURATION = 2**31 - 1
"""Seconds."""

_YEARS = range(1970, 9999)
"""Of moments that are meant: 0001-01-01 is how many programs write that there is none."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A call as it was reported. ``details`` are what is named of its state, ``partners`` who is named, by noun."""

    reading: Reading
    uuid: str | None = None
    caller_number: str | None = None
    partners: Mapping[str, str] = field(default_factory=dict)
    details: Mapping[str, str | int | datetime] = field(default_factory=dict)


def read_recording(fields: Fields, *, keys: Mapping[str, str], dry_run: str | None) -> Recording:
    """Understand a recording; names that are not its own are template token values, kept as contact fields."""
    own = {name: raw for name, raw in fields.values.items() if name in NAMES and not _is_blank(raw)}
    rest = {name: raw for name, raw in fields.values.items() if name not in NAMES}
    reading = keep_unknown(read_patch(Fields(rest, fields.sources, fields.notes), keys=keys, dry_run=dry_run))
    problems: list[Problem] = []
    partners: dict[str, str] = {}
    details: dict[str, str | int | datetime] = {}
    texts: dict[str, str] = {}
    for name, raw in own.items():
        if not isinstance(raw, str) or find_unreplaced(raw) or UNSTORABLE.search(raw):
            problems.append(_bad(name, raw))
        elif name in PARTNERS:
            noun, value = PARTNERS[name], raw.strip()
            if partners.setdefault(noun, value) != value:
                problems.append(Problem(noun, "conflicting_values", {"first": noun, "second": f"{noun}_id"}))
        elif name in _DURATIONS:
            _put(details, problems, name, _duration(raw), "whole seconds")
        elif name in _MOMENTS:
            _put(details, problems, name, read_moment(raw), "a time such as 2026-05-01T12:30:00+00:00")
        else:
            texts[name] = raw.strip()
    uuid = read_uuid(texts["uuid"]) if "uuid" in texts else None
    if "uuid" in texts and uuid is None:
        problems.append(_invalid("uuid", "a UUID such as 3f2b8c1e-0000-4000-8000-000000000000"))
    if "status" in texts:
        details["status"] = texts["status"][:100]
    reading = replace(reading, problems=(*problems, *reading.problems))
    return Recording(reading, uuid, texts.get("caller_number"), partners, details)


def read_moment(text: str) -> datetime | None:
    """The time that an ISO 8601 text means; UTC where it names no zone; None if it can't be meant or read."""
    try:
        moment = datetime.fromisoformat(text.strip().replace(" UTC", "+00:00"))
    except ValueError:
        return None
    if moment.year not in _YEARS:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _is_blank(raw: Raw) -> bool:
    return raw is None or (isinstance(raw, str) and not raw.strip())


def _duration(text: str) -> int | None:
    found = _SECONDS.fullmatch(text.strip())
    return int(found[0]) if found and int(found[0]) <= LONGEST_DURATION else None


def _put(
    details: dict[str, str | int | datetime],
    problems: list[Problem],
    name: str,
    value: int | datetime | None,
    form: str,
) -> None:
    if value is None:
        problems.append(_invalid(name, form))
    else:
        details[name] = value


def _invalid(name: str, form: str) -> Problem:
    return Problem(name, "invalid_value", {"reason": f"{name} must be {form}"})


def _bad(name: str, raw: Raw) -> Problem:
    token = find_unreplaced(raw) if isinstance(raw, str) else None
    if token is None:
        return _invalid(name, "plain text")
    return Problem(name, "unreplaced_token", {"value": token.text, "platform": f"of {token.platform} "})
