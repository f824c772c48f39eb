from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.domain.periods import LONGEST, Period, day_start, read_day

ZONES = ["UTC", "America/New_York", "Australia/Lord_Howe", "America/Havana", "Africa/Cairo", "Asia/Kathmandu"]
days = st.dates(date(2020, 1, 1), date(2030, 12, 31))


def period(first: str, last: str, zone: str = "America/New_York") -> Period:
    return Period(date.fromisoformat(first), date.fromisoformat(last), ZoneInfo(zone))


@pytest.mark.parametrize(
    ("day", "hours", "labels"),
    [
        ("2026-03-08", 23, ["00:00", "01:00", "03:00"]),
        ("2026-11-01", 25, ["00:00", "01:00 EDT", "01:00 EST", "02:00"]),
        ("2026-05-01", 24, ["00:00", "01:00"]),
    ],
)
def test_a_day_has_the_hours_that_pass(day: str, hours: int, labels: list[str]) -> None:
    parts = period(day, day).parts
    assert len(parts) == hours
    assert [part.label for part in parts][: len(labels)] == labels
    assert {part.until - part.since for part in parts} == {timedelta(hours=1)}


def test_a_day_whose_midnight_is_skipped_begins_an_hour_later() -> None:
    assert day_start(date(2026, 4, 24), ZoneInfo("Africa/Cairo")) == datetime(2026, 4, 23, 22, tzinfo=UTC)
    assert period("2026-04-24", "2026-04-24", "Africa/Cairo").parts[0].label == "01:00"


def test_a_day_whose_midnight_comes_twice_begins_with_the_first() -> None:
    assert day_start(date(2026, 11, 1), ZoneInfo("America/Havana")) == datetime(2026, 11, 1, 4, tzinfo=UTC)


def test_half_an_hour_may_be_left_at_the_end() -> None:
    parts = period("2026-10-04", "2026-10-04", "Australia/Lord_Howe").parts
    assert parts[-1].until - parts[-1].since == timedelta(minutes=30)


@pytest.mark.parametrize(
    ("last", "unit", "count", "label"),
    [
        ("2026-01-01", "hour", 24, "00:00"),
        ("2026-01-07", "day", 7, "2026-01-01"),
        ("2026-04-02", "day", 92, "2026-01-01"),
        ("2026-04-03", "week", 14, "2026-01-01 to 2026-01-07"),
    ],
)
def test_a_period_is_told_by_its_length(last: str, unit: str, count: int, label: str) -> None:
    asked = period("2026-01-01", last)
    assert (asked.unit, len(asked.parts), asked.parts[0].label) == (unit, count, label)


@given(days, st.integers(0, LONGEST - 1), st.sampled_from(ZONES))
def test_the_parts_are_the_whole(first: date, more: int, zone: str) -> None:
    asked = Period(first, first + timedelta(days=more), ZoneInfo(zone))
    parts = asked.parts
    assert (parts[0].since, parts[-1].until) == (asked.since, asked.until)
    assert all(before.until == after.since for before, after in pairwise(parts))
    assert len({part.label for part in parts}) == len(parts)


@given(days, st.integers(0, 86_399), st.sampled_from(ZONES))
def test_a_moment_is_in_the_day_that_the_clock_shows(day: date, seconds: int, zone: str) -> None:
    moment = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(seconds=seconds)
    shown = moment.astimezone(ZoneInfo(zone)).date()
    whole = Period(shown, shown, ZoneInfo(zone))
    assert whole.since <= moment < whole.until


@pytest.mark.parametrize("text", ["", "today", "2026-02-30", "26-1-1", "0001-01-01", "9999-12-31", "2026-01-01T00:00"])
def test_what_is_no_day(text: str) -> None:
    assert read_day(text) is None


def test_a_day_is_read() -> None:
    assert read_day("2026-01-31") == date(2026, 1, 31)


def test_days_and_hours_begin_with_quarters_of_an_hour_everywhere() -> None:
    for name in sorted(available_timezones()):
        zone = ZoneInfo(name)
        for number in range(366):
            start = day_start(date(2026, 1, 1) + timedelta(days=number), zone)
            assert start.minute % 15 == start.second == 0, (name, start)


def test_the_period_before_has_as_many_days() -> None:
    period = Period(date(2026, 3, 2), date(2026, 3, 8), ZoneInfo("America/New_York"))
    before = period.before
    assert (before.first, before.last, before.days) == (date(2026, 2, 23), date(2026, 3, 1), 7)
    assert before.until == period.since
