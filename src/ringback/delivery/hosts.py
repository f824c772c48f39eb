"""What each host may be sent: so many requests under way, so many a second, and none while it is left in peace.

The breaker opens after :data:`FAILURES` failures in a row; then one request at a time probes the host, each after a
longer pause, until one gets through. A host that asks for time gets it, within bounds.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from http import HTTPStatus

from ringback.domain.exchanges import Exchange

FEWEST, MOST = 4, 64
"""Requests to one host at a time: one more with each answer, half as many after a failure."""

AT_FIRST = 16
"""The same of a host that is not known yet."""

AHEAD = 8
"""Times as many are taken for a host as are sent at once, so that none has to wait for the database."""

SLOWEST, FASTEST = 1.0, 16_000.0
"""Requests to one host a second: as fast as we can until it says that this is too fast, then half as many, and one more
with each answer."""

FAILURES = 5
"""Failures in a row that open the breaker."""

SHORTEST_PAUSE = 5.0
LONGEST_PAUSE = 300.0
"""Seconds that a host is left in peace: doubled with each probe that fails, or as it asks, within these bounds."""


class Sign(Enum):
    """What an attempt says of its host."""

    UP = auto()
    DOWN = auto()
    BUSY = auto()
    NOTHING = auto()
    """It never got there, for a reason of ours."""


def read_sign(exchange: Exchange) -> Sign:
    """What an exchange says of its host."""
    if exchange.status is None:
        return _SIGNS.get(exchange.problem or "no_answer", Sign.NOTHING)
    wishes = exchange.status == HTTPStatus.SERVICE_UNAVAILABLE and exchange.header("retry-after")
    if wishes or exchange.status == HTTPStatus.TOO_MANY_REQUESTS:
        return Sign.BUSY
    return Sign.UP if exchange.status < HTTPStatus.INTERNAL_SERVER_ERROR else Sign.DOWN


_SIGNS = {
    **dict.fromkeys(("timeout", "connect_failed", "reset", "no_answer", "tls_failed", "dns_failed"), Sign.DOWN),
    "bad_answer": Sign.UP,
}


@dataclass(slots=True)
class _Host:
    limit: int
    counted_at: float
    taken: int = 0
    under_way: int = 0
    failures: int = 0
    closed_until: float = 0.0
    pause: float = 0.0
    rate: float = FASTEST
    left: float = FASTEST
    """Of the requests that may be taken at once: as many as in a second, if none was for so long."""

    @property
    def is_down(self) -> bool:
        return self.failures >= FAILURES

    def count(self, now: float) -> None:
        """Let what may be taken grow with time."""
        self.left = min(self.rate, self.left + (now - self.counted_at) * self.rate)
        self.counted_at = now

    def close(self, now: float, seconds: float) -> None:
        self.closed_until = max(self.closed_until, now + min(max(seconds, SHORTEST_PAUSE), LONGEST_PAUSE))


class Hosts:
    """The hosts that a worker sends to: what it takes for each from the queue, and what it sends at once.

    Args:
        clock: seconds that only go forward.
        most: requests to one host at a time.
    """

    def __init__(self, clock: Callable[[], float], *, most: int = MOST) -> None:
        self._clock = clock
        self._most = most
        self._hosts: dict[str, _Host] = {}

    def room(self, host: str) -> int:
        """How many more deliveries may be taken for it now."""
        known = self._hosts.get(host)
        if known is None:
            return AHEAD * min(AT_FIRST, self._most)
        if self._clock() < known.closed_until:
            return 0
        if known.is_down:
            return 0 if known.taken else 1
        known.count(self._clock())
        return max(0, min(AHEAD * known.limit - known.taken, int(known.left)))

    def without_room(self) -> list[str]:
        """The hosts that nothing more may be taken for now."""
        return [name for name in self._hosts if self.room(name) <= 0]

    def opens_in(self) -> float:
        """In how many seconds the next host may be sent to again that is left in peace, or was sent enough."""
        now = self._clock()
        return min((wait for each in self._hosts.values() if (wait := _wait(each, now)) > 0), default=math.inf)

    def take(self, host: str) -> None:
        """A delivery was taken for it."""
        now = self._clock()
        known = self._hosts.setdefault(host, _Host(min(AT_FIRST, self._most), now))
        known.count(now)
        known.taken += 1
        known.left -= 1

    def give_back(self, host: str) -> None:
        """One that was taken is not sent after all."""
        known = self._hosts[host]
        known.taken -= 1
        known.left += 1

    def is_closed(self, host: str) -> bool:
        """Whether it is left in peace, but for a probe now and then."""
        return self._hosts[host].is_down or self._clock() < self._hosts[host].closed_until

    def may_begin(self, host: str) -> bool:
        """Whether one that was taken may be sent now."""
        known = self._hosts[host]
        if self._clock() < known.closed_until:
            return False
        return known.under_way < (1 if known.is_down else known.limit)

    def begin(self, host: str) -> None:
        """One that was taken is sent."""
        self._hosts[host].under_way += 1

    def end(self, host: str, sign: Sign, wish: float = 0.0) -> None:
        """It ended; ``wish`` is for how many seconds a busy host wants to be left in peace."""
        known, now = self._hosts[host], self._clock()
        known.under_way -= 1
        known.taken -= 1
        if sign is Sign.UP:
            if known.is_down:
                known.closed_until = now
            known.failures, known.pause = 0, 0.0
            known.limit = min(self._most, known.limit + 1)
            known.rate = min(FASTEST, known.rate + 1)
        elif sign is Sign.DOWN:
            known.failures += 1
            known.limit = max(FEWEST, known.limit // 2)
            if known.is_down and now >= known.closed_until:  # what was under way together fails together
                known.pause = min(max(SHORTEST_PAUSE, known.pause * 2), LONGEST_PAUSE)
                known.close(now, known.pause)
        elif sign is Sign.BUSY:
            known.failures, known.pause = 0, 0.0
            if now >= known.closed_until:  # what was under way together is too much together
                known.limit = max(FEWEST, known.limit // 2)
                known.rate = max(SLOWEST, known.rate / 2)
            known.close(now, wish)


def _wait(host: _Host, now: float) -> float:
    if now < host.closed_until:
        return host.closed_until - now
    host.count(now)
    return (1 - host.left) / host.rate
