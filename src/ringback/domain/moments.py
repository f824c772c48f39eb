"""Times as clients of a list write them, and the words that TrackDrive has for spans of time."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from ringback.domain.names import UnfitError, read_time_zone
from ringback.domain.periods import day_start

YEARS = range(1970, 9999)
"""The years that a time may lie in: 0001-01-01 is how many programs write that there is none."""

_DAY = timedelta(days=1)
_TIME = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{1,2}-[0-9]{1,2})"
    r"(?:(?:T|\s+)(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,](?P<part>[0-9]{1,9}))?)?)?"
    r"\s*?(?P<zone>Z|UTC|GMT|[+\s-][0-9]{2}(?::?[0-9]{2})?)?",
    re.ASCII | re.IGNORECASE,
)
_NAMED_ZONES = {
    **dict.fromkeys(("utc", "gmt"), "UTC"),
    "eastern time (us & canada)": "America/New_York",
    "central time (us & canada)": "America/Chicago",
    "mountain time (us & canada)": "America/Denver",
    "pacific time (us & canada)": "America/Los_Angeles",
    "indiana (east)": "America/Indiana/Indianapolis",
    "arizona": "America/Phoenix",
    "alaska": "America/Anchorage",
    "hawaii": "Pacific/Honolulu",
}


@dataclass(frozen=True, slots=True)
class Span:
    """From when on, and before when; None where it has no end."""

    since: datetime | None = None
    until: datetime | None = None

    def within(self, other: Span) -> Span:
        """What lies in both."""
        begins = [each for each in (self.since, other.since) if each is not None]
        ends = [each for each in (self.until, other.until) if each is not None]
        return Span(max(begins, default=None), min(ends, default=None))


def read_span(text: str, zone: ZoneInfo) -> Span | None:
    """The day, minute, second or part of one that a text names; None if it names none.

    Its own offset goes before ``zone``; a ``+`` that became a space in a query string is still one.
    """
    found = _TIME.fullmatch(text.strip())
    begin = found and _begin(found)
    if found is None or begin is None:
        return None
    since = in_zone(begin, zone)
    return Span(since, in_zone(begin + _DAY, zone) if found["hour"] is None else since + _unit(found))


def read_begin(text: str) -> datetime | None:
    """When that begins which a text names, without an offset if it names none; None if it names no time."""
    found = _TIME.fullmatch(text.strip())
    return found and _begin(found)


def in_zone(moment: datetime, zone: ZoneInfo) -> datetime:
    """A time in UTC; one without an offset is what a clock of the zone shows."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


def read_zone(text: str) -> ZoneInfo | None:
    """The time zone of a name, IANA's or one of Rails'; None if there is none."""
    try:
        return ZoneInfo(read_time_zone(_NAMED_ZONES.get(text.lower(), text)))
    except UnfitError:
        return None


def read_label(text: str, now: datetime, zone: ZoneInfo) -> Span | None:
    """The span that a label means at this time; None if there is no such label."""
    key = " ".join(text.replace("_", " ").lower().split())
    if key in _AGO:
        return Span(now - _AGO[key])
    today = now.astimezone(zone).date()
    if key in _DAYS:
        first, last = _DAYS[key](today)
        return Span(day_start(first, zone), day_start(last + _DAY, zone))
    return Span() if key in {"lifetime", "custom range"} else None


def week_start(day: date) -> date:
    """The Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def months_before(day: date, months: int) -> date:
    """The same day so many months before, or the last one of that month."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _begin(found: re.Match[str]) -> datetime | None:
    year, month, day = map(int, found["day"].split("-"))
    hour, minute, second = (int(found[name] or 0) for name in ("hour", "minute", "second"))
    micros = int((found["part"] or "0").ljust(6, "0")[:6])
    try:
        begin = datetime(year, month, day, hour, minute, second, micros, _zone(found["zone"]))
    except ValueError:
        return None
    return begin if year in YEARS else None


def _unit(found: re.Match[str]) -> timedelta:
    if found["second"] is None:
        return timedelta(minutes=1)
    return timedelta(seconds=1) if found["part"] is None else timedelta(microseconds=1)


def _zone(text: str | None) -> timezone | None:
    if not text:
        return None
    if text.upper() in {"Z", "UTC", "GMT"}:
        return UTC
    sign, digits = -1 if text[0] == "-" else 1, text[1:].replace(":", "").ljust(4, "0")
    return timezone(sign * timedelta(hours=int(digits[:2]), minutes=int(digits[2:])))


def _month_start(day: date) -> date:
    return day.replace(day=1)


def _quarter_start(day: date) -> date:
    return date(day.year, day.month - (day.month - 1) % 3, 1)


def _last(start: Callable[[date], date]) -> Callable[[date], tuple[date, date]]:
    """The span before the one that a day lies in."""

    def last(day: date) -> tuple[date, date]:
        end = start(day) - _DAY
        return start(end), end

    return last


def _year_start(day: date) -> date:
    return date(day.year, 1, 1)


_AGO: Mapping[str, timedelta] = {
    **{f"last {minutes} min": timedelta(minutes=minutes) for minutes in (5, 15, 30)},
    "last hour": timedelta(hours=1),
    **{f"last {hours} hours": timedelta(hours=hours) for hours in (4, 6, 12)},
    "last day": timedelta(days=1),
    "last 2 days": timedelta(days=2),
}
_DAYS: Mapping[str, Callable[[date], tuple[date, date]]] = {
    "today": lambda day: (day, day),
    "yesterday": lambda day: (day - _DAY, day - _DAY),
    "this week": lambda day: (week_start(day), day),
    "last week": _last(week_start),
    "this month": lambda day: (_month_start(day), day),
    "last month": _last(_month_start),
    "this quarter": lambda day: (_quarter_start(day), day),
    "last quarter": _last(_quarter_start),
    "last 6 months": lambda day: (months_before(day, 6), day),
    "this year": lambda day: (_year_start(day), day),
    "last year": _last(_year_start),
}

LABELS = tuple(name.title() for name in (*_AGO, *_DAYS, "lifetime", "custom range"))
"""The labels that there are."""
