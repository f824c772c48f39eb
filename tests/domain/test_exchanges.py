"""Requests that may go out, and the wishes of receivers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.domain.exchanges import LONGEST_WAIT, PROBLEMS, Exchange, Milliseconds, Outgoing, retry_after

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ZERO = timedelta(0)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, 0),
        ("", 0),
        ("0", 0),
        ("120", 120),
        (" 120 ", 120),
        ("1.9", 1),
        ("999999999", 86400),
        ("99999999999", 0),
        ("-5", 0),
        ("soon", 0),
        ("Tue, 24 Nov 2026 12:02:00 GMT", 120),
        ("Tuesday, 24-Nov-26 12:02:00 GMT", 120),
        ("Tue, 24 Nov 2026 13:02:00 +0100", 120),
        ("Tue, 24 Nov 2026 12:02:00 -0000", 120),
        ("Tue, 24 Nov 2026 11:00:00 GMT", 0),
        ("Tue, 24 Nov 2027 12:00:00 GMT", 86400),
        ("Tue, 99 Nov 2026 12:00:00 GMT", 0),
        ("Mon, 01 Jan 99999999999999999999 00:00:00 GMT", 0),
        ("Thu, 01 Jan 2026 00:00:00 +99999999999999999", 0),
        ("Mon, 01 Jan 2026 99999999999999999999:00:00 GMT", 0),
    ],
)
def test_a_wish_to_wait_is_read_in_both_forms(text: str | None, seconds: int) -> None:
    assert retry_after(text, NOW) == timedelta(seconds=seconds)


@given(st.text(max_size=40) | st.datetimes(timezones=st.just(UTC)).map(lambda date: format_datetime(date, usegmt=True)))
def test_whatever_is_wished_is_within_a_day(text: str) -> None:
    assert ZERO <= retry_after(text, NOW) <= LONGEST_WAIT


@pytest.mark.parametrize(
    ("method", "headers", "said"),
    [
        ("POST", (), None),
        ("GET", (("X-A", ""), ("X-A", "tab\tand ü"), ("content-type", "text/plain")), None),
        ("post", (), "capital letters"),
        ("GET /", (), "capital letters"),
        ("", (), "capital letters"),
        ("GET", (("X A", "b"),), "'X A' has a character"),
        ("GET", (("X:", "b"),), "has a character"),
        ("GET", (("", "b"),), "has a character"),
        ("GET", (("X-A\n", "b"),), "'X-A\\n' has a character"),
        ("GET", (("X-A", "b\r\nX-B: c"),), "'X-A' has a character"),
        ("GET", (("X-A", "\x00"),), "has a character"),
        ("GET", (("X-A", "\x7f"),), "has a character"),
        ("GET", (("X-A", "\ud800"),), "has a character"),
        ("GET", (("Host", "b"),), "Host is set by Ringback itself"),
        ("GET", (("CONTENT-LENGTH", "1"),), "is set by Ringback itself"),
    ],
)
def test_headers_that_can_t_be_sent_are_named(
    method: str, headers: tuple[tuple[str, str], ...], said: str | None
) -> None:
    objection = Outgoing(method, "https://a.example/", headers).objection
    if said is None:
        assert objection is None
    else:
        assert objection is not None
        assert objection.code in PROBLEMS
        assert said in objection.reason


def test_headers_are_found_whatever_their_case() -> None:
    headers = (("X-A", "1"), ("x-a", "2"))
    assert Outgoing("GET", "", headers).header("x-A") == "1"
    exchange = Exchange(NOW, Milliseconds(1), headers=headers)
    assert exchange.header("x-a") == "1"
    assert exchange.header("x-b") is None


def test_bodies_stand_in_no_repr() -> None:
    assert "secret" not in repr(Outgoing("GET", "", body=b"secret"))
    assert "secret" not in repr(Exchange(NOW, Milliseconds(1), body=b"secret"))


def test_each_problem_says_what_happened_and_what_to_do() -> None:
    for title, hint in PROBLEMS.values():
        assert title.endswith(".")
        assert hint.endswith((".", ")."))
