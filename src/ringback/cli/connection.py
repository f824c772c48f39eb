"""One connection of the server: uvicorn's, but that a head has to arrive in time, and an answer goes out in one piece.

Who begins a request and never ends its head keeps no connection for ever. Uvicorn writes head and body of an answer one
after the other, each a packet that the sender has to be woken for.
"""

from __future__ import annotations

from asyncio import Transport
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS = 30.0
"""How long a new connection may be silent, and how long the head of a request may then take to arrive."""

HEAD_BYTES = 256 * 1024
"""Bytes that are taken in while it arrives; far fewer are then read."""


class Connection(HttpToolsProtocol):
    """One connection, closed where the head of a request doesn't arrive in time.

    It is looked now and then, rather than timed for each request: so it costs next to nothing, and takes twice as long
    at most.
    """

    head_seconds = HEAD_SECONDS
    _since: float | None = None
    _taken_in = 0

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin to wait for the first request."""
        self._whole = _Whole(transport)
        super().connection_made(self._whole)  # type: ignore[arg-type]  # all of it that uvicorn uses
        self._since = self.loop.time()
        self._look()

    def data_received(self, data: bytes) -> None:
        """Take in what came."""
        super().data_received(data)
        if self._since is not None:
            self._taken_in += len(data)
            if self._taken_in > HEAD_BYTES:
                self.transport.close()

    def on_message_begin(self) -> None:
        """Begin to wait for the head of a request."""
        super().on_message_begin()
        self._since, self._taken_in = self.loop.time(), 0

    def on_headers_complete(self) -> None:
        """Wait no longer."""
        self._since = None
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Tell those who read it (``api.requests``) that the request is whole, so that its body need not be timed."""
        self.scope["state"]["arrived"] = True
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Begin to wait for the next request, if it isn't there already."""
        self._whole.flush()
        if not self.pipeline:
            self._since = self.loop.time()
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Look no more."""
        self._looking.cancel()
        super().connection_lost(exc)

    def _look(self) -> None:
        if self._since is not None and self.loop.time() - self._since >= self.head_seconds:
            self.transport.close()
        self._looking = self.loop.call_later(self.head_seconds, self._look)


class _Whole:
    """A transport on which the head of an answer waits for its body, where that has a length and so follows at once."""

    __slots__ = ("_head", "_transport")

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._head = b""

    def write(self, data: bytes) -> None:
        """Write, or keep, what is to go out."""
        if self._head:
            data, self._head = self._head + data, b""
        elif data.startswith(b"HTTP/") and b"\r\ncontent-length: " in data and data.endswith(b"\r\n\r\n"):
            self._head = data
            return
        self._transport.write(data)

    def flush(self) -> None:
        """Write the head of an answer that has no body."""
        if self._head:
            self.write(b"")

    def close(self) -> None:
        """Close it, once everything is out."""
        self.flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a transport has
        return getattr(self._transport, name)
