"""How a call went, beside what it is worth: its status, its durations, when and why it ended."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from ringback.domain.bodies import Fields
from ringback.domain.bodies import Value as Raw
from ringback.domain.errors import Problem
from ringback.domain.masking import mask_keys
from ringback.domain.moments import YEARS, in_zone, read_begin
from ringback.domain.unreplaced import find_unreplaced
from ringback.domain.updates import UNSTORABLE, Reading, Understood

Detail = str | int | datetime

LONGEST_DURATION = 2**31 - 1
"""Seconds."""

LONGEST_TEXT = 100

STATUSES = frozenset(
    """
    added-to-schedule blocked busy caller-hung-up caller-hung-up-while-ringing-buyer calling-leads canceled cancelled
    established failed finished forwarded hold-queue-no-buyer hold-queue-waited-too-long initiated invalid-number
    ivr-hung-up hold-queue-hung-up ivr-no-keypress left-voicemail no-answer no-answer-convert-on-attempt no-buyer
    no-buyer-all-filtered no-buyer-prevent-dupes no-route-to-destination not-open on-hold opt-out rejected
    rejected-caller-concurrency-exceeded rejected-ivr-hang-up rejected-no-concurrency-cap-available
    rejected-traffic-source-capped-hang-up voicemail voicemail-detected waiting
    """.split()  # noqa: SIM905 - they read better as words
)
"""TrackDrive's words for the state of a call; an account may use others."""

_SECONDS = re.compile(r"[0-9]{1,10}")
_APART = re.compile(r"[\s_-]+")


class Details(Struct):
    """What is said of how a call went, and what is wrong with it."""

    values: dict[str, Detail] = {}
    problems: list[Problem] = []


def read_details(values: Mapping[str, Raw]) -> Details:
    """Understand what is named of how a call went; what is blank is left alone."""
    details = Details()
    for name, (read, form) in _READERS.items():
        raw = values.get(name)
        if is_blank(raw):
            continue
        if not isinstance(raw, str) or find_unreplaced(raw) or UNSTORABLE.search(raw):
            details.problems.append(bad(name, raw))
        elif (value := read(mask_keys(raw.strip()))) is None:
            details.problems.append(invalid(name, form))
        else:
            details.values[name] = value
    return details


def located(details: Mapping[str, Detail], zone: ZoneInfo) -> dict[str, Detail]:
    """The same, with times that were named without an offset as a clock of the zone shows them."""
    return {name: in_zone(each, zone) if isinstance(each, datetime) else each for name, each in details.items()}


def take_details(reading: Reading) -> tuple[Reading, Mapping[str, Detail]]:
    """A reading of somebody who may say how calls went, and what he says of it; its names are not unknown then."""
    unknown = reading.unknown
    named = [] if unknown is None else [name for name in unknown.values if name in NAMES]
    if unknown is None or not named:
        return reading, {}
    details = read_details(unknown.values)
    rest = {name: raw for name, raw in unknown.values.items() if name not in NAMES}
    read = replace(
        reading,
        trail=(*reading.trail, *(Understood(name, unknown.sources.get(name, "body"), "detail") for name in named)),
        ignored=tuple(name for name in reading.ignored if name not in NAMES),
        problems=(*reading.problems, *details.problems),
        unknown=Fields(rest, unknown.sources, unknown.notes) if rest else None,
    )
    return read, details.values


def read_moment(text: str) -> datetime | None:
    """The time that a text means: ISO 8601, or as filters of lists read it; None if it can't be meant or read.

    It has no offset where the text names none: which zone is meant depends on the account.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return read_begin(text)
    return moment if moment.year in YEARS else None


def read_status(text: str) -> str:
    """A status as it is kept: TrackDrive's words as TrackDrive writes them, others as they were sent."""
    word = _APART.sub("-", text.lower())
    return word if word in STATUSES else text[:LONGEST_TEXT]


def status_key(text: str) -> str:
    """What two spellings of one status have in common."""
    return _APART.sub("-", text.strip().casefold())


def is_blank(raw: Raw) -> bool:
    """Whether nothing was sent under a name."""
    return raw is None or (isinstance(raw, str) and not raw.strip())


def invalid(name: str, form: str) -> Problem:
    """That a value doesn't have its form."""
    return Problem(name, "invalid_value", {"reason": f"{name} must be {form}"})


def bad(name: str, raw: Raw) -> Problem:
    """That a value is no plain text."""
    token = find_unreplaced(raw) if isinstance(raw, str) else None
    if token is None:
        return invalid(name, "plain text")
    return Problem(name, "unreplaced_token", {"value": mask_keys(token.text), "platform": f"of {token.platform} "})


def _duration(text: str) -> int | None:
    found = _SECONDS.fullmatch(text)
    return int(found[0]) if found and int(found[0]) <= LONGEST_DURATION else None


_READERS: Mapping[str, tuple[Callable[[str], Detail | None], str]] = {
    "status": (read_status, "text"),
    "total_duration": (_duration, "whole seconds"),
    "answered_duration": (_duration, "whole seconds"),
    "ended_at": (read_moment, "a time such as 2026-05-01T12:30:00+00:00"),
    "hangup_cause": (lambda text: text[:LONGEST_TEXT], "text"),
}
NAMES = frozenset(_READERS)
"""The names under which it is said how a call went."""
