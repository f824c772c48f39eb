"""What each host may be sent at once: a limit of requests under way, and a breaker that spares a host that is down.

The breaker opens after :data:`FAILURES` failures in a row; then one request at a time probes the host, each after a
longer pause, until one gets through.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

FEWEST, MOST = 4, 64
"""Requests to one host at a time: one more with each answer, half as many after a failure."""

AT_FIRST = 16
"""The same of a host that is not known yet."""

FAILURES = 5
"""Failures in a row that open the breaker."""

SHORTEST_PAUSE = 5.0
LONGEST_PAUSE = 300.0
"""Seconds before a host that is down is probed again: doubled with each probe that fails, up to the longest."""


@dataclass(slots=True)
class _Host:
    limit: int
    under_way: int = 0
    failures: int = 0
    closed_until: float = 0.0
    pause: float = 0.0


class Hosts:
    """The hosts that a worker sends to.

    Args:
        clock: seconds that only go forward.
        most: requests to one host at a time.
    """

    def __init__(self, clock: Callable[[], float], *, most: int = MOST) -> None:
        self._clock = clock
        self._most = most
        self._hosts: dict[str, _Host] = {}

    def room(self, host: str) -> int:
        """How many more requests may begin now."""
        known = self._hosts.get(host)
        if known is None:
            return min(AT_FIRST, self._most)
        if known.failures < FAILURES:
            return known.limit - known.under_way
        return 1 if not known.under_way and self._clock() >= known.closed_until else 0

    def without_room(self) -> list[str]:
        """The hosts that may be sent nothing more now."""
        return [host for host in self._hosts if self.room(host) <= 0]

    def begin(self, host: str) -> None:
        """A request begins."""
        self._hosts.setdefault(host, _Host(min(AT_FIRST, self._most))).under_way += 1

    def end(self, host: str, *, answered: bool) -> None:
        """A request ended; ``answered`` if the host is up, whatever it said."""
        known = self._hosts[host]
        known.under_way -= 1
        if not answered:
            known.failures += 1
            known.limit = max(FEWEST, known.limit // 2)
            if known.failures >= FAILURES:
                known.pause = min(max(SHORTEST_PAUSE, known.pause * 2), LONGEST_PAUSE)
                known.closed_until = self._clock() + known.pause
            return
        known.failures, known.pause = 0, 0.0
        known.limit = min(self._most, known.limit + 1)
