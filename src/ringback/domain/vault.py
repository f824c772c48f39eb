"""Credentials of an account for the hosts that it sends to: how they are given, and what must never be shown of them.

A secret is kept as the one header that it makes, so that whatever was typed, one thing is sealed, sent and masked.
"""

from __future__ import annotations

import binascii
import json
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from html import escape
from urllib.parse import quote, quote_plus

from ringback.domain import reserved
from ringback.domain.names import UnfitError

MASK = "[masked]"
"""What stands where a secret was."""

SHORTEST_MASKED = 6
"""Characters that a part of a secret must have to be masked wherever it stands: shorter ones are words."""

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_HEADER_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,4000}[\x21-\x7e])?")
_HTML_SAFE = re.compile(r"[\"&'+<>`]")
_HEX = re.compile(r"(\\u|%)([0-9A-Fa-f]{4}|[0-9A-Fa-f]{2})")
_OF_POSTBACKS = frozenset({"content-type", "cookie"})


class Kind(StrEnum):
    """What a credential of the vault looks like on the wire."""

    BASIC = "basic"
    TOKEN = "token"  # noqa: S105 - the word for it, not one
    BEARER = "bearer"
    HEADER = "header"


@dataclass(frozen=True, slots=True)
class Secret:
    """A header that proves to a receiver who sends."""

    header: str
    value: str = field(repr=False)

    @classmethod
    def read(cls, kept: str) -> Secret:
        """What :meth:`keep` wrote."""
        header, _, value = kept.partition(": ")
        return cls(header, value)

    def keep(self) -> str:
        """The secret as the text that is sealed."""
        return f"{self.header}: {self.value}"

    @property
    def forms(self) -> tuple[str, ...]:
        """Every text in which it could be echoed: whole, its parts, as base64, however written; the longest first."""
        return _forms(self.value)


def read_secret(kind: Kind, value: str, *, name: str = "") -> Secret:
    """The secret of what was typed.

    Args:
        kind: what it is.
        value: for Basic the pair ``public:private`` or the ready base64 of it, else the value; with or without the
            scheme before it.
        name: the header, for one of one's own.

    Raises:
        UnfitError: it can't be sent in a header.
    """
    text = value.strip()
    if kind is Kind.HEADER:
        return Secret(_read_header(name), _read_value(text))
    scheme = kind.value.title()
    text = re.sub(rf"(?i)^(?:authorization:\s*)?(?:{scheme}\s+)+", "", text)
    if kind is Kind.BASIC:
        return Secret("Authorization", f"Basic {_read_basic(text)}")
    return Secret("Authorization", f"{scheme} {_read_value(text)}")


def hide(text: str, secrets: Iterable[Secret]) -> str:
    """The text with every form of the secrets masked."""
    for secret in secrets:
        for form in secret.forms:
            text = text.replace(form, MASK)
    return text


@lru_cache(maxsize=256)
def _forms(value: str) -> tuple[str, ...]:
    parts = {value, value.partition(" ")[2]}
    decoded = _decoded(value.removeprefix("Basic ")) if value.startswith("Basic ") else None
    if decoded is not None:
        user, _, password = decoded.partition(":")
        parts |= {decoded, password} | ({user} if not password else set())
    parts |= {_encoded(part) for part in parts}
    forms = {way for part in parts if len(part) >= SHORTEST_MASKED for way in _written(part)}
    return tuple(sorted(forms, key=len, reverse=True))


def _written(part: str) -> set[str]:
    """A text as it may be written: as it is, in JSON as one platform or another escapes it, in a URL or in HTML."""
    ways = {part, json.dumps(part)[1:-1], json.dumps(part, ensure_ascii=False)[1:-1], escape(part)}
    ways |= {way.replace("/", r"\/") for way in ways}
    ways.add(_HTML_SAFE.sub(lambda found: f"\\u{ord(found[0]):04X}", json.dumps(part)[1:-1].replace(r"\"", '"')))
    ways |= {quote(part, safe=""), quote_plus(part)}
    ways |= {_HEX.sub(change, way) for way in ways for change in (_upper, _lower)}
    return ways | {way.encode().decode("latin-1") for way in ways}  # as bodies are looked at, whatever their charset


def _upper(found: re.Match[str]) -> str:
    return found[1] + found[2].upper()


def _lower(found: re.Match[str]) -> str:
    return found[1] + found[2].lower()


def _read_header(name: str) -> str:
    name = name.strip()
    if _HEADER_NAME.fullmatch(name) is None:
        raise UnfitError("write the name of a header, such as X-Api-Key")
    if name.lower() in _OF_POSTBACKS:
        raise UnfitError(f"{name} can't be a credential")
    if reason := reserved.objection(name):
        raise UnfitError(reason)
    return name


def _read_value(text: str) -> str:
    if _HEADER_VALUE.fullmatch(text) is None:
        raise UnfitError("write the value as it was handed out: printable characters, on one line")
    return text


def _read_basic(text: str) -> str:
    decoded = _decoded(text)
    if decoded is not None and ":" in decoded:
        return text
    if ":" not in text:
        raise UnfitError("write the pair as public:private, or the ready base64 value of it")
    if any(ord(character) < ord(" ") for character in text):
        raise UnfitError("write the pair on one line")
    return _encoded(text)


def _decoded(text: str) -> str | None:
    try:
        return b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError):
        return None


def _encoded(text: str) -> str:
    return b64encode(text.encode()).decode()
