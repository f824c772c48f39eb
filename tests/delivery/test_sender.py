"""What is told of receivers that answer, and of those that do everything else."""

from __future__ import annotations

import asyncio
import gzip
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringback import __version__, clock
from ringback.delivery.sender import Sender
from ringback.domain.deliveries import State, Verdict, judge
from ringback.domain.exchanges import BODY_KEPT, PROBLEMS, Exchange, Outgoing
from tests.delivery.conftest import Run
from tests.delivery.receiver import (
    Behaviour,
    answer,
    answering,
    deaf,
    endless,
    hanging,
    receiving,
    resetting,
    saying,
    trickling,
)
from tests.delivery.sending import HERE, SOON, send

OK = answer("200 OK", body=b"{}")
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def judged(exchange: Exchange) -> Verdict:
    """What becomes of a delivery after this first attempt."""
    now = clock.now()
    return judge(exchange, attempt=1, first_attempt_at=now, now=now, jitter=0)


async def sent_to(behaviour: Behaviour, *, timeout: float = SOON) -> Exchange:  # noqa: ASYNC109
    async with receiving(behaviour) as receiver:
        return await send(f"http://127.0.0.1:{receiver.port}/", timeout=timeout)


def http_date(after: timedelta) -> str:
    return (clock.now() + after).strftime("%a, %d %b %Y %H:%M:%S GMT")


@pytest.mark.parametrize(
    ("status", "headers", "state", "wait"),
    [
        ("200 OK", [], State.DELIVERED, None),
        ("204 No Content", [], State.DELIVERED, None),
        ("301 Moved Permanently", ["Location: http://127.0.0.1:1/"], State.FAILED, None),
        ("400 Bad Request", [], State.FAILED, None),
        ("401 Unauthorized", [], State.HELD, HOUR),
        ("403 Forbidden", [], State.HELD, HOUR),
        ("404 Not Found", [], State.RETRYING, 5 * SECOND),
        ("408 Request Timeout", [], State.RETRYING, 5 * SECOND),
        ("409 Conflict", [], State.RETRYING, 5 * SECOND),
        ("410 Gone", [], State.FAILED, None),
        ("422 Unprocessable Content", [], State.FAILED, None),
        ("429 Too Many Requests", [], State.RETRYING, MINUTE),
        ("429 Too Many Requests", ["Retry-After: 120"], State.RETRYING, 2 * MINUTE),
        ("429 Too Many Requests", ["Retry-After: IN AN HOUR"], State.RETRYING, HOUR),
        ("500 Internal Server Error", [], State.RETRYING, 5 * SECOND),
        ("503 Service Unavailable", ["Retry-After: 7"], State.RETRYING, 7 * SECOND),
        ("999 Whatever", [], State.RETRYING, 5 * SECOND),
    ],
)
def test_each_status_has_its_consequence(
    run: Run, status: str, headers: list[str], state: State, wait: timedelta | None
) -> None:
    before = clock.now()
    headers = [each.replace("IN AN HOUR", http_date(HOUR)) for each in headers]
    exchange: Exchange = run(sent_to(answering(answer(status, "X-From: here", *headers)), timeout=5))
    assert exchange.status == int(status[:3])
    assert exchange.header("x-from") == "here"
    assert exchange.problem is None
    verdict = judged(exchange)
    assert verdict.state is state
    if wait is None:
        assert verdict.due_at is None
    else:
        assert verdict.due_at is not None
        assert abs(verdict.due_at - before - wait) < MINUTE


@pytest.mark.parametrize(
    ("behaviour", "problem", "detail"),
    [
        pytest.param(hanging, "timeout", "waiting for the answer took more than 0.3 s", id="hangs"),
        pytest.param(deaf, "timeout", "waiting for the answer took more than 0.3 s", id="is deaf"),
        pytest.param(trickling(OK), "timeout", "waiting for the answer", id="trickles its head"),
        pytest.param(endless(b"HTTP/1.1 200 OK\r\nX: "), "bad_answer", "", id="never ends its head"),
        pytest.param(resetting, "reset", "Connection reset by peer", id="resets"),
        pytest.param(saying(b""), "no_answer", "", id="says nothing"),
        pytest.param(saying(b"HTTP/1.1 200 OK\r\n"), "no_answer", "", id="stops within its head"),
        pytest.param(saying(b"SSH-2.0-OpenSSH_9.2\r\n"), "bad_answer", "", id="is no web server"),
        pytest.param(saying(b"\x00\xff\x80 garbage \r\n\r\n"), "bad_answer", "", id="talks garbage"),
        pytest.param(saying(b"HTTP/1.1 abc OK\r\n\r\n"), "bad_answer", "", id="has a status of letters"),
        pytest.param(saying(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 3), "no_answer", "", id="only hints"),
        pytest.param(saying(answer("200 OK", "Transfer-Encoding: chunked")), "bad_answer", "", id="smuggles"),
        pytest.param(
            saying(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"), "bad_answer", "", id="lies about length"
        ),
    ],
)
def test_each_fault_is_a_problem_with_its_code_and_is_tried_again(
    run: Run, behaviour: Behaviour, problem: str, detail: str
) -> None:
    exchange: Exchange = run(sent_to(behaviour))
    assert (exchange.status, exchange.problem) == (None, problem)
    assert detail in exchange.detail
    assert problem in PROBLEMS
    assert exchange.address == "127.0.0.1"
    assert judged(exchange).state is State.RETRYING


@pytest.mark.parametrize(
    ("behaviour", "kept"),
    [
        pytest.param(endless(b"HTTP/1.1 200 OK\r\n\r\n"), BODY_KEPT, id="endless"),
        pytest.param(endless(b"HTTP/1.1 200 OK\r\nContent-Length: 10737418240\r\n\r\n"), BODY_KEPT, id="10 GB"),
        pytest.param(saying(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort"), 5, id="cut off"),
        pytest.param(saying(answer("200 OK", body=bytes(BODY_KEPT + 1))), BODY_KEPT, id="one byte too long"),
    ],
)
def test_a_status_counts_even_if_the_answer_is_never_read_to_its_end(run: Run, behaviour: Behaviour, kept: int) -> None:
    async def scenario() -> tuple[Exchange, int]:
        async with receiving(behaviour) as receiver:
            return await send(f"http://127.0.0.1:{receiver.port}/"), receiver.written

    exchange, written = run(scenario())
    assert (exchange.status, exchange.problem, len(exchange.body)) == (200, None, kept)
    assert exchange.truncated
    assert written < 64 * 1024 * 1024
    assert judged(exchange).state is State.DELIVERED


def test_a_body_that_trickles_is_not_waited_for_longer_than_the_timeout(run: Run) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"

    async def behave(receiver: object, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        await trickling(bytes(1000))(receiver, reader, writer)  # type: ignore[arg-type] # handed through

    exchange: Exchange = run(sent_to(behave))
    assert exchange.status == 200
    assert exchange.truncated
    assert exchange.detail == "waiting for the answer took more than 0.3 s"
    assert exchange.took.total < 3000


def test_exactly_as_much_as_is_kept_is_whole(run: Run) -> None:
    exchange: Exchange = run(sent_to(saying(answer("200 OK", body=bytes(BODY_KEPT))), timeout=5))
    assert (len(exchange.body), exchange.truncated) == (BODY_KEPT, False)


def test_what_is_compressed_is_kept_as_it_came(run: Run) -> None:
    bomb = gzip.compress(bytes(50_000_000))
    exchange: Exchange = run(sent_to(saying(answer("200 OK", "Content-Encoding: gzip", body=bomb)), timeout=5))
    assert exchange.body == bomb[:BODY_KEPT]


def test_heads_are_kept_within_bounds_and_as_text(run: Run) -> None:
    many = [f"X-{number}: {'y' * 3000}" for number in range(90)]
    raw = answer("200 OK", *many).replace(b"X-0: yyy", b"X-0: \xff\xfe")
    exchange: Exchange = run(sent_to(saying(raw), timeout=5))
    assert exchange.status == 200
    assert max(len(value) for _, value in exchange.headers) == 2000
    assert "".join(f"{name}{value}" for name, value in exchange.headers).encode()


def test_a_request_is_sent_as_it_is_given(run: Run) -> None:
    async def scenario() -> None:
        async with receiving(answering(OK)) as receiver:
            headers = (("Content-Type", "application/json"), ("X-Name", "Zoë"), ("webhook-id", "1"))
            url = f"http://127.0.0.1:{receiver.port}/a%2Fb/[x]?q=%5B1%5D&r=a b#part"
            exchange = await send(url, headers=headers, body=b'{"a":1}')
        assert exchange.status == 200
        assert exchange.body == b"{}"
        assert receiver.head[0] == "POST /a%2Fb/[x]?q=%5B1%5D&r=a%20b HTTP/1.1"
        assert receiver.header("host") == [f"127.0.0.1:{receiver.port}"]
        assert receiver.header("user-agent") == [f"Ringback/{__version__}"]
        assert receiver.header("accept-encoding") == ["identity"]
        assert receiver.header("x-name") == ["Zoë"]
        assert receiver.header("content-length") == ["7"]
        assert receiver.header("content-type") == ["application/json"]
        assert receiver.body == b'{"a":1}'

    run(scenario())


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"])
def test_without_a_body_nothing_is_said_of_its_type(run: Run, method: str) -> None:
    async def scenario() -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        async with receiving(answering(head)) as receiver:
            url = f"http://127.0.0.1:{receiver.port}"
            exchange = await send(url, method=method, headers=(("User-Agent", "Mine"),))
        assert exchange.status == 200
        assert receiver.head[0] == f"{method} / HTTP/1.1"
        assert receiver.header("content-type") == []
        assert receiver.header("user-agent") == ["Mine"]

    run(scenario())


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST"])
@pytest.mark.parametrize("behaviour", [resetting, saying(b"")], ids=["reset", "nothing"])
def test_one_attempt_is_one_request(run: Run, method: str, behaviour: Behaviour) -> None:
    async def scenario() -> int:
        async with receiving(behaviour) as receiver:
            await send(f"http://127.0.0.1:{receiver.port}/", method=method)
        return receiver.connections

    assert run(scenario()) == 1


@pytest.mark.parametrize("status", ["301 x", "302 x", "303 x", "307 x", "308 x"])
def test_no_redirect_is_followed(run: Run, status: str) -> None:
    async def scenario() -> None:
        async with receiving(answering(OK)) as elsewhere:
            there = f"Location: http://127.0.0.1:{elsewhere.port}/"
            async with receiving(answering(answer(status, there))) as receiver:
                exchange = await send(f"http://127.0.0.1:{receiver.port}/")
        assert exchange.status == int(status[:3])
        assert judged(exchange).code == "redirected"
        assert elsewhere.connections == 0

    run(scenario())


@pytest.mark.parametrize(
    ("headers", "method"),
    [
        ((("X-A", "b\r\nX-Injected: 1"),), "POST"),
        ((("X-A\r\nX-Injected", "1"),), "POST"),
        ((("X-A", "b\x00"),), "POST"),
        ((("X A", "b"),), "POST"),
        ((("", "b"),), "POST"),
        ((("X-A", "\ud800"),), "POST"),
        ((("Host", "elsewhere.example"),), "POST"),
        ((("Content-Length", "0"),), "POST"),
        ((("transfer-encoding", "chunked"),), "POST"),
        ((), "POST / HTTP/1.1\r\nX-Injected: 1\r\n\r\nGET"),
        ((), "post"),
    ],
)
def test_nothing_is_sent_of_a_request_with_a_bad_header(
    run: Run, headers: tuple[tuple[str, str], ...], method: str
) -> None:
    async def scenario() -> tuple[Exchange, int]:
        async with receiving(answering(OK)) as receiver:
            exchange = await send(f"http://127.0.0.1:{receiver.port}/", headers=headers, method=method)
        return exchange, receiver.connections

    exchange, connections = run(scenario())
    assert (exchange.problem, connections) == ("bad_header", 0)
    assert judged(exchange).state is State.FAILED


@pytest.mark.parametrize(
    "url",
    ["", "/path", "https://", "https://a b.example/", "https://a.example/\r\nX-Injected: 1", "https://u:p@a.example/"],
)
def test_nothing_is_sent_to_a_bad_url(run: Run, url: str) -> None:
    exchange: Exchange = run(send(url))
    assert exchange.problem == "bad_url"
    assert judged(exchange).state is State.FAILED


def test_no_cookie_is_ever_sent_back(run: Run) -> None:
    async def scenario() -> None:
        cookie = answer("200 OK", "Set-Cookie: a=b; Path=/")
        async with receiving(answering(cookie)) as receiver, Sender.open(HERE) as sender:
            for _ in range(2):
                await sender.send(Outgoing("POST", f"http://127.0.0.1:{receiver.port}/"))
        assert len(receiver.requests) == 2
        assert receiver.header("cookie") == []

    run(scenario())


def test_the_environment_names_no_proxy(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert run(sent_to(answering(OK), timeout=5)).status == 200


@given(data=st.binary(max_size=200) | st.builds(lambda rest: b"HTTP/1.1 " + rest, st.binary(max_size=200)))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_a_receiver_says_something_is_told(data: bytes) -> None:
    exchange: Exchange = asyncio.run(sent_to(saying(data), timeout=2))
    assert (exchange.status is None) == (exchange.problem in PROBLEMS)
    assert judged(exchange).state in {State.DELIVERED, State.RETRYING, State.HELD, State.FAILED}
