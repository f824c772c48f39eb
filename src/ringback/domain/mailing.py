"""Mails: what is written in them, and the server that takes them. A name of somebody never gets beyond its line."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import parse_qsl, unquote, urlsplit

from ringback.domain.errors import RingbackError

_LONGEST_LINE = 200
_SCHEMES = {"smtp": 587, "smtps": 465}
_FORM = "write smtps://user:password@host, smtp://user:password@host:587, or smtp://host:25?tls=none"


class MailError(RingbackError):
    """A mail was not sent, or may not have been; the message says why, for who wanted it sent."""


class Tls(StrEnum):
    """How the way to the server is kept from others' eyes."""

    FROM_THE_START = "from the start"
    STARTTLS = "starttls"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class MailServer:
    """The server that mails are handed to."""

    host: str
    port: int
    tls: Tls
    user: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail, in plain text; ``text`` holds a secret."""

    to: str
    subject: str
    text: str = field(repr=False)


def read_server(url: str) -> MailServer:
    """The server of a URL.

    Raises:
        ValueError: it can't be read, or would send a password in the open.
    """
    parts = urlsplit(url.strip())
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    tls = options.pop("tls", "")
    if parts.scheme not in _SCHEMES or not parts.hostname or parts.path.strip("/") or options:
        raise ValueError(_FORM)
    if tls not in {"", Tls.NONE.value} or (tls and parts.scheme == "smtps"):
        raise ValueError(_FORM)
    if tls and parts.username:
        raise ValueError("a password is never sent without TLS; leave out tls=none")
    way = Tls.NONE if tls else Tls.FROM_THE_START if parts.scheme == "smtps" else Tls.STARTTLS
    port = parts.port or _SCHEMES[parts.scheme]
    return MailServer(parts.hostname, port, way, unquote(parts.username or ""), unquote(parts.password or ""))


def invitation(to: str, company: str, inviter: str, link: str) -> Letter:
    """The mail that brings an invitation."""
    company, inviter = one_line(company), one_line(inviter)
    text = (
        f"{inviter} invites you to {company} on Ringback.\n\n"
        f"Open this link to join. It works once, within 7 days:\n\n{link}\n\n"
        "Whoever has a password for this Ringback logs in with it, anybody else chooses one.\n"
        "If you don't know what this is about, there is nothing to do.\n"
    )
    return Letter(to, f"{company} invites you", text)


def reset(to: str, link: str) -> Letter:
    """The mail that brings a link for a new password."""
    text = (
        f"Somebody, most likely you, asked for a new password for {to} on Ringback.\n\n"
        f"Open this link to choose one. It works once, within 24 hours:\n\n{link}\n\n"
        "If it was not you, there is nothing to do: your password stays as it is.\n"
    )
    return Letter(to, "A new password for Ringback", text)


def one_line(text: str) -> str:
    """A name as it may stand in a line: nothing in it that could end the line, that can't be printed, or that is code.

    Python decodes ``=?utf-8?q?…?=`` when a header is set, line breaks included.
    """
    printable = "".join(char for char in " ".join(text.split()) if char.isprintable())
    return printable.replace("=?", "= ?")[:_LONGEST_LINE].strip()
