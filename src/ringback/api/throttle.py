"""Wrong credentials are answered 429 when an address sends too many; a right one is never locked out by others."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

WINDOW_SECONDS = 60
ADDRESSES_KEPT = 10_000


class WrongCredentials:
    """Counts wrong credentials by address in windows of a minute.

    Args:
        limit: how many an address may send in a window.
        seconds: a clock that only goes forward, in seconds.
    """

    def __init__(self, limit: int, seconds: Callable[[], float]) -> None:
        self._limit = limit
        self._seconds = seconds
        self._counts: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def is_too_many(self, ip: str) -> bool:
        """Count one more wrong credential from this address, and say whether that is too many."""
        window = int(self._seconds() // WINDOW_SECONDS)
        counted_in, count = self._counts.pop(ip, (window, 0))
        count = count + 1 if counted_in == window else 1
        self._counts[ip] = (window, count)
        if len(self._counts) > ADDRESSES_KEPT:
            self._counts.popitem(last=False)
        return count > self._limit
