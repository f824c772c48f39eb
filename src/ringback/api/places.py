"""Where a request goes: which account, by host or path, which path in it, and from which address it comes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any

from ringback.domain.errors import Refusal
from ringback.domain.masking import mask_keys

Scope = dict[str, Any]
"""An ASGI connection scope."""

_BY_PATH = re.compile(r"/a/([^/\0]+)(/.*|$)", re.DOTALL)
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Place:
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
        by_host = self._account_of(_header(scope, b"host"))
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
        return bool(self._account_of(_header(scope, b"host")))

    def address(self, scope: Scope) -> str:
        """The address of the sender; behind trusted proxies the last one that is not theirs."""
        ip = str(scope["client"][0]) if scope.get("client") else ""
        if not self.trusted_proxies:
            return ip
        forwarded = [part.strip() for part in _header(scope, b"x-forwarded-for").split(",") if part.strip()]
        while self._is_trusted(ip) and forwarded:
            ip = forwarded.pop()
        return ip

    def scheme(self, scope: Scope) -> str:
        """``http`` or ``https``, as the sender asked for it; behind a trusted proxy, as that one says."""
        peer = str(scope["client"][0]) if scope.get("client") else ""
        told = _header(scope, b"x-forwarded-proto").rpartition(",")[2].strip().lower()
        return told if told in {"http", "https"} and self._is_trusted(peer) else str(scope["scheme"])

    def _account_of(self, host: str) -> str:
        name = _without_port(host)
        if name == self.base_domain or name in _LOOPBACK or name.startswith("127."):
            return ""
        subdomain, dot, rest = name.partition(".")
        if dot and rest == self.base_domain:
            return subdomain
        raise Refusal("host_not_served", host=name[:255])

    def _is_trusted(self, ip: str) -> bool:
        try:
            address = ip_address(ip)
        except ValueError:
            return False
        return any(address in network for network in self.trusted_proxies)


def _without_port(host: str) -> str:
    host = host.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].rstrip(".")


def _header(scope: Scope, name: bytes) -> str:
    for key, value in scope["headers"]:
        if key == name:
            return str(value.decode("latin-1"))
    return ""
