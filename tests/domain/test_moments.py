from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.domain.moments import LABELS, Span, in_zone, months_before, read_begin, read_label, read_span, read_zone

YORK = ZoneInfo("America/New_York")
NOW = datetime(2026, 5, 14, 15, 30, tzinfo=UTC)  # a Thursday


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type] # year, month, day …


@pytest.mark.parametrize(
    ("text", "since", "length"),
    [
        ("2016-01-01 12:25:15 -0500", utc(2016, 1, 1, 17, 25, 15), timedelta(seconds=1)),
        ("2016-01-01 12:25:15 +0000", utc(2016, 1, 1, 12, 25, 15), timedelta(seconds=1)),
        ("2016-01-01 12:25:15  0530", utc(2016, 1, 1, 6, 55, 15), timedelta(seconds=1)),
        ("2016-01-01 12:25:15 UTC", utc(2016, 1, 1, 12, 25, 15), timedelta(seconds=1)),
        ("2016-01-01T12:25:15Z", utc(2016, 1, 1, 12, 25, 15), timedelta(seconds=1)),
        ("2016-01-01T12:25:15+02", utc(2016, 1, 1, 10, 25, 15), timedelta(seconds=1)),
        ("2016-01-01T12:25:15.772-05:00", utc(2016, 1, 1, 17, 25, 15, 772_000), timedelta(microseconds=1)),
        ("2016-01-01 12:25:15", utc(2016, 1, 1, 17, 25, 15), timedelta(seconds=1)),
        ("2016-7-4 9:05", utc(2016, 7, 4, 13, 5), timedelta(minutes=1)),
        ("2016-7-4", utc(2016, 7, 4, 4), timedelta(days=1)),
        ("2026-03-08", utc(2026, 3, 8, 5), timedelta(hours=23)),
        (" 2016-07-04 UTC ", utc(2016, 7, 4), timedelta(days=1)),
    ],
)
def test_a_time_is_as_long_as_what_it_names(text: str, since: datetime, length: timedelta) -> None:
    assert read_span(text, YORK) == Span(since, since + length)
    begin = read_begin(text)
    assert begin is not None
    assert in_zone(begin, YORK) == since


@pytest.mark.parametrize(
    "text",
    [
        *("", "now", "2016-02-30", "2016-13-01", "2016-01-01 24:00", "1969-12-31", "9999-01-01", "01/02/2016"),
        *("2016-01-01 12:00 +99:00", "2016-01-01T", "\uff12016-01-01", "2016-01-01 12:00:60"),
    ],
)
def test_what_names_no_time_is_none(text: str) -> None:
    assert read_span(text, YORK) is None
    assert read_begin(text) is None


@given(st.text(max_size=40))
def test_no_text_breaks_it(text: str) -> None:
    read_span(text, YORK)
    read_label(text, NOW, YORK)
    read_zone(text)


@given(st.datetimes(datetime(1971, 1, 1), datetime(9998, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - as they are drawn
def test_what_is_written_is_read(moment: datetime) -> None:
    span = read_span(moment.isoformat(), YORK)
    assert span is not None
    assert span.since == moment


@pytest.mark.parametrize(
    ("label", "since", "until"),
    [
        ("Last 5 Min", utc(2026, 5, 14, 15, 25), None),
        ("Last Hour", utc(2026, 5, 14, 14, 30), None),
        ("last_12_hours", utc(2026, 5, 14, 3, 30), None),
        ("Last 2 Days", utc(2026, 5, 12, 15, 30), None),
        ("Today", utc(2026, 5, 14, 4), utc(2026, 5, 15, 4)),
        ("Yesterday", utc(2026, 5, 13, 4), utc(2026, 5, 14, 4)),
        ("This Week", utc(2026, 5, 11, 4), utc(2026, 5, 15, 4)),
        ("Last Week", utc(2026, 5, 4, 4), utc(2026, 5, 11, 4)),
        ("This Month", utc(2026, 5, 1, 4), utc(2026, 5, 15, 4)),
        ("Last Month", utc(2026, 4, 1, 4), utc(2026, 5, 1, 4)),
        ("This Quarter", utc(2026, 4, 1, 4), utc(2026, 5, 15, 4)),
        ("Last Quarter", utc(2026, 1, 1, 5), utc(2026, 4, 1, 4)),
        ("Last 6 Months", utc(2025, 11, 14, 5), utc(2026, 5, 15, 4)),
        ("This Year", utc(2026, 1, 1, 5), utc(2026, 5, 15, 4)),
        ("Last Year", utc(2025, 1, 1, 5), utc(2026, 1, 1, 5)),
        ("Lifetime", None, None),
        ("Custom Range", None, None),
    ],
)
def test_labels(label: str, since: datetime | None, until: datetime | None) -> None:
    assert read_label(label, NOW, YORK) == Span(since, until)


def test_there_are_the_labels_of_the_reference_and_no_others() -> None:
    assert len(LABELS) == 22
    assert all(read_label(label, NOW, YORK) is not None for label in LABELS)
    assert read_label("Last Decade", NOW, YORK) is None


def test_months_are_as_long_as_they_are() -> None:
    assert months_before(date(2026, 8, 31), 6) == date(2026, 2, 28)
    assert months_before(date(2026, 1, 31), 12) == date(2025, 1, 31)


def test_spans_within_each_other() -> None:
    day, later = Span(utc(2026, 5, 1), utc(2026, 5, 2)), Span(utc(2026, 5, 1, 12))
    assert day.within(later) == Span(utc(2026, 5, 1, 12), utc(2026, 5, 2))
    assert Span().within(Span()) == Span()


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("UTC", "UTC"),
        ("utc", "UTC"),
        ("Gmt", "UTC"),
        ("America/New_York", "America/New_York"),
        ("Pacific Time (US & Canada)", "America/Los_Angeles"),
    ],
)
def test_zones(text: str, key: str) -> None:
    zone = read_zone(text)
    assert zone is not None
    assert zone.key == key


def test_no_zone() -> None:
    assert read_zone("../etc/passwd") is None
    assert read_zone("Mars") is None
