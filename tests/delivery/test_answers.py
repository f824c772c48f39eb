"""How answers are told apart on the wire: where each ends, which of them count, and what may follow."""

from __future__ import annotations

import asyncio
from ssl import create_default_context

import pytest

from ringback.delivery.connections import Connections
from ringback.delivery.guard import Guard
from ringback.delivery.sender import Sender
from ringback.domain.exchanges import BODY_KEPT, Exchange, Outgoing
from tests.delivery.conftest import Run
from tests.delivery.receiver import Behaviour, Receiver, answer, answering, read_request, receiving, saying
from tests.delivery.sending import HERE, Names, send

OK = answer("200 OK", body=b"{}")
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


async def sent_twice(behaviour: Behaviour, method: str = "POST") -> tuple[list[Exchange], Receiver]:
    """Two requests, one after the other, and what the receiver saw."""
    async with receiving(behaviour) as receiver, Sender.open(HERE) as sender:
        outgoing = Outgoing(method, f"http://127.0.0.1:{receiver.port}/", timeout=5)
        return [await sender.send(outgoing) for _ in range(2)], receiver


@pytest.mark.parametrize(
    ("raw", "status", "body", "truncated"),
    [
        (CHUNKED + b"2\r\n{}\r\n0\r\n\r\n", 200, b"{}", False),
        (CHUNKED + b"1 \r\n{\r\n1;x=y\r\n}\r\n0\r\nX-Trailer: 1\r\n\r\n", 200, b"{}", False),
        (CHUNKED + b"2\r\n{}\r\n", 200, b"{}", True),
        (CHUNKED + b"zz\r\n", 200, b"", True),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil it closes", 200, b"until it closes", False),
        (b"HTTP/1.0 200 OK\r\n\r\n", 200, b"", False),
        (b"HTTP/1.1 200 OK\nContent-Length: 2\n\n{}", 200, b"{}", False),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b"", False),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", 304, b"", False),
        (b"HTTP/1.1 103 Early Hints\r\nLink: x\r\nContent-Length: 9\r\n\r\n" + OK, 200, b"{}", False),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 3 + OK, 200, b"{}", False),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nx", 101, b"", False),
        (OK + b"HTTP/1.1 500 Sorry\r\n\r\n", 200, b"{}", False),
        (OK + b"garbage", 200, b"{}", False),
    ],
)
def test_an_answer_ends_where_it_says(run: Run, raw: bytes, status: int, body: bytes, *, truncated: bool) -> None:
    async def scenario() -> Exchange:
        async with receiving(saying(raw)) as receiver:
            return await send(f"http://127.0.0.1:{receiver.port}/")

    exchange: Exchange = run(scenario())
    assert (exchange.status, exchange.body, exchange.truncated) == (status, body, truncated)
    assert "Link" not in dict(exchange.headers)


@pytest.mark.parametrize(
    ("raw", "connections"),
    [
        (OK, 1),
        (CHUNKED + b"2\r\n{}\r\n0\r\n\r\n", 1),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 1),
        (answer("200 OK", "Connection: close", body=b"{}"), 2),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}", 2),
        (OK + OK, 2),
        (OK + b"HTTP/1.1 100 Continue\r\n\r\n", 2),
        (answer("200 OK", body=bytes(BODY_KEPT + 1)), 2),
    ],
    ids=["whole", "chunked", "empty", "closing", "old", "two at once", "a hint after it", "too long"],
)
def test_a_connection_is_used_again_only_after_a_whole_answer(run: Run, raw: bytes, connections: int) -> None:
    exchanges, receiver = run(sent_twice(answering(raw)))
    assert [exchange.problem for exchange in exchanges] == [None, None]
    assert receiver.connections == connections


def test_an_answer_to_head_has_no_body_whatever_it_says(run: Run) -> None:
    exchanges, receiver = run(sent_twice(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"), "HEAD"))
    assert [(each.status, each.body, each.truncated) for each in exchanges] == [(200, b"", False)] * 2
    assert receiver.connections == 2


@pytest.mark.parametrize("closes", [False, True])
def test_an_answer_may_come_before_the_request(run: Run, *, closes: bool) -> None:
    async def behave(receiver: Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer("503 Full"))
        if not closes:
            await read_request(receiver, reader)

    async def scenario() -> Exchange:
        async with receiving(behave) as receiver:
            return await send(f"http://127.0.0.1:{receiver.port}/")

    exchange: Exchange = run(scenario())
    assert exchange.status == 503 or (closes and exchange.problem in {"reset", "no_answer"})


def test_what_comes_unasked_over_a_kept_connection_is_no_answer(run: Run) -> None:
    unasked, closed = asyncio.Event(), asyncio.Event()

    async def behave(receiver: Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(receiver, reader)
        writer.write(OK)
        if receiver.connections == 1:
            await unasked.wait()
            writer.write(answer("500 Sorry"))
        await reader.read()
        closed.set()

    async def scenario() -> None:
        async with receiving(behave) as receiver, Sender.open(HERE) as sender:
            outgoing = Outgoing("POST", f"http://127.0.0.1:{receiver.port}/")
            assert (await sender.send(outgoing)).status == 200
            unasked.set()
            await closed.wait()
            assert (await sender.send(outgoing)).status == 200
            assert receiver.connections == 2

    run(scenario())


def test_pieces_without_end_are_not_read_without_end(run: Run) -> None:
    async def behave(receiver: Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(receiver, reader)
        writer.write(CHUNKED + b"0\r\n")
        while not writer.is_closing():  # a trailer that never ends
            writer.write(b"X: " + bytes(65536).replace(b"\0", b"x") + b"\r\n")
            await writer.drain()
            receiver.written += 65536

    async def scenario() -> tuple[Exchange, int]:
        async with receiving(behave) as receiver:
            return await send(f"http://127.0.0.1:{receiver.port}/"), receiver.written

    exchange, written = run(scenario())
    assert (exchange.status, exchange.truncated) == (200, True)
    assert written < 64 * 1024 * 1024


def test_unused_connections_are_closed_before_the_other_side_does(run: Run) -> None:
    closed = asyncio.Event()

    async def behave(receiver: Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(receiver, reader)
        writer.write(OK)
        await reader.read()
        closed.set()

    async def scenario() -> None:
        connections = Connections(Guard(HERE, Names()), create_default_context(), idle_seconds=0.05)
        async with receiving(behave) as receiver:
            outgoing = Outgoing("POST", f"http://127.0.0.1:{receiver.port}/")
            assert (await Sender(connections, HERE).send(outgoing)).status == 200
            await closed.wait()
        await connections.close()

    run(scenario())
