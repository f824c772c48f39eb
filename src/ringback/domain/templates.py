"""Texts with template tokens: ``[name]`` and ``[name]{default}``, read once, and filled position by position.

A token is filled in one pass: a value that looks like a token is only a value. Brackets that hold no name are text, and
``[[name]`` is the text ``[name]``. What a value may be, and how it is written, depends on where it goes
(:class:`Position`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from urllib.parse import quote, quote_plus

from ringback.domain.errors import RingbackError
from ringback.domain.money import format_amount
from ringback.domain.unreplaced import DEFAULT, NAME

_TOKEN = re.compile(rf"\[\[(?={NAME}\])|\[({NAME})\]({DEFAULT})?")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,29})(?:\.[0-9]{1,30})?")
_BOOLEANS = frozenset({"true", "false"})


class Position(StrEnum):
    """Where a value goes."""

    HOST = "host"
    PATH = "path"
    QUERY = "query"
    HEADER = "header"
    JSON = "json"
    FORM = "form"
    TEXT = "text"


class Hole(StrEnum):
    """What becomes of a token without a value."""

    HOLD = "hold"
    BLANK = "blank"
    OMIT = "omit"


class Type(StrEnum):
    """What a JSON string becomes that is exactly one token."""

    STRING = "string"
    NUMBER = "number"
    BOOLEAN = "boolean"


REASONS: Mapping[str, str] = {
    "hole": "missing [{name}]: the call has no value for it. It is sent as soon as the call has one.",
    "unfit_host": "[{name}] can't be a part of the host name: that is 1 to 63 small letters, digits and hyphens, "
    "with no hyphen at either end.",
    "unfit_path": "[{name}] makes a part of the path that leads elsewhere (a dot or two).",
    "unfit_header": "[{name}] can't stand in a header: it has a line break, or letters that headers can't carry.",
    "unfit_number": "[{name}] is to be sent as a number such as 42.50, and its value is none.",
    "unfit_boolean": "[{name}] is to be sent as true or false, and its value is neither.",
    "host_not_allowed": "The host {name} is not one of those that the postback may send to.",
    "unfit_definition": "The postback can't be sent as it is (see its {name}); open it, save it, and send this again.",
}
"""Why a delivery is held before anything was sent: code to sentence."""


class HeldError(RingbackError):
    """A request that can't be made of these values; it waits until the call has others."""

    def __init__(self, code: str, name: str) -> None:
        super().__init__(REASONS[code].format(name=name))
        self.code = code
        self.name = name


class OmittedError(RingbackError):
    """A token without a value whose key is left out."""


@dataclass(frozen=True, slots=True)
class Token:
    """A template token, by the key of its value; ``written`` is how it stands in the template."""

    key: str
    written: str
    default: str | None = None
    hole: Hole = Hole.HOLD
    type: Type = Type.STRING


Part = str | Token
Parts = tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Filled:
    """One token as it was filled: for the preview."""

    written: str
    value: str
    position: Position
    rule: str


@dataclass(slots=True)
class Filling:
    """Values that go into templates, and what was filled so far."""

    values: Mapping[str, object]
    trace: list[Filled] = field(default_factory=list)

    def text(self, parts: Parts, position: Position) -> str:
        """The parts as one text, each value written as its position wants it.

        Raises:
            HeldError: a value is missing or unfit.
            OmittedError: a value is missing whose key is to be left out.
        """
        write = _WRITE[position]
        return "".join(each if isinstance(each, str) else write(each, self.value(each, position)) for each in parts)

    def value(self, token: Token, position: Position) -> str:
        """The value of a token as text: its own, else its default, else as its hole is treated."""
        text, rule = spelled(self.values.get(token.key)), "value"
        if not text or text.isspace():
            if token.default is not None:
                text, rule = token.default, "default"
            elif token.hole is Hole.HOLD:
                raise HeldError("hole", token.written)
            elif token.hole is Hole.OMIT:
                self.trace.append(Filled(token.written, "", position, "omitted"))
                raise OmittedError(token.written)
            else:
                text, rule = "", "blank"
        self.trace.append(Filled(token.written, text, position, rule))
        return text

    def typed(self, token: Token) -> str:
        """The value of a JSON string that is exactly this token, as JSON text."""
        return write_typed(token, self.value(token, Position.JSON))


def write_typed(token: Token, text: str) -> str:
    """A text as the JSON value that a token is to be.

    Raises:
        HeldError: it can't be one.
    """
    if token.type is Type.STRING:
        return json.dumps(text)
    bare = text.strip()
    if token.type is Type.NUMBER:
        if _NUMBER.fullmatch(bare) is None:
            raise HeldError("unfit_number", token.written)
        return bare
    if bare.lower() not in _BOOLEANS:
        raise HeldError("unfit_boolean", token.written)
    return bare.lower()


def write(token: Token, text: str, position: Position) -> str:
    """A text as its position wants it.

    Raises:
        HeldError: it can't stand there.
    """
    return _WRITE[position](token, text)


@dataclass(frozen=True, slots=True)
class Reference:
    """A token as it stands in a template; ``source`` is all of it."""

    name: str
    default: str | None
    source: str


def scan(text: str) -> Iterator[str | Reference]:
    """The tokens of a template and the text between them, in order."""
    end = 0
    for match in _TOKEN.finditer(text):
        if match.start() > end:
            yield text[end : match.start()]
        yield "[" if match[1] is None else Reference(match[1], match[2] and match[2][1:-1], match[0])
        end = match.end()
    if end < len(text):
        yield text[end:]


def between(text: str, change: Callable[[str], str]) -> str:
    """The template with what stands between its tokens changed."""
    made, end = [], 0
    for match in _TOKEN.finditer(text):
        made += [change(text[end : match.start()]), match[0]]
        end = match.end()
    return "".join([*made, change(text[end:])])


def names(text: str) -> list[str]:
    """The names of the tokens of a template, as they stand there."""
    return [each.name for each in scan(text) if isinstance(each, Reference)]


def joined(parts: Iterable[Part]) -> Parts:
    """The same parts with neighbouring texts made one, and none empty."""
    made: list[Part] = []
    for part in parts:
        if isinstance(part, str) and made and isinstance(made[-1], str):
            made[-1] += part
        elif part:
            made.append(part)
    return tuple(made)


def spelled(value: object) -> str:
    """A value as text: amounts with two decimals at least, truth as ``true`` and ``false``, times in UTC."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format_amount(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return str(value)


def _host(token: Token, text: str) -> str:
    if _LABEL.fullmatch(text) is None:
        raise HeldError("unfit_host", token.written)
    return text


def _header(token: Token, text: str) -> str:
    text = text.strip(" \t")
    if not text.isascii() or _CONTROL.search(text):
        raise HeldError("unfit_header", token.written)
    return text


def _percent(_token: Token, text: str) -> str:
    return quote(text, safe="", errors="replace")


def _plus(_token: Token, text: str) -> str:
    return quote_plus(text, errors="replace")


def _json(_token: Token, text: str) -> str:
    return json.dumps(text)[1:-1]


def _text(_token: Token, text: str) -> str:
    return text


_WRITE: Mapping[Position, Callable[[Token, str], str]] = {
    Position.HOST: _host,
    Position.PATH: _percent,
    Position.QUERY: _percent,
    Position.HEADER: _header,
    Position.JSON: _json,
    Position.FORM: _plus,
    Position.TEXT: _text,
}
