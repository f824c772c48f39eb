"""One connection to the server of another: one request goes out over it at a time, and its answer comes back."""

from __future__ import annotations

import asyncio
from typing import cast

from ringback.delivery.answers import Answer, AnswerReader, BadAnswerError


class LateError(Exception):
    """The time is over, and the exchange isn't."""


class NoAnswerError(Exception):
    """The other side closed the connection before the head of its answer."""


class Connection(asyncio.Protocol):
    """A connection, over which one request goes out at a time.

    Attributes:
        address: where it goes.
        idle_since: when it was last used, in the seconds of the loop; 0 if it wasn't yet.
    """

    def __init__(self) -> None:
        self.address: str | None = None
        self.idle_since = 0.0
        self.lost = asyncio.get_running_loop().create_future()
        self._transport: asyncio.Transport | None = None
        self._reader = AnswerReader()
        self._answer: Answer | None = None
        self._early = b""
        self._waiter: asyncio.Future[None] | None = None

    @property
    def can_be_used(self) -> bool:
        """Whether another request may go out over it."""
        wire = self._transport
        return self._reader.may_go_on and wire is not None and not (wire.is_closing() or wire.get_write_buffer_size())

    async def exchange(self, method: str, request: bytes, answer: Answer, until: float) -> None:
        """Send a request and read the answer to it, as much of it as is kept.

        Raises:
            LateError: it took longer than until then, in the seconds of the loop.
            NoAnswerError: the other side closed the connection instead.
            BadAnswerError: what came is no answer.
            OSError: the connection broke off.
        """
        self._answer = answer
        self._reader.expect(answer, method)
        loop = asyncio.get_running_loop()
        self._waiter = loop.create_future()
        limit = loop.call_at(until, self._tell, LateError())
        if self._transport is not None:
            self._transport.write(request)
        if self._early:
            self._read(answer, self._early)
            self._early = b""
        if self._transport is None:
            self._end(None)
        try:
            await self._waiter
        finally:
            limit.cancel()
            self._answer = self._waiter = None

    def close(self) -> None:
        """Close it at once."""
        if self._transport is not None:
            self._transport.abort()

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It came about."""
        self._transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        self.address = peer[0] if peer else None

    def data_received(self, data: bytes) -> None:
        """Something came."""
        if self._answer is None:
            self._take_unasked(data)
        else:
            self._read(self._answer, data)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is closed."""
        self._transport = None
        self._end(exc)
        if not self.lost.done():
            self.lost.set_result(None)

    def _end(self, failure: Exception | None) -> None:
        if self._answer is not None:
            self._reader.end()
            is_done = self._answer.is_done
            self._tell(None if is_done else failure if isinstance(failure, OSError) else NoAnswerError())

    def _take_unasked(self, data: bytes) -> None:
        """Some answer as soon as they are connected to; later on it is no answer to anything."""
        if self.idle_since:
            self.close()
        else:
            self._early += data

    def _read(self, answer: Answer, data: bytes) -> None:
        try:
            self._reader.feed(data)
        except BadAnswerError as error:
            self._tell(error)
        else:
            if answer.is_done:
                self._tell(None)

    def _tell(self, failure: Exception | None) -> None:
        if self._waiter is None or self._waiter.done():
            return
        if failure is None:
            self._waiter.set_result(None)
        else:
            self._waiter.set_exception(failure)
