"""Hosts and URLs, read in one way only, so that what is vetted is what is sent to.

A host can be written in many ways that mean the same to a browser, to curl or to a C library: ``127.1``, ``0x7f.1``,
``2130706433``, ``①27.0.0.1``, ``localhost.``; the rules here are those of the URL standard of browsers (WHATWG, "host
parsing"). What differs between programs (user names, backslashes, zones of addresses) is refused, not guessed.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import NamedTuple, TypeAlias
from urllib.parse import quote

from ringback.domain.errors import RingbackError

Host: TypeAlias = "str | IPv4Address | IPv6Address"
"""A name in small ASCII letters without its last dot, or an address."""

PORTS = {"https": 443, "http": 80}
"""The schemes that are sent to, and the port each means."""

_SHOWN = 80
_LONGEST_NAME = 253
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_NUMERIC = re.compile(r"[0-9]+|0x[0-9a-f]*")
_OCTETS = 4
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)([^?#]*)((?:\?[^#]*)?)(?:#.*)?")
_AUTHORITY = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*)(?::([0-9]{0,5}))?")
_KEPT = "%/:?&=+$,;@!'()*~[]"
"""What of ASCII's punctuation may stand in a path or query as it is."""

_AS_IT_IS = re.compile(rf"[A-Za-z0-9_.\-{re.escape(_KEPT)}]*")


class Objection(NamedTuple):
    """Why something is not sent at all: a code of ``exchanges.PROBLEMS`` and the particulars, as a sentence."""

    code: str
    reason: str


class UrlError(RingbackError):
    """A text that is no URL or host that can be sent to."""

    def __init__(self, reason: str, code: str = "bad_url") -> None:
        super().__init__(reason)
        self.objection = Objection(code, reason)


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes; ``path`` is path and query, percent-encoded."""

    scheme: str
    host: Host
    port: int
    path: str

    @property
    def is_plain(self) -> bool:
        """Whether it goes there without encryption."""
        return self.scheme == "http"

    @property
    def authority(self) -> str:
        """Host and port, the port only where the scheme means another."""
        host = f"[{self.host}]" if isinstance(self.host, IPv6Address) else str(self.host)
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The URL, written in the one way that nobody reads differently."""
        return f"{self.scheme}://{self.authority}{self.path}"


@dataclass(frozen=True, slots=True)
class HostPattern:
    """Hosts by name: one (``hooks.example.com``), or all below one (``*.example.com``); ports don't count."""

    name: str
    below: bool = False

    @classmethod
    def parse(cls, text: str) -> HostPattern:
        """Read a pattern.

        Raises:
            UrlError: it is neither a host nor ``*.`` and a name.
        """
        below = text.startswith("*.")
        host = read_host(text.removeprefix("*."))
        if below and not isinstance(host, str):
            raise UrlError(f"{_shown(text)} is no pattern: only names have others below them")
        return cls(str(host), below)

    def matches(self, host: Host) -> bool:
        """Whether this is one of the hosts."""
        return str(host).endswith(f".{self.name}") if self.below else str(host) == self.name

    @property
    def rank(self) -> tuple[bool, int]:
        """The higher, the fewer hosts it means."""
        return not self.below, len(self.name)

    def __str__(self) -> str:
        return f"*.{self.name}" if self.below else self.name


@lru_cache(maxsize=1024)
def read_host(text: str) -> Host:
    """The host that a text means, an IPv6 address standing in brackets.

    Raises:
        UrlError: it means none, or not the same to everybody.
    """
    if text.startswith("["):
        return _read_ipv6(text)
    name = unicodedata.normalize("NFKC", text).replace("\u3002", ".")
    if not name.isascii():
        try:
            name = name.encode("idna").decode()
        except UnicodeError:
            raise UrlError(f"{_shown(text)} is not a host name") from None
    name = name.lower().removesuffix(".")
    labels = name.split(".")
    if _NUMERIC.fullmatch(labels[-1]):
        return _read_ipv4(labels, text)
    if len(name) > _LONGEST_NAME or not all(map(_LABEL.fullmatch, labels)):
        raise UrlError(f"{_shown(text)} is not a host name")
    return name


def is_localhost(host: Host) -> bool:
    """Whether a name means this machine without asking anybody (RFC 6761)."""
    return isinstance(host, str) and (host == "localhost" or host.endswith(".localhost"))


def read_target(url: str) -> Target:
    """Where a URL leads.

    Raises:
        UrlError: it can't be sent to; ``objection`` says why.
    """
    url = url.strip()
    if not url.isprintable() or "\\" in url:
        raise UrlError("the URL has a backslash, a line break or an invisible character in it")
    match = _URL.fullmatch(url)
    if match is None:
        raise UrlError("the URL doesn't begin with https:// and a host")
    scheme, authority, path, query = match[1].lower(), match[2], match[3], match[4]
    if scheme not in PORTS:
        raise UrlError(f"the URL begins with {_shown(scheme)}:, and only https: can be sent to", "scheme_refused")
    host, port = _read_authority(authority)
    return Target(scheme, host, port or PORTS[scheme], _quoted(path or "/") + _quoted(query))


def _quoted(part: str) -> str:
    return part if _AS_IT_IS.fullmatch(part) else quote(part, _KEPT)


@lru_cache(maxsize=1024)
def _read_authority(authority: str) -> tuple[Host, int | None]:
    """A host, and the port if one is named."""
    if "@" in authority:
        raise UrlError("the URL has a user name or password before its host")
    place = _AUTHORITY.fullmatch(authority)
    port = int(place[2]) if place and place[2] else None
    if place is None or (port is not None and not 0 < port <= 0xFFFF):  # noqa: PLR2004 - the last port
        raise UrlError(f"{_shown(authority)} is not a host with a port")
    return read_host(place[1]), port


def _read_ipv6(text: str) -> IPv6Address:
    try:
        address = IPv6Address(text.removeprefix("[").removesuffix("]"))
    except AddressValueError:
        raise UrlError(f"{_shown(text)} is not an IPv6 address in brackets") from None
    if address.scope_id or not text.endswith("]"):
        raise UrlError(f"{_shown(text)} is not an IPv6 address that means the same everywhere")
    return address


def _read_ipv4(parts: list[str], text: str) -> IPv4Address:
    """An address of one to four numbers, decimal, octal or hexadecimal, the last filling what is left."""
    try:
        *numbers, last = [_number(part) for part in parts]
    except ValueError:
        raise UrlError(f"{_shown(text)} is not an address") from None
    left = 256 ** (_OCTETS - len(numbers)) if len(numbers) < _OCTETS else 0
    if any(number > 0xFF for number in numbers) or last >= left:  # noqa: PLR2004 - an octet
        raise UrlError(f"{_shown(text)} is not an address")
    return IPv4Address(sum(number << 8 * (3 - place) for place, number in enumerate(numbers)) + last)


def _number(part: str) -> int:
    if not _NUMERIC.fullmatch(part):
        raise ValueError(part)
    if part.startswith("0x"):
        return int(part[2:] or "0", 16)
    return int(part, 8 if part.startswith("0") else 10)


def _shown(text: str) -> str:
    return ascii(text[:_SHOWN]) if not text.isprintable() or not text else text[:_SHOWN]
