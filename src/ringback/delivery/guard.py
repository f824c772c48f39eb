"""Where connections go: every address is vetted when its name is resolved, and again as its socket is made.

Names are resolved here and nowhere else, so a connection goes to exactly what was vetted, whatever the name means a
moment later. A connection that is kept open goes where it went.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from ipaddress import ip_address

from ringback.delivery.journeys import Journey
from ringback.delivery.lookups import Lookup
from ringback.domain.addresses import LOOPBACK, Address, Allowed
from ringback.domain.hosts import Objection, Target, is_localhost

DNS_SECONDS = 5.0
"""How long a name may take to resolve."""


class RefusedError(OSError):
    """Nothing is sent there; an ``OSError``, as everything else that keeps a connection from being made."""

    def __init__(self, objection: Objection) -> None:
        super().__init__(objection.reason)
        self.objection = objection


class Guard:
    """Tells of a host those addresses that may be connected to."""

    def __init__(self, allowed: Allowed, lookup: Lookup, seconds: float = DNS_SECONDS) -> None:
        self._allowed = allowed
        self._lookup = lookup
        self._seconds = seconds
        self._under_way: dict[str, asyncio.Future[Sequence[str]]] = {}

    async def resolve(self, target: Target, journey: Journey) -> list[Address]:
        """The vetted addresses of a host.

        Raises:
            RefusedError: it has addresses, none of which may be connected to.
            OSError: it has none, or none could be learnt in time.
        """
        if not isinstance(target.host, str):
            self.check(target, target.host)
            return [target.host]
        journey.resolving_at = journey.now()
        vetted, objections = [], []
        for address in LOOPBACK if is_localhost(target.host) else await self._addresses(target.host):
            objection = self._allowed.objection(target.host, address, plain=target.is_plain)
            if objection is None:
                vetted.append(address)
            else:
                objections.append(objection)
        if objections and not vetted:
            raise RefusedError(objections[0])
        journey.resolved_at = journey.now()
        return vetted

    def check(self, target: Target, address: Address) -> None:
        """Vet an address once more.

        Raises:
            RefusedError: it may not be connected to.
        """
        if objection := self._allowed.objection(target.host, address, plain=target.is_plain):
            raise RefusedError(objection)

    async def close(self) -> None:
        """Wait for no answer any more."""
        for lookup in self._under_way.values():
            lookup.cancel()

    async def _addresses(self, host: str) -> list[Address]:
        """Ask; whoever asks for the same name meanwhile waits for the same answer, so that none takes two threads."""
        lookup = self._under_way.get(host)
        if lookup is None:
            lookup = self._under_way[host] = asyncio.ensure_future(self._lookup(host))
            lookup.add_done_callback(lambda done: self._answered(host, done))
        try:
            async with asyncio.timeout(self._seconds):
                found = await asyncio.shield(lookup)
        except TimeoutError:
            raise OSError(f"no name server answered within {self._seconds:g} s") from None
        if not found:
            raise OSError("the name has no address")
        return [ip_address(address) for address in found]

    def _answered(self, host: str, lookup: asyncio.Future[Sequence[str]]) -> None:
        del self._under_way[host]
        if not lookup.cancelled():
            lookup.exception()  # known, even if nobody waits for it any more
