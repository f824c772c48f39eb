"""Wrong passwords are slowed: by the address that they come from, and by the e-mail address that they are for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import IPv6Address, ip_address, ip_network
from threading import Lock

from ringback.domain.errors import Refusal
from ringback.domain.names import name_key
from ringback.domain.throttle import WrongCredentials

MOST_FOR_A_USER = 20
MINUTES = 15
"""So many wrong passwords for one e-mail address are answered in so many minutes: 80 an hour, whoever sends them."""

_SITE_BITS = 64
"""One customer has at least so many bits of an IPv6 address for himself."""


class Guesses:
    """Counts wrong passwords.

    Args:
        limit: how many an address may send in a minute.
        seconds: a clock that only goes forward, in seconds.
    """

    def __init__(self, limit: int, seconds: Callable[[], float]) -> None:
        self._by_sender = WrongCredentials(limit, seconds)
        self._by_user = WrongCredentials(MOST_FOR_A_USER, seconds, MINUTES * 60)
        self._lock = Lock()

    @contextmanager
    def one(self, ip: str, email: str) -> Iterator[None]:
        """Look at one password inside; it counts as wrong unless that goes well.

        Raises:
            Refusal: ``too_many_passwords``; then it is not to be looked at, be it right or wrong.
        """
        sender, user = _site(ip), name_key(email)
        with self._lock:
            from_sender, for_user = self._by_sender.is_too_many(sender), self._by_user.is_too_many(user)
        if from_sender or for_user:
            raise too_many(MINUTES if for_user else 1)
        yield
        with self._lock:
            self._by_sender.take_back(sender)
            self._by_user.take_back(user)

    def is_too_many(self, ip: str) -> bool:
        """Count one more thing that an address asks for without saying who it is, and say whether that is too much."""
        with self._lock:
            return self._by_sender.is_too_many(_site(ip))


def too_many(minutes: int) -> Refusal:
    """The refusal that says how long to wait."""
    wait = "a minute" if minutes == 1 else f"{minutes} minutes"
    return Refusal("too_many_passwords", wait=wait, seconds=str(minutes * 60))


def _site(ip: str) -> str:
    """The address, or of one of version 6 the part that its owner can't choose."""
    try:
        address = ip_address(ip)
    except ValueError:
        return ip
    is_long = isinstance(address, IPv6Address) and address.ipv4_mapped is None
    return str(ip_network((address, _SITE_BITS), strict=False)) if is_long else ip
