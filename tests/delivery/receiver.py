"""Receivers of every kind: those that answer, and those that hang, trickle, reset, talk nonsense or never stop."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TypeAlias

CHUNK = b"x" * 65536


@dataclass
class Receiver:
    """A running receiver, and what it has seen."""

    port: int = 0
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)
    written: int = 0

    @property
    def head(self) -> list[str]:
        """The lines of the head of the last request."""
        return self.requests[-1].partition(b"\r\n\r\n")[0].decode().split("\r\n")

    @property
    def body(self) -> bytes:
        """The body of the last request."""
        return self.requests[-1].partition(b"\r\n\r\n")[2]

    def header(self, name: str) -> list[str]:
        """All values of a header of the last request."""
        pairs = [line.partition(": ") for line in self.head[1:]]
        return [value for each, _, value in pairs if each.lower() == name.lower()]


Behaviour: TypeAlias = Callable[[Receiver, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
"""What a receiver does with a connection."""


@asynccontextmanager
async def receiving(
    behaviour: Behaviour, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[Receiver]:
    """A receiver that does this with every connection, until the context is left."""
    receiver = Receiver()
    under_way: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        under_way.add(task)
        receiver.connections += 1
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await behaviour(receiver, reader, writer)
        writer.close()
        under_way.discard(task)

    server = await asyncio.start_server(serve, host, port, ssl=tls)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        await asyncio.sleep(0)  # connections close in the loop's next round


async def read_request(receiver: Receiver, reader: asyncio.StreamReader) -> None:
    """Read one request and remember it."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
    receiver.requests.append(head + await reader.readexactly(length))


def answering(*answers: bytes) -> Behaviour:
    """Answers each request with the next of these, over a connection that stays open."""
    left = iter(answers)

    async def behave(receiver: Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await read_request(receiver, reader)
            writer.write(next(left, answers[-1]))
            await writer.drain()

    return behave


def saying(data: bytes) -> Behaviour:
    """Sends these bytes after a request, and closes."""

    async def behave(receiver: Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(receiver, reader)
        writer.write(data)
        await writer.drain()

    return behave


def trickling(data: bytes, pause: float = 0.02) -> Behaviour:
    """Sends these bytes one by one, with a pause after each."""

    async def behave(receiver: Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(receiver, reader)
        for byte in data:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(pause)

    return behave


def endless(begin: bytes) -> Behaviour:
    """Sends these bytes, and then more and more."""

    async def behave(receiver: Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(receiver, reader)
        writer.write(begin)
        while not writer.is_closing():
            writer.write(CHUNK)
            await writer.drain()
            receiver.written += len(CHUNK)

    return behave


async def hanging(receiver: Receiver, reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Reads the request and does nothing."""
    await read_request(receiver, reader)
    await reader.read()


async def deaf(_receiver: Receiver, _reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Doesn't even read."""
    await asyncio.Event().wait()


async def resetting(receiver: Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Reads the request and resets the connection."""
    await read_request(receiver, reader)
    wire: socket.socket = writer.get_extra_info("socket")
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def answer(status: str, *headers: str, body: bytes = b"") -> bytes:
    """An answer of HTTP, with its length."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
