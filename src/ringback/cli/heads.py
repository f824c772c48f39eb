"""How long the head of a request may take: who begins one and never ends it keeps no connection for ever."""

from __future__ import annotations

from asyncio import Transport

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
        super().connection_made(transport)
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

    def on_response_complete(self) -> None:
        """Begin to wait for the next request, if it isn't there already."""
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
