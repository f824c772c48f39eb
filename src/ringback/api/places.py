"""Where a request goes: which account, by host or path, which path in it, and from which address it comes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any

from msgspec import Struct

from ringback.domain.errors import Refusal
from ringback.domain.masking import mask_keys

Scope = dict[str, Any]
"""An ASGI connection scope."""

_BY_PATH = re.compile(r"/a/([^/\0]+)(/.*|$)", re.DOTALL)
_HOST = re.compile(r"(\[::1\]|[^\s:@/\[\]]+?)\.?(?::[0-9]{0,5})?")
"""A name or an address, maybe with a port; nothing that a browser would read as something else."""

_LOOPBACK = re.compile(r"localhost|\[::1\]|127(?:\.(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])){3}")


class Place(Struct, frozen=True):
    """An account (by subdomain; empty if the request names none) and the path within it."""

    account: str
    path: str


@dataclass(frozen=True, slots=True)
class Places:
    """Which hosts are served, and whose addresses are believed.

    Args:
        base_domain: accounts are at its subdomains.
        default_account: the subdomain that a bare host means; empty for none.
        trusted_proxies: whose ``X-Forwarded-For`` counts.
    """

    base_domain: str
    default_account: str
    trusted_proxies: Sequence[IPv4Network | IPv6Network] = ()

    def locate(self, scope: Scope) -> Place:
        """The place that a request is for.

        Raises:
            Refusal: ``host_not_served``; ``account_conflict`` where host and path name two accounts.
        """
        by_host = _account_of(_header(scope, b"host"), self.base_domain)
        by_path = _BY_PATH.fullmatch(scope["path"])
        if by_path is None:
            return Place(by_host or self.default_account, scope["path"])
        account = mask_keys(by_path[1]).lower()  # whatever stands there is told to the sender
        if by_host and by_host != account:
            raise Refusal("account_conflict", host_account=by_host, path_account=account)
        return Place(account, by_path[2] or "/")

    def is_account_host(self, scope: Scope) -> bool:
        """Whether the host itself names an account.

        Raises:
            Refusal: ``host_not_served``.
        """
        return bool(_account_of(_header(scope, b"host"), self.base_domain))

    def address(self, scope: Scope) -> str:
        """The address of the sender; behind trusted proxies the last one that is not theirs."""
        ip = str(scope["client"][0]) if scope.get("client") else ""
        if not self.trusted_proxies:
            return ip
        forwarded = _listed(scope, b"x-forwarded-for")
        while self._is_trusted(ip) and forwarded:
            ip = forwarded.pop()
        return ip

    def scheme(self, scope: Scope) -> str:
        """``http`` or ``https``, as the sender asked for it; behind a trusted proxy, as that one says."""
        peer = str(scope["client"][0]) if scope.get("client") else ""
        told = _listed(scope, b"x-forwarded-proto")[-1:]
        return told[0] if told in (["http"], ["https"]) and self._is_trusted(peer) else str(scope["scheme"])

    def _is_trusted(self, ip: str) -> bool:
        try:
            address = ip_address(ip)
        except ValueError:
            return False
        return any(address in network for network in self.trusted_proxies)


@lru_cache(maxsize=1024)
def _account_of(host: str, base_domain: str) -> str:
    read = _HOST.fullmatch(host.strip().lower())
    name = read[1] if read else ""
    if name == base_domain or _LOOPBACK.fullmatch(name):
        return ""
    subdomain, dot, rest = name.partition(".")
    if dot and subdomain and rest == base_domain:
        return subdomain
    raise Refusal("host_not_served", host=mask_keys(name)[:255] or "(none)")


def _header(scope: Scope, name: bytes) -> str:
    for key, value in scope["headers"]:
        if key == name:
            return str(value.decode("latin-1"))
    return ""


def _listed(scope: Scope, name: bytes) -> list[str]:
    """What a header lists; a proxy may add a line of its own below the one that the sender made up."""
    lines = ",".join(value.decode("latin-1") for key, value in scope["headers"] if key == name)
    return [part.strip().lower() for part in lines.split(",") if part.strip()]
