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

AHEAD = 4
"""Times as many are taken for a host as are sent at once, so that none has to wait for the database."""

FAILURES = 5
"""Failures in a row that open the breaker."""

SHORTEST_PAUSE = 5.0
LONGEST_PAUSE = 300.0
"""Seconds before a host that is down is probed again: doubled with each probe that fails, up to the longest."""


@dataclass(slots=True)
class _Host:
    limit: int
    taken: int = 0
    under_way: int = 0
    failures: int = 0
    closed_until: float = 0.0
    pause: float = 0.0

    @property
    def is_down(self) -> bool:
        return self.failures >= FAILURES


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
        if known.is_down:
            return 1 if not known.taken and self._clock() >= known.closed_until else 0
        return AHEAD * known.limit - known.taken

    def without_room(self) -> list[str]:
        """The hosts that nothing more may be taken for, though they are well."""
        return [name for name, host in self._hosts.items() if not host.is_down and self.room(name) <= 0]

    def pause(self, host: str) -> float:
        """For how many seconds it is left in peace, since it is down; 0 if it isn't, or may be probed."""
        known = self._hosts.get(host)
        if known is None or not known.is_down:
            return 0.0
        return max(known.closed_until - self._clock(), SHORTEST_PAUSE if known.taken else 0.0)

    def take(self, host: str) -> None:
        """A delivery was taken for it."""
        self._hosts.setdefault(host, _Host(min(AT_FIRST, self._most))).taken += 1

    def give_back(self, host: str) -> None:
        """One that was taken is not sent after all."""
        self._hosts[host].taken -= 1

    def is_down(self, host: str) -> bool:
        """Whether it is left in peace but for a probe now and then."""
        return self._hosts[host].is_down

    def may_begin(self, host: str) -> bool:
        """Whether one that was taken may be sent now."""
        known = self._hosts[host]
        if known.is_down:
            return not known.under_way and self._clock() >= known.closed_until
        return known.under_way < known.limit

    def begin(self, host: str) -> None:
        """One that was taken is sent."""
        self._hosts[host].under_way += 1

    def end(self, host: str, *, answered: bool) -> None:
        """It ended; ``answered`` if the host is up, whatever it said."""
        known = self._hosts[host]
        known.under_way -= 1
        known.taken -= 1
        if not answered:
            known.failures += 1
            known.limit = max(FEWEST, known.limit // 2)
            if known.is_down and self._clock() >= known.closed_until:  # what was under way together fails together
                known.pause = min(max(SHORTEST_PAUSE, known.pause * 2), LONGEST_PAUSE)
                known.closed_until = self._clock() + known.pause
            return
        known.failures, known.pause = 0, 0.0
        known.limit = min(self._most, known.limit + 1)
