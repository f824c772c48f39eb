"""Names that people give: how they must look, when two of them are the same, and which one may have been meant."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from zoneinfo import available_timezones

from ringback.domain.errors import RingbackError

LONGEST_NAME = 200

_SUBDOMAIN = re.compile(r"(?=.*[a-z])[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_EMAIL = re.compile(r"[^@\s<>\"',;]{1,64}@[^@\s.<>\"',;]+(?:\.[^@\s.<>\"',;]+)+")


class UnfitError(RingbackError):
    """A text that can't be the name it is meant to be.

    Attributes:
        reason: why, as a sentence without its full stop.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def name_key(text: str) -> str:
    """What two spellings of one name, e-mail address or subdomain have in common."""
    return " ".join(text.split()).casefold()


def read_name(text: str) -> str:
    """A name of a person, company, buyer, team and so on; spaces around and between its words are made single.

    Raises:
        UnfitError: it is empty, too long, or not printable.
    """
    name = " ".join(text.split())
    if not name:
        raise UnfitError("a name is empty")
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise UnfitError(f"a name has at most {LONGEST_NAME} printable characters")
    return name


def read_id(text: str) -> str:
    """An id by which somebody's own systems know something; it is taken as it is.

    Raises:
        UnfitError: it is empty, too long, or not printable.
    """
    given = text.strip()
    if not given:
        raise UnfitError("an id is empty")
    if len(given) > LONGEST_NAME or not given.isprintable():
        raise UnfitError(f"an id has at most {LONGEST_NAME} printable characters")
    return given


def read_email(text: str) -> str:
    """An e-mail address.

    Raises:
        UnfitError: it isn't one.
    """
    email = text.strip()
    if _EMAIL.fullmatch(email) is None or len(email) > LONGEST_NAME or not email.isprintable():
        raise UnfitError(f"{_shown(text)} is not an e-mail address")
    return email


def read_subdomain(text: str) -> str:
    """A subdomain, in small letters.

    Raises:
        UnfitError: it can't be a part of a host name.
    """
    subdomain = text.strip().lower()
    if _SUBDOMAIN.fullmatch(subdomain) is None:
        allowed = "letters a to z, digits and inner hyphens, at most 63, at least one letter"
        raise UnfitError(f"{_shown(text)} is not a subdomain: {allowed}")
    return subdomain


def read_time_zone(text: str) -> str:
    """The name of a time zone.

    Raises:
        UnfitError: there is no such zone.
    """
    zones = available_timezones()
    if text not in zones:
        raise UnfitError(f"{_shown(text)} is not a time zone{did_you_mean(text, zones) or ', as America/New_York is'}")
    return text


def did_you_mean(text: str, known: Iterable[str]) -> str:
    """The end of a sentence that says what may have been meant, or nothing."""
    by_key = {name_key(each): each for each in known}
    near = get_close_matches(name_key(text), by_key, n=1)
    return f"; did you mean {by_key[near[0]]}?" if near else ""


def _shown(text: str) -> str:
    return ascii(text[:60]) if not text.isprintable() or not text else text[:60]
