"""Which addresses a delivery may go to: all ordinary ones of the internet, and those that the operator allowed.

Everything else is special, by the registries of IANA (RFC 6890 and what followed), or a metadata service of a cloud. An
IPv6 address that leads to an IPv4 one is judged by that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import TypeAlias

from ringback.domain.errors import RingbackError
from ringback.domain.hosts import Host, HostPattern, Objection, UrlError, is_localhost

Address: TypeAlias = "IPv4Address | IPv6Address"
Network: TypeAlias = "IPv4Network | IPv6Network"

LOOPBACK = (IPv4Address("127.0.0.1"), IPv6Address("::1"))
"""What the names below ``localhost`` mean."""

WIDEST: Mapping[int, int] = {4: 8, 6: 7}
"""By version of IP, the shortest prefix that can be allowed; wider ones would turn the check off."""


class Kind(StrEnum):
    """What an address is if it is not an ordinary one."""

    METADATA = "a metadata service of a cloud"
    UNSPECIFIED = "the unspecified address"
    LOOPBACK = "this machine itself"
    PRIVATE = "a private address"
    SHARED = "an address shared behind a carrier's NAT"
    LINK_LOCAL = "a link-local address"
    BENCHMARKING = "an address for benchmarks"
    DOCUMENTATION = "an address for documentation"
    MULTICAST = "a multicast address"
    BROADCAST = "the broadcast address"
    TRANSLATED = "an address for local translation to IPv4"
    RESERVED = "a reserved address"


@dataclass(frozen=True, slots=True)
class Special:
    """What kind of special address one is, and a sentence that says so."""

    kind: Kind
    reason: str


class AllowedError(RingbackError):
    """A list of allowed hosts and networks that can't be read."""


@lru_cache(maxsize=4096)
def special(address: Address) -> Special | None:
    """Why an address is none of the ordinary ones of the internet; None if it is one."""
    inner = _embedded(address) if isinstance(address, IPv6Address) else ()
    if inner:
        found = next(((each, found.kind) for each in inner if (found := special(each))), None)
        return found and Special(found[1], f"{address} leads to {found[0]}, {found[1]}")
    kind = next((kind for network, kind in _RANGES if address in network), None)
    if kind is None and isinstance(address, IPv6Address) and address not in _ORDINARY:
        kind = Kind.RESERVED
    return Special(kind, f"{address} is {kind}") if kind else None


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the operator allows beyond ordinary addresses and https.

    A network allows its addresses, whatever they are. A host allows plain http, and the addresses that its name has in
    the operator's own network; not link-local ones and metadata services, lest ``*.internal`` open those of a cloud.
    """

    networks: tuple[Network, ...] = ()
    hosts: tuple[HostPattern, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Allowed:
        """Read a list such as ``10.0.0.0/8, hooks.internal, *.localhost``.

        Raises:
            AllowedError: an entry is neither a network nor a host, or too wide a network.
        """
        networks: list[Network] = []
        hosts: list[HostPattern] = []
        for entry in filter(None, (part.strip() for part in text.split(","))):
            network = _network(entry)
            if network is None:
                hosts.append(_pattern(entry))
            else:
                networks.append(network)
        return cls(tuple(networks), tuple(hosts))

    def objection(self, host: Host, address: Address, *, plain: bool) -> Objection | None:
        """Why nothing is sent to this host at this address; None if it may be.

        Args:
            host: as the URL names it; a name or the address itself.
            address: where a connection would go.
            plain: whether without encryption.
        """
        if self._has(address):
            return None
        found = special(address)
        if found and not (found.kind in _OPENED_BY_NAME and self._names(host)):
            return Objection("address_refused", found.reason)
        return self._objection_to_plain(host) if plain else None

    def objection_to(self, host: Host, *, plain: bool) -> Objection | None:
        """What can be said against a host without asking for the addresses of its name; None leaves that open."""
        if isinstance(host, str) and not is_localhost(host):
            return self._objection_to_plain(host) if plain and not self.networks else None
        addresses = LOOPBACK if isinstance(host, str) else (host,)
        objections = [self.objection(host, address, plain=plain) for address in addresses]
        return objections[0] if all(objections) else None

    def _objection_to_plain(self, host: Host) -> Objection | None:
        reason = f"the URL of {host} begins with http:, which is not encrypted"
        return None if self._names(host) else Objection("scheme_refused", reason)

    def _names(self, host: Host) -> bool:
        return any(pattern.matches(host) for pattern in self.hosts)

    def _has(self, address: Address) -> bool:
        mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
        return any(each in network for network in self.networks for each in (address, mapped) if each)


def _network(entry: str) -> Network | None:
    try:
        network = ip_network(entry.removeprefix("[").removesuffix("]"), strict=False)
    except ValueError:
        if "/" not in entry:
            return None
        raise AllowedError(f"{entry[:80]!a} is not a network such as 10.0.0.0/8, nor a host without scheme") from None
    widest = WIDEST[network.version]
    if network.prefixlen < widest:
        raise AllowedError(f"{entry} is too wide: name the networks that you mean, none wider than /{widest}")
    return network


def _pattern(entry: str) -> HostPattern:
    try:
        return HostPattern.parse(entry)
    except UrlError as error:
        raise AllowedError(f"{error}; write hosts without scheme and port, as hooks.internal or *.localhost") from None


def _embedded(address: IPv6Address) -> tuple[IPv4Address, ...]:
    """What an IPv6 address leads to: mapped, by NAT64 (RFC 6052), by 6to4 (RFC 3056), by Teredo (RFC 4380)."""
    if address in _NAT64:
        return (IPv4Address(int(address) & 0xFFFFFFFF),)
    one = address.ipv4_mapped or address.sixtofour
    return (one,) if one else address.teredo or ()


def _ranges() -> Iterator[tuple[Network, Kind]]:
    for kind, networks in _NETWORKS.items():
        for network in networks.split():
            yield ip_network(network), kind


_OPENED_BY_NAME = frozenset({Kind.LOOPBACK, Kind.PRIVATE, Kind.SHARED})
_NETWORKS: Mapping[Kind, str] = {
    Kind.METADATA: (
        "169.254.169.254 169.254.170.2 169.254.170.23 100.100.100.200 168.63.129.16 192.0.0.192"
        " fd00:ec2::254 fd00:ec2::23 fd20:ce::254"
    ),
    Kind.UNSPECIFIED: "0.0.0.0/8 ::/128",
    Kind.LOOPBACK: "127.0.0.0/8 ::1/128",
    Kind.PRIVATE: "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 fc00::/7 fec0::/10",
    Kind.SHARED: "100.64.0.0/10",
    Kind.LINK_LOCAL: "169.254.0.0/16 fe80::/10",
    Kind.BENCHMARKING: "198.18.0.0/15 2001:2::/48",
    Kind.DOCUMENTATION: "192.0.2.0/24 198.51.100.0/24 203.0.113.0/24 2001:db8::/32 3fff::/20",
    Kind.MULTICAST: "224.0.0.0/4 ff00::/8",
    Kind.BROADCAST: "255.255.255.255",
    Kind.TRANSLATED: "64:ff9b:1::/48",
    Kind.RESERVED: "192.0.0.0/24 192.88.99.0/24 240.0.0.0/4 2001::/23",
}
_RANGES = tuple(_ranges())
_NAT64 = ip_network("64:ff9b::/96")
_ORDINARY = ip_network("2000::/3")
