"""URLs with template tokens: where tokens may stand, and that none of them can lead a request elsewhere.

The structure is read with one character (:data:`MARK`) in place of each token, so that no name, default or value can be
taken for a part of it. Scheme, port and the registrable end of the host are literal; a token fills a whole label.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote

from ringback.domain.hosts import HostPattern, UrlError, read_target

MARK = "\x00"
"""Stands for a token while the text around it is read; no text that can be saved has one."""

LONGEST_URL = 4_000
"""Characters of a template, before its tokens are filled."""

LONGEST_LABEL = 63
_LONGEST_HOST = 253
_URL = re.compile(r"(https?)://([^/?#\\]*)([^?#\\]*)(?:\?([^#]*))?", re.IGNORECASE | re.ASCII)
_AUTHORITY = re.compile(r"([a-z0-9._\x00-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?", re.IGNORECASE | re.ASCII)
_DOTS = re.compile("%2e", re.IGNORECASE)
_LONE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_PATH_SAFE = "%:@!$&'()*+,;=~"
_QUERY_SAFE = "%:@!$'()*+,;~/?"


@dataclass(frozen=True, slots=True)
class UrlTemplate:
    """A URL in its parts, each token being a :data:`MARK`, in the order of the text.

    Attributes:
        labels: the host; each is a mark or has none. A host without marks is one.
        port: with its colon, or nothing.
        segments: the path between its slashes, of which the first is before the first.
        query: without its question mark.
    """

    scheme: str
    labels: tuple[str, ...]
    port: str
    segments: tuple[str, ...]
    query: str

    @property
    def suffix(self) -> str | None:
        """The part of the host after its last token; None if there is no token."""
        if MARK not in self.labels:
            return None
        after = self.labels[::-1].index(MARK)
        return ".".join(self.labels[len(self.labels) - after :])

    def may_match(self, pattern: HostPattern) -> bool:
        """Whether some values lead to a host of this pattern."""
        if MARK not in self.labels:
            return pattern.matches(self.labels[0])
        wanted = pattern.name.split(".")
        spare = len(self.labels) - len(wanted)
        if spare < 1 if pattern.below else spare != 0:
            return False
        return all(label in {MARK, name} for label, name in zip(self.labels[spare:], wanted, strict=True))


def read_url(marked: str) -> UrlTemplate:
    """The parts of a URL whose tokens are marks.

    Raises:
        UrlError: it can't be sent to, or a token stands where none may; the reason is a sentence.
    """
    if len(marked) > LONGEST_URL or " " in marked or not marked.replace(MARK, "").isprintable():
        raise UrlError(f"A URL is one line without spaces, at most {LONGEST_URL} characters")
    if "#" in marked:
        raise UrlError("Leave out # and what follows: no server is sent it. Write %23 for a # that is meant")
    found = _URL.fullmatch(marked)
    if found is None:
        raise UrlError("Write a URL that begins with https:// and a host; what stands before the host can't be a token")
    labels, port = _read_authority(found[1].lower(), found[2])
    path = _DOTS.sub(".", found[3] or "/")
    segments = tuple(path.split("/"))
    if not {".", ".."}.isdisjoint(segments):
        raise UrlError("Leave out the parts of the path that are just dots")
    return UrlTemplate(found[1].lower(), labels, port, segments, found[4] or "")


def encoded_segment(literal: str) -> str:
    """Literal text of a path as it is sent; what is percent-encoded stays so."""
    return quote(_LONE_PERCENT.sub("%25", literal), safe=_PATH_SAFE)


def encoded_query(literal: str) -> str:
    """Literal text of a query as it is sent; what is percent-encoded stays so."""
    return quote(_LONE_PERCENT.sub("%25", literal), safe=_QUERY_SAFE)


def _read_authority(scheme: str, authority: str) -> tuple[tuple[str, ...], str]:
    """The labels of a host, and the port with its colon."""
    if "@" in authority:
        raise UrlError("Put no user name or password into the URL; use a credential of the vault")
    found = _AUTHORITY.fullmatch(authority)
    if found is None:
        raise UrlError(
            "The host can't be read: use letters a to z, digits, hyphens and dots, and for other letters the form "
            "that begins with xn--"
        )
    host, port = found[1], f":{int(found[2])}" if found[2] else ""
    if MARK not in host:
        try:
            return (str(read_target(f"{scheme}://{authority}/").host),), port
        except UrlError as error:
            raise UrlError(f"The host can't be read: {error}") from None
    labels = tuple(host.lower().removesuffix(".").split("."))
    if any(MARK in label and label != MARK for label in labels):
        raise UrlError("A token in the host must be a whole part of it, between dots: https://[name].example.com")
    try:
        read_target(f"{scheme}://{'.'.join(_filled(labels, 'a'))}{port}/")
    except UrlError:
        raise UrlError(
            "The host can't be read: it has an empty part, or one that no host has, or no such port"
        ) from None
    if len(".".join(_filled(labels, "a" * LONGEST_LABEL))) > _LONGEST_HOST:
        raise UrlError("The host has too many tokens; it could become longer than a host may be")
    return labels, port


def _filled(labels: Iterable[str], text: str) -> list[str]:
    return [text if label == MARK else label for label in labels]
