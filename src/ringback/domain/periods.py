"""Periods of whole days in a time zone, right also where a day has 23 or 25 hours, or a clock skips midnight."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

LONGEST = 366
"""Days that a period has at most."""

DAYS_APART = 92
"""Days that are told one by one; a longer period is told by weeks."""

_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)
_WEEK_DAYS = 7


def day_start(day: date, zone: ZoneInfo) -> datetime:
    """When a day begins."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def read_day(text: str) -> date | None:
    """The day that is meant by a text such as 2026-01-31; None if it can't be read, or a clock can't show it."""
    try:
        day = datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        return None
    return day if _EARLIEST <= day <= _LATEST else None


def read_hour(text: str) -> datetime | None:
    """The moment that is meant by a text such as 2026-01-31T05:45Z: a quarter of an hour; None for any other text."""
    try:
        moment = datetime.strptime(text, _HOUR_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        return None
    return moment if moment.minute % _QUARTER == 0 else None


def write_hour(moment: datetime) -> str:
    """The text that :func:`read_hour` reads."""
    return moment.strftime(_HOUR_FORMAT)


_HOUR_FORMAT = "%Y-%m-%dT%H:%MZ"
_QUARTER = 15
_EARLIEST, _LATEST = date(1970, 1, 2), date(9999, 12, 30)


@dataclass(frozen=True, slots=True)
class Part:
    """An hour, a day or a week of a period; ``first`` and ``last`` are its days, if it has whole ones."""

    since: datetime
    until: datetime
    label: str
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True, slots=True)
class Period:
    """From one day to another, both included."""

    first: date
    last: date
    zone: ZoneInfo

    @property
    def since(self) -> datetime:
        """When it begins."""
        return day_start(self.first, self.zone)

    @property
    def until(self) -> datetime:
        """When it is over."""
        return day_start(self.last + _DAY, self.zone)

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.last - self.first).days + 1

    @property
    def before(self) -> Period:
        """As many days, right before it."""
        return Period(self.first - timedelta(days=self.days), self.first - _DAY, self.zone)

    @property
    def words(self) -> str:
        """Its days in a sentence."""
        return f"on {self.first}" if self.days == 1 else f"from {self.label}"

    @property
    def label(self) -> str:
        """Its first day and its last."""
        return f"{self.first}" if self.days == 1 else f"{self.first} to {self.last}"

    @property
    def unit(self) -> str:
        """The word for one of its parts."""
        if self.days == 1:
            return "hour"
        return "day" if self.days <= DAYS_APART else "week"

    @property
    def parts(self) -> list[Part]:
        """The hours of a single day, the days or the weeks of more; together they are the whole of it."""
        if self.days == 1:
            return self._hours()
        step = 1 if self.days <= DAYS_APART else _WEEK_DAYS
        return [self._days(self.first + timedelta(days=n), step) for n in range(0, self.days, step)]

    def _days(self, first: date, step: int) -> Part:
        last = min(self.last, first + timedelta(days=step - 1))
        label = f"{first}" if step == 1 else f"{first} to {last}"
        return Part(day_start(first, self.zone), day_start(last + _DAY, self.zone), label, first, last)

    def _hours(self) -> list[Part]:
        """Hours as they pass: one that the clock shows twice is there twice, with the name of its time."""
        found: list[Part] = []
        since = self.since
        while since < self.until:
            until = min(since + _HOUR, self.until)
            found.append(Part(since, until, self._hour(since)))
            since = until
        return found

    def _hour(self, moment: datetime) -> str:
        shown = moment.astimezone(self.zone)
        is_twice = shown.replace(fold=0).utcoffset() != shown.replace(fold=1).utcoffset()
        return f"{shown:%H:%M} {shown.tzname()}" if is_twice else f"{shown:%H:%M}"
