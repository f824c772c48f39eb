"""What is noted of one exchange while it goes on: when what happened, where it went, what came back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ringback import clock
from ringback.delivery.answers import Answer
from ringback.domain.exchanges import Exchange, Milliseconds
from ringback.domain.hosts import Objection


class Journey:
    """The notes of one exchange; begun when it is made.

    Attributes:
        now: the seconds in which everything is noted.
        answer: what came back.
        address: where it went.
    """

    __slots__ = (
        "_begun_at",
        "_started_at",
        "address",
        "answer",
        "connected_at",
        "connecting_at",
        "now",
        "resolved_at",
        "resolving_at",
    )

    def __init__(self) -> None:
        self.now: Callable[[], float] = asyncio.get_running_loop().time
        self.answer = Answer(self.now)
        self.address: str | None = None
        self.resolving_at: float | None = None
        self.resolved_at: float | None = None
        self.connecting_at: float | None = None
        self.connected_at: float | None = None
        self._started_at = clock.now()
        self._begun_at = self.now()

    def timed_out(self, after: float) -> Objection:
        """What was not done in time."""
        doing = "waiting for the answer"
        if self.resolving_at is not None and self.resolved_at is None:
            doing = "asking for the address of the host"
        elif self.connecting_at is not None and self.connected_at is None:
            doing = "connecting"
        return Objection("timeout", f"{doing} took more than {after:g} s")

    def end(self, failure: Objection | None = None) -> Exchange:
        """What came of it. A status that had come counts, even if the rest of the answer did not come."""
        answer = self.answer
        return Exchange(
            started_at=self._started_at,
            took=Milliseconds(
                total=_milliseconds(self._begun_at, self.now()) or 0,
                dns=_milliseconds(self.resolving_at, self.resolved_at),
                connect=_milliseconds(self.connecting_at, self.connected_at),
                first_byte=_milliseconds(self._begun_at, answer.headed_at),
            ),
            status=answer.status,
            headers=answer.headers,
            body=answer.body,
            truncated=answer.status is not None and not answer.is_whole,
            problem=failure.code if failure and answer.status is None else None,
            detail=failure.reason if failure else "",
            address=self.address,
        )


def _milliseconds(begun: float | None, ended: float | None) -> int | None:
    return None if begun is None or ended is None else round((ended - begun) * 1000)
