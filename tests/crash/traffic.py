"""The clients of the harness: they send updates, come again where that is safe, and note what they were told.

Each update is known by its amount, so that the ledger shows which were done and how often. An addition adds its amount
to the revenue; a set writes its amount as the payout and its number into a contact field. Additions carry a key, or
not, and so do sets. What has a key is sent again, with the same key, until it is done, whatever happens to the server.
What has none is sent once: the server may have got it, or has promised that it did nothing.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec

from ringback.domain.bodies import Value

PAUSE = 0.02
"""How long a client waits before it comes again, in seconds."""

PATIENCE = 60.0
"""Seconds after which a server that is up and doesn't answer hangs."""

OK, BUSY = 200, 503

MICRO = Decimal("0.000001")

CLIENTS = 32
"""How many send at once, unless said otherwise."""

HOT_EVERY = 4
"""Every fourth update is for the one call that everybody wants."""


@dataclass(slots=True)
class Sent:
    """One update, and what its client was told."""

    number: int
    uuid: str
    adds: bool
    has_key: bool
    answer: Mapping[str, Any] | None = None
    replayed: bool = False
    unsure: bool = False

    @property
    def amount(self) -> Decimal:
        """The amount that no other update has."""
        return self.number * MICRO

    @property
    def key(self) -> str | None:
        """Its Idempotency-Key."""
        return f"key-{self.number}" if self.has_key else None

    @property
    def body(self) -> Mapping[str, Value]:
        """What it asks for."""
        if self.adds:
            return {"add_revenue": str(self.amount)}
        return {"payout": str(self.amount), "post_call_tokens": {"mark": str(self.number)}}


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401 - any JSON
        """The body as JSON."""
        return msgspec.json.decode(self.body)


class CutOffError(Exception):
    """The connection ended before the answer came; ``sent`` tells whether the server may have got the request."""

    def __init__(self, *, sent: bool) -> None:
        super().__init__("cut off")
        self.sent = sent


class Line:
    """One client's connection to a server, opened when it is needed and kept open."""

    def __init__(self, port: int, authorization: str) -> None:
        self._port = port
        self._head = f"Host: acme.localhost\r\nAuthorization: {authorization}\r\nContent-Type: application/json\r\n"
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self.has_sent = False

    async def post(self, uuid: str, body: Mapping[str, object], key: str | None = None) -> Reply:
        """Send one update and wait for its answer.

        Raises:
            CutOffError: there is none.
        """
        data = msgspec.json.encode(body)
        named = f"Idempotency-Key: {key}\r\n" if key else ""
        head = (
            f"POST /api/v1/calls/update_call/{uuid} HTTP/1.1\r\n{self._head}{named}Content-Length: {len(data)}\r\n\r\n"
        )
        self.has_sent = False
        try:
            reader, writer = self._streams = self._streams or await asyncio.open_connection("127.0.0.1", self._port)
            self.has_sent = True
            writer.write(head.encode() + data)
            async with asyncio.timeout(PATIENCE):
                reply = await _read(reader)
        except (OSError, asyncio.IncompleteReadError) as error:
            if isinstance(error, TimeoutError):
                raise
            self.hang_up()
            raise CutOffError(sent=self.has_sent) from error
        if reply.headers.get("connection") == "close":
            self.hang_up()
        return reply

    def hang_up(self) -> None:
        """Close the connection."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def _read(reader: asyncio.StreamReader) -> Reply:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.rstrip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Reply(int(first.split()[1]), headers, await reader.readexactly(int(headers["content-length"])))


@dataclass
class Traffic:
    """Clients of one or several servers, all at work until they are told to stop.

    Attributes:
        ports: the servers; clients are spread over them.
        authorization: of every request.
        uuids: the calls; the first is the hot one.
        clients: how many send at once.
        first: the number of the first update; no two of a siege may be the same.
        sent: every update so far.
        codes: how often each answer was given.
    """

    ports: Sequence[int]
    authorization: str
    uuids: Sequence[str]
    clients: int = CLIENTS
    first: int = 1
    sent: list[Sent] = field(default_factory=list)
    codes: Counter[str] = field(default_factory=Counter)
    _over: bool = False
    _gives_up: bool = False
    _progress: asyncio.Condition = field(default_factory=asyncio.Condition)

    @asynccontextmanager
    async def flowing(self) -> AsyncIterator[None]:
        """Have the clients at work during the block; then each finishes what it has begun."""
        async with asyncio.TaskGroup() as group:
            for number in range(self.clients):
                group.create_task(self._work(Line(self.ports[number % len(self.ports)], self.authorization)))
            try:
                yield
            finally:
                self._over = True

    def give_up(self) -> None:
        """Have the clients leave also what they would send again: the server won't come back."""
        self._over = self._gives_up = True

    async def until(self, more: int, code: str = "applied") -> None:
        """Wait until so many more updates have met with this."""
        wanted = self.codes[code] + more
        async with asyncio.timeout(PATIENCE), self._progress:
            await self._progress.wait_for(lambda: self.codes[code] >= wanted)

    async def _work(self, line: Line) -> None:
        try:
            while not self._over:
                self.sent.append(sent := self._next())
                while not await self._post(sent, line) and not self._gives_up:  # noqa: ASYNC110 - clients come again
                    await asyncio.sleep(PAUSE)
                if sent.answer is None:
                    await asyncio.sleep(PAUSE)
        finally:
            line.hang_up()

    def _next(self) -> Sent:
        number = self.first + len(self.sent)
        uuid = self.uuids[0] if number % HOT_EVERY == 0 else self.uuids[number % len(self.uuids)]
        return Sent(number, uuid, adds=number % 3 != 0, has_key=number % 5 != 0)

    async def _post(self, sent: Sent, line: Line) -> bool:
        """Send an update once; tells whether its client leaves it at that."""
        try:
            reply = await line.post(sent.uuid, sent.body, sent.key)
        except CutOffError as error:
            sent.unsure |= error.sent
            await self._count("cut off" if error.sent else "not reached")
            return error.sent and not sent.has_key
        document = reply.json
        sent.unsure |= document["code"] == "unconfirmed"
        if reply.status == OK:
            sent.answer, sent.replayed = document, "idempotent-replayed" in reply.headers
        await self._count(
            document["code"] if reply.status != BUSY or "retry-after" in reply.headers else "no Retry-After"
        )
        return reply.status != BUSY or not sent.has_key

    async def _count(self, code: str) -> None:
        self.codes[code] += 1
        async with self._progress:
            self._progress.notify_all()
