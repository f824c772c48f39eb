"""What is sent again, and what is not: both clients against a server that fails in every way, over real sockets."""

from __future__ import annotations

import pickle
import socket
import time
import traceback
from typing import Any

import pytest

from ringback.client import (
    Busy,
    Call,
    ConnectionFailed,
    RateLimited,
    Refused,
    RingbackError,
    ServerError,
    TimedOut,
    TooLarge,
    UnexpectedAnswer,
)
from ringback.client.errors import refused
from ringback.domain.answers import refusal_document
from ringback.domain.errors import CODES, Refusal
from tests.client.conftest import Make
from tests.client.scripted import APPLIED, BUSY, CALL, Act, Scripted, acting, answer, hang_up, stay_silent

UUID = CALL["uuid"]
YES = answer(200, APPLIED)
LATER = answer(503, BUSY, retry_after="0")
GATEWAY = answer(502, "<h1>Bad Gateway</h1>")


def client(make: Make, server: Scripted, **named: Any) -> Any:  # noqa: ANN401
    return make(server.url, account="acme", basic="public:private", **named)


@pytest.mark.parametrize(
    "acts",
    [
        pytest.param([LATER], id="busy"),
        pytest.param([GATEWAY], id="a proxy's 502"),
        pytest.param([answer(504, "")], id="a proxy's 504"),
        pytest.param([answer(429, BUSY)], id="429"),
        pytest.param([answer(408, BUSY)], id="408"),
        pytest.param([hang_up], id="no answer"),
        pytest.param([hang_up, LATER], id="one after the other"),
        pytest.param([answer(200, "{", content_length="999")], id="half an answer"),
    ],
)
def test_an_update_is_sent_again_with_its_key(make: Make, acts: list[Act]) -> None:
    with acting(*acts, YES) as server:
        assert client(make, server, timeout=0.5).update_call(UUID, add_revenue="5.00").code == "applied"
    assert len(server.seen) == len(acts) + 1
    assert len(set(server.keys)) == 1
    assert server.keys[0]
    assert {seen.path for seen in server.seen} == {f"/a/acme/api/v1/calls/update_call/{UUID}"}
    assert [seen.json for seen in server.seen] == [{"add_revenue": "5.00"}] * len(server.seen)


def test_an_answer_that_takes_too_long_is_asked_for_again_with_the_key(make: Make) -> None:
    with acting(stay_silent, YES) as server:
        assert client(make, server, timeout=0.2).update_call(UUID, add_revenue=5, idempotency_key="mine").code
    assert server.keys == ["mine", "mine"]


def test_each_update_has_a_key_of_its_own(make: Make) -> None:
    with acting(YES, YES) as server:
        asked = client(make, server)
        asked.update_call(UUID, revenue=5)
        asked.update_call(UUID, revenue=5)
    assert len(set(server.keys)) == 2


def test_reading_is_tried_again_without_a_key(make: Make) -> None:
    with acting(hang_up, answer(200, {"success": True, "call": CALL})) as server:
        assert isinstance(client(make, server).call(UUID), Call)
    assert server.keys == [None, None]


@pytest.mark.parametrize(
    ("act", "kind", "status"),
    [
        (answer(500, {"code": "internal_error", "message": "Oh."}), ServerError, 500),
        (answer(413, {"code": "too_large", "message": "Oh."}), TooLarge, 413),
        (answer(405, {"code": "method_not_allowed", "message": "Oh."}), Refused, 405),
        (answer(429, {"code": "rate_limited", "message": "Oh."}, retry_after="60"), RateLimited, 429),
        (answer(503, BUSY, retry_after="31"), Busy, 503),
        (answer(302, "", location="http://127.0.0.1:1/elsewhere"), UnexpectedAnswer, 302),
        (answer(200, "<h1>Welcome</h1>"), UnexpectedAnswer, 200),
        (answer(200, {"status": "success"}), UnexpectedAnswer, 200),
        (answer(200, [1]), UnexpectedAnswer, 200),
        (answer(404, "not found"), UnexpectedAnswer, 404),
    ],
    ids=range(10),
)
def test_what_stays_is_told_at_once(make: Make, act: Act, kind: type[RingbackError], status: int) -> None:
    with acting(act) as server:
        with pytest.raises(kind) as told:
            client(make, server).update_call(UUID, revenue=5)
        assert type(told.value) is kind
        assert vars(told.value)["status"] == status
        assert told.value.idempotency_key == server.keys[0]
    assert len(server.seen) == 1


def test_retry_after_is_honoured(make: Make) -> None:
    with acting(answer(503, BUSY, retry_after="1"), YES) as server:
        begun = time.monotonic()
        client(make, server).update_call(UUID, revenue=5)
        assert time.monotonic() - begun >= 1


def test_tries_have_an_end(make: Make) -> None:
    with acting(LATER, LATER, LATER) as server:
        with pytest.raises(Busy) as told:
            client(make, server, retries=1).update_call(UUID, revenue=5)
        assert told.value.retry_after == 0
        with pytest.raises(Busy):
            client(make, server, retries=0).update_call(UUID, revenue=5)
    assert len(server.seen) == 3


def test_no_answer_says_whether_it_may_have_arrived(make: Make) -> None:
    with acting(hang_up, stay_silent) as server:
        asked = client(make, server, retries=0, timeout=0.2)
        with pytest.raises(ConnectionFailed, match=r"no answer from 127\.0\.0\.1") as failed:
            asked.update_call(UUID, revenue=5)
        with pytest.raises(TimedOut, match="in time; whether it was recorded is not known") as late:
            asked.update_call(UUID, revenue=5)
    assert (failed.value.was_sent, late.value.was_sent) == (True, True)
    assert late.value.idempotency_key == server.keys[1]
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    with pytest.raises(ConnectionFailed, match=r"no answer from 127\.0\.0\.1") as refused_connection:
        make(f"http://127.0.0.1:{port}", token="x", retries=0).me()
    assert not refused_connection.value.was_sent


def test_what_is_sent_beside_the_body(make: Make) -> None:
    with acting(YES, YES) as server:
        asked = client(make, server)
        asked.update_call(UUID, revenue=5, dry_run=True)
        asked.update_call("a/b?c", revenue=5)
    dry, odd = server.seen
    assert dry.headers["authorization"] == "Basic cHVibGljOnByaXZhdGU="
    assert dry.headers["ringback-dry-run"] == "true"
    assert dry.headers["user-agent"].startswith("ringback-client/")
    assert "ringback-dry-run" not in odd.headers
    assert odd.path == "/a/acme/api/v1/calls/update_call/a%2Fb%3Fc"


@pytest.mark.parametrize("key", ["", " ", "x" * 256, "\u00fc", "a\nb"])
def test_a_key_that_no_header_can_carry_is_refused(make: Make, key: str) -> None:
    with pytest.raises(ValueError, match="an idempotency key is"):
        make("http://127.0.0.1:1", token="x").update_call(UUID, revenue=5, idempotency_key=key)


@pytest.mark.parametrize("uuid", ["", " ", ".", ".."])
def test_a_call_without_name_is_refused(make: Make, uuid: str) -> None:
    with pytest.raises(ValueError, match="the call is empty"):
        make("http://127.0.0.1:1", token="x").call(uuid)


def test_a_name_under_localhost_that_is_not_found_says_what_to_do_instead(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(*_given: object, **_named: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)  # as a C library has it that doesn't know RFC 6761
    with pytest.raises(ConnectionFailed) as failed:
        make("http://acme.localhost:8192", token="x", retries=0).me()
    assert str(failed.value).endswith('; use http://localhost:8192 and account="acme" instead')
    told = "".join(traceback.format_exception(failed.value))
    assert ("During handling" in told, "httpx2" in told) == (False, False)


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_refusal_of_the_server_reads_as_a_sentence(code: str) -> None:
    refusal = Refusal(code)
    error = refused(refusal.code.status, refusal_document(refusal))
    assert (error.code, error.status) == (code, refusal.code.status)
    assert str(error) == " ".join(filter(None, (refusal.title, refusal.hint, f"({error.status}, {code})")))


def test_errors_travel_between_processes() -> None:
    document = {"code": "busy", "message": "Later.", "held_until": "2026-05-01T08:30:00.000-04:00"}
    busy = refused(503, document, retry_after=1.0)
    busy.idempotency_key = "mine"
    for error in (busy, TimedOut("late", was_sent=True), UnexpectedAnswer("odd", 404), RingbackError("no")):
        arrived = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
        assert (type(arrived), str(arrived), vars(arrived)) == (type(error), str(error), vars(error))
