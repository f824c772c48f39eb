"""How values are shown to people."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from ringback.console.shown import amount, duration, seconds


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "-"),
        ("", "-"),
        ("12", "12"),
        (Decimal(0), "0.00"),
        (Decimal("1234567.5"), "1,234,567.50"),
        (Decimal("76850.334000"), "76,850.334"),
        (Decimal("-0.5"), "-0.50"),
        (Decimal("0.000001"), "0.000001"),
    ],
)
def test_amounts_have_the_decimals_that_they_need(value: object, shown: str) -> None:
    assert amount(value) == shown


@pytest.mark.parametrize(
    ("length", "shown"),
    [
        (timedelta(), "0 s"),
        (timedelta(seconds=59.6), "1 min 0 s"),
        (timedelta(minutes=59, seconds=5), "59 min 5 s"),
        (timedelta(hours=23, minutes=59), "23 h 59 min"),
        (timedelta(days=40, hours=1), "40 d 1 h"),
    ],
)
def test_lengths_of_time_have_two_units(length: timedelta, shown: str) -> None:
    assert duration(length) == shown


def test_durations_are_minutes_and_seconds() -> None:
    assert [seconds(each) for each in (0, 59, 61, 3600)] == ["0:00", "0:59", "1:01", "60:00"]
