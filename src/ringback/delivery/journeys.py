"""What is noted of one exchange while it goes on: when what happened, where it went, what came back."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar

from aiohttp import ClientResponse

from ringback import clock
from ringback.domain.exchanges import BODY_KEPT, Exchange, Milliseconds
from ringback.domain.hosts import Objection

HEADERS_KEPT = 100
LONGEST_HEADER = 2000
"""How much of an answer's head is kept."""


class Journey:
    """The notes of one exchange; begun when it is made."""

    def __init__(self) -> None:
        self._seconds = asyncio.get_running_loop().time
        self._started_at = clock.now()
        self._marks = {"begun": self._seconds()}
        self._status: int | None = None
        self._headers: tuple[tuple[str, str], ...] = ()
        self._body = bytearray()
        self._is_whole = False
        self._address: str | None = None

    def mark(self, name: str) -> None:
        """Note that something happened just now, for the first time."""
        self._marks.setdefault(name, self._seconds())

    def arrive(self, transport: asyncio.BaseTransport | None) -> None:
        """Note a connection, new or used before; None is one that is closed already."""
        if "connecting" in self._marks:
            self.mark("connected")
        peer = transport and transport.get_extra_info("peername")
        self._address = peer[0] if peer else None

    async def read(self, response: ClientResponse) -> None:
        """Note an answer, as much of it as is kept."""
        self.mark("answered")
        self._headers = tuple(
            (name.decode(errors="replace"), value.decode(errors="replace")[:LONGEST_HEADER])
            for name, value in response.raw_headers[:HEADERS_KEPT]
        )
        self._status = response.status
        while not response.content.at_eof() and len(self._body) <= BODY_KEPT:
            self._body += await response.content.read(BODY_KEPT + 1 - len(self._body))
        self._is_whole = len(self._body) <= BODY_KEPT

    def timed_out(self, after: float) -> Objection:
        """What was not done in time."""
        doing = "waiting for the answer"
        if self._is_between("resolving", "resolved"):
            doing = "asking for the address of the host"
        elif self._is_between("connecting", "connected"):
            doing = "connecting"
        return Objection("timeout", f"{doing} took more than {after:g} s")

    def end(self, failure: Objection | None = None) -> Exchange:
        """What came of it. A status that had come counts, even if the rest of the answer did not come."""
        self.mark("ended")
        return Exchange(
            started_at=self._started_at,
            took=Milliseconds(
                total=self._took("begun", "ended") or 0,
                dns=self._took("resolving", "resolved"),
                connect=self._took("connecting", "connected"),
                first_byte=self._took("begun", "answered"),
            ),
            status=self._status,
            headers=self._headers,
            body=bytes(self._body[:BODY_KEPT]),
            truncated=self._status is not None and not self._is_whole,
            problem=failure.code if failure and self._status is None else None,
            detail=failure.reason if failure else "",
            address=self._address,
        )

    def _is_between(self, begin: str, end: str) -> bool:
        return begin in self._marks and end not in self._marks

    def _took(self, begin: str, end: str) -> int | None:
        begun, ended = self._marks.get(begin), self._marks.get(end)
        return None if begun is None or ended is None else round((ended - begun) * 1000)


JOURNEY: ContextVar[Journey] = ContextVar("journey")
"""The exchange that the present task is about."""
