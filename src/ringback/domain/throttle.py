"""Wrong credentials are counted, and answered 429 where there are too many; what counts is decided by who asks."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

MINUTE_SECONDS = 60
SENDERS_KEPT = 10_000


class WrongCredentials:
    """Counts wrong credentials by their sender in windows of time. Not to be asked by two threads at once.

    Args:
        limit: how many a sender may send in a window.
        seconds: a clock that only goes forward, in seconds.
        window: how long a window is, in seconds.
    """

    def __init__(self, limit: int, seconds: Callable[[], float], window: int = MINUTE_SECONDS) -> None:
        self._limit = limit
        self._seconds = seconds
        self._window = window
        self._counts: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def is_too_many(self, sender: str) -> bool:
        """Count one more wrong credential from this sender, and say whether that is too many."""
        return self._add(sender, 1) > self._limit

    def take_back(self, sender: str) -> None:
        """What was counted last was right after all."""
        self._add(sender, -1)

    def _add(self, sender: str, number: int) -> int:
        window = int(self._seconds() // self._window)
        counted_in, count = self._counts.pop(sender, (window, 0))
        count = max(0, count + number if counted_in == window else number)
        self._counts[sender] = (window, count)
        if len(self._counts) > SENDERS_KEPT:
            self._counts.popitem(last=False)
        return count
