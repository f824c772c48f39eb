"""What becomes of a delivery: the schedule, holds, and every status and problem."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.domain.deliveries import (
    HOLDS,
    JITTER,
    MEANINGS,
    SCHEDULE,
    State,
    SuccessRule,
    Verdict,
    judge,
    sentence,
)
from ringback.domain.exchanges import LONGEST_WAIT, PROBLEMS, Exchange, Milliseconds
from ringback.domain.templates import REASONS

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
FAILING = {"bad_url", "bad_header"}
HELD = {"address_refused", "scheme_refused"}
WITHOUT_HINT = {"delivered", "superseded", "no_longer_so", "no_request", "postback_deleted", "cancelled"}
"""What is over, and nothing is to be done about."""


def exchange(
    status: int | None = None, problem: str | None = None, body: bytes = b"", wish: str | None = None
) -> Exchange:
    headers = () if wish is None else (("Retry-After", wish),)
    return Exchange(NOW, Milliseconds(1), status=status, problem=problem, body=body, headers=headers)


def judged(
    came: Exchange, attempt: int = 1, *, jitter: float = 0, since: timedelta = timedelta(0), holds: int = 0
) -> Verdict:
    return judge(came, attempt=attempt, first_attempt_at=NOW - since, now=NOW, jitter=jitter, holds=holds)


def wait(verdict: Verdict) -> timedelta | None:
    return None if verdict.due_at is None else verdict.due_at - NOW


@pytest.mark.parametrize(
    ("statuses", "state", "code"),
    [
        ([200, 201, 202, 204, 299], State.DELIVERED, "delivered"),
        ([300, 301, 302, 303, 304, 307, 308], State.FAILED, "redirected"),
        ([400, 402, 405, 406, 413, 415, 422, 451, 499], State.FAILED, "request_refused"),
        ([401], State.HELD, "credential_refused"),
        ([403], State.HELD, "not_permitted"),
        ([404], State.RETRYING, "not_there"),
        ([410], State.FAILED, "gone"),
        ([408, 409, 425, 429, 500, 501, 502, 503, 504, 599], State.RETRYING, "try_again_later"),
        ([0, 101, 199, 600, 999], State.RETRYING, "bad_answer"),
    ],
)
def test_each_status_has_its_consequence(statuses: list[int], state: State, code: str) -> None:
    for status in statuses:
        verdict = judged(exchange(status))
        assert (verdict.state, verdict.code) == (state, code)
        assert verdict.pauses == (status == 410)
        assert (verdict.due_at is None) == (state in {State.DELIVERED, State.FAILED})


def test_each_problem_has_its_consequence() -> None:
    for problem in PROBLEMS:
        verdict = judged(exchange(problem=problem))
        expected = State.FAILED if problem in FAILING else State.HELD if problem in HELD else State.RETRYING
        assert (verdict.state, verdict.code) == (expected, problem)


def test_the_schedule_is_that_of_the_contract() -> None:
    waits = [wait(judged(exchange(500), attempt, since=10 * HOUR)) for attempt in range(1, 11)]
    hours = [2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR]
    assert waits == [5 * SECOND, 5 * MINUTE, 30 * MINUTE, *hours, None]
    last = judged(exchange(500), 10)
    assert (last.state, last.code) == (State.FAILED, "try_again_later")


def test_what_is_not_permitted_is_tried_again_three_times_and_then_waits_for_a_person() -> None:
    for status in (401, 403):
        verdicts = [judged(exchange(status), attempt=7, holds=holds) for holds in range(5)]
        assert [wait(verdict) for verdict in verdicts] == [HOUR, 6 * HOUR, 24 * HOUR, None, None]
        assert {verdict.state for verdict in verdicts} == {State.HELD}


def test_an_unknown_call_is_looked_for_for_an_hour() -> None:
    passed, waits, attempt = timedelta(0), [], 1
    while (verdict := judged(exchange(404), attempt, since=passed)).due_at is not None:
        waits.append(verdict.due_at - NOW)
        passed += waits[-1]
        attempt += 1
    assert waits[:3] == [5 * SECOND, 5 * MINUTE, 30 * MINUTE]
    assert passed == HOUR
    assert (verdict.state, verdict.code) == (State.FAILED, "not_there")
    assert judged(exchange(404), 4, since=3 * HOUR).state is State.FAILED
    assert judged(exchange(404), 10, since=MINUTE).state is State.FAILED


@pytest.mark.parametrize(
    ("came", "expected"),
    [
        (exchange(429), MINUTE),
        (exchange(429, wish="30"), MINUTE),
        (exchange(429, wish="90"), 90 * SECOND),
        (exchange(problem="timeout"), MINUTE),
        (exchange(problem="reset"), 5 * SECOND),
        (exchange(503, wish="1"), 5 * SECOND),
        (exchange(503, wish="3600"), HOUR),
        (exchange(503, wish="Tue, 24 Nov 2026 12:10:00 GMT"), 10 * MINUTE),
        (exchange(503, wish="999999999"), LONGEST_WAIT),
        (exchange(503, wish="soon"), 5 * SECOND),
        (exchange(404, wish="600"), 10 * MINUTE),
        (exchange(403, wish="7200"), 2 * HOUR),
        (exchange(200, wish="7200"), None),
        (exchange(400, wish="7200"), None),
    ],
)
def test_a_receiver_that_asks_for_time_gets_it(came: Exchange, expected: timedelta | None) -> None:
    assert wait(judged(came)) == expected


def test_a_later_attempt_waits_no_shorter_for_a_short_wish() -> None:
    assert wait(judged(exchange(429, wish="60"), 4)) == 2 * HOUR


@given(
    st.integers(0, 999) | st.sampled_from(sorted(PROBLEMS)),
    st.integers(1, 12),
    st.integers(0, 5),
    st.floats(0, 1),
    st.integers(0, 200_000),
)
def test_jitter_makes_later_and_never_earlier(
    came: int | str, attempt: int, holds: int, jitter: float, wish: int
) -> None:
    outcome = exchange(came if isinstance(came, int) else None, came if isinstance(came, str) else None, wish=str(wish))
    plain, jittered = (judged(outcome, attempt, jitter=each, holds=holds) for each in (0, jitter))
    assert plain.code == jittered.code
    assert plain.code in MEANINGS
    assert plain.state is jittered.state
    if plain.due_at is not None:
        assert jittered.due_at is not None
        earliest, latest = plain.due_at - NOW, (plain.due_at - NOW) * (1 + JITTER)
        assert earliest <= jittered.due_at - NOW <= latest
        assert earliest >= min(SCHEDULE + HOLDS)


@pytest.mark.parametrize(
    ("path", "value", "body", "met"),
    [
        ("status", "ok", b'{"status":"ok"}', True),
        ("status", "ok", b'{"status":"OK"}', False),
        ("$.status", "ok", b'{"status":"ok"}', True),
        (" result.0.ok ", "true", b'{"result":[{"ok":true}]}', True),
        ("success", "true", b'{"success":"true"}', True),
        ("success", "false", b'{"success":false}', True),
        ("code", "1.50", b'{"code":1.50}', True),
        ("code", "200", b'{"code":200}', True),
        ("error", "null", b'{"error":null}', True),
        ("error", "null", b"{}", False),
        ("", "ok", b'"ok"', True),
        ("status", "ok", b'{"status":["ok"]}', False),
        ("status", "a list", b'{"status":["ok"]}', False),
        ("status.1", "ok", b'{"status":["ok"]}', False),
        ("status.x", "ok", b'{"status":["ok"]}', False),
        ("status.x", "ok", b'{"status":"ok"}', False),
        ("status", "ok", b"ok", False),
        ("status", "ok", b"", False),
        ("status", "ok", b'\xef\xbb\xbf{"status":"ok"}', True),
        ("status", "ok", b"[" * 60000, False),
        ("status", "ok", b'{"status":"ok"', False),
    ],
)
def test_success_may_mean_a_value_in_the_answer(path: str, value: str, body: bytes, *, met: bool) -> None:
    verdict = judge(
        exchange(200, body=body), attempt=1, first_attempt_at=NOW, now=NOW, jitter=0, success=SuccessRule(path, value)
    )
    assert verdict.state is (State.DELIVERED if met else State.RETRYING)
    assert verdict.code == ("delivered" if met else "answer_not_as_expected")


def test_a_success_rule_does_not_make_a_success_of_an_error() -> None:
    came = exchange(500, body=b'{"status":"ok"}')
    verdict = judge(came, attempt=1, first_attempt_at=NOW, now=NOW, jitter=0, success=SuccessRule("status", "ok"))
    assert verdict.code == "try_again_later"


def test_each_code_says_what_happened_and_what_to_do_and_fits_its_column() -> None:
    for code, (title, hint) in MEANINGS.items():
        assert len(code) <= 32
        assert title.endswith(".")
        assert hint or code in WITHOUT_HINT


@pytest.mark.parametrize(
    ("code", "details", "told"),
    [
        ("gone", {}, MEANINGS["gone"].title),
        ("", {}, ""),
        *((code, {"name": "revenue"}, text.format(name="revenue")) for code, text in REASONS.items()),
    ],
)
def test_why_a_delivery_stands_as_it_does_is_told(code: str, details: dict[str, object], told: str) -> None:
    assert sentence(code, details) == told


@pytest.mark.parametrize("code", ["credential_unopened", "signing_secret_unopened"])
def test_what_a_server_can_not_open_may_be_cured_by_starting_it_again(code: str) -> None:
    assert MEANINGS[code].hint.startswith("Restart this server if the key was rotated; else ")
