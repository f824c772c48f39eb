"""Addresses of an account's API as its senders write them: with the account in the host, or in the path."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import quote, urlsplit

from ringback.console.pages import Visit

SUBDOMAIN, UUID = "[trackdrive_subdomain]", "[trackdrive_call_uuid]"
"""The template tokens of the guide."""


@dataclass(frozen=True, slots=True)
class Address:
    """One way to address an account; ``pattern`` is where any account is, with ``{}`` for its subdomain."""

    name: str
    pattern: str
    subdomain: str

    @property
    def short(self) -> str:
        """What tells it from the other way."""
        return self._root(self.subdomain).partition("://")[2]

    @property
    def host(self) -> str:
        """The host name, which the sender must be able to find."""
        return urlsplit(self._root(self.subdomain)).hostname or ""

    @property
    def for_any_account(self) -> str:
        """Where updates go, with template tokens for the account and the call."""
        return self._endpoint(SUBDOMAIN, UUID)

    def endpoint(self, call: str) -> str:
        """Where updates of a call go."""
        return self._endpoint(self.subdomain, call)

    def _endpoint(self, subdomain: str, call: str) -> str:
        return f"{self._root(subdomain)}/api/v1/calls/update_call/{call}"

    def _root(self, subdomain: str) -> str:
        return self.pattern.format(subdomain)


def addresses(visit: Visit, subdomain: str) -> Sequence[Address]:
    """The ways to address an account, the one to be tried first in front.

    That is the guide's, with the account in the host, but where it isn't found by every sender: below ``localhost``
    not all programs do; below an IP address there is no name at all.
    """
    base = quote(visit.link(""), safe="/:[]")
    by_path = Address("path", f"{base}/a/{{}}", subdomain)
    domain, own = visit.tools.base_domain, urlsplit(base)
    if _is_ip_address(domain):
        return (by_path,)
    by_host = Address("host", f"{own.scheme}://{{}}.{domain}{own.netloc[len(_host_of(own.netloc)) :]}", subdomain)
    return (by_path, by_host) if domain == "localhost" else (by_host, by_path)


def _is_ip_address(host: str) -> bool:
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def _host_of(netloc: str) -> str:
    """A host without its port, as it stands in an address."""
    return netloc.partition("]")[0] + "]" if netloc.startswith("[") else netloc.partition(":")[0]
