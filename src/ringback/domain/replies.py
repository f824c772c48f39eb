"""What a receiver's answer says: whether it recorded what was sent, and why not.

Recorded is not delivered: where the answer carries the call, as ours and TrackDrive's do, it is compared with what was
sent. Everything here was written by a stranger, so it is cut, cleaned, and never believed to have a certain shape.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from html import unescape
from json import JSONDecoder
from typing import cast

from ringback.domain.attributes import BY_NAME, Attribute, Kind
from ringback.domain.bodies import read_fields
from ringback.domain.calls import Operation, Write
from ringback.domain.errors import Refusal
from ringback.domain.exchanges import Exchange, Outgoing
from ringback.domain.jsontext import Number
from ringback.domain.money import AmountError, format_amount, parse_amount
from ringback.domain.updates import read_patch

LINES = 20
LONGEST_LINE = 300
LEVELS = 4
"""How much of an explanation is shown, and how deep it is looked for."""

SHORT = 1024
"""Bytes of an answer that is remembered with what was read of it: most receivers say the same to everybody."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A value that was sent and another that the receiver answered to have; None stands for nothing.

    Attributes:
        name: as in the ledger: ``revenue``, ``contact_fields.first_name``.
    """

    name: str
    sent: str | None
    answered: str | None


def read_reply(exchange: Exchange) -> object:
    """The JSON that an answer holds, numbers as they were written; None if it holds none. It is not to be changed."""
    return _read_short(exchange.body) if len(exchange.body) <= SHORT else _read(exchange.body)


def at_path(value: object, path: str) -> str | None:
    """The value at a place such as ``result.items.0.status``, as text; None if there is no plain value."""
    for name in filter(None, path.strip().removeprefix("$").split(".")):
        if isinstance(value, list) and name.isdecimal() and int(name[:9]) < len(value):
            value = value[int(name[:9])]
        else:
            value = value.get(name, _NOTHING) if isinstance(value, dict) else _NOTHING
    return None if isinstance(value, dict | list) or value is _NOTHING else _word(value)


def differences(outgoing: Outgoing, exchange: Exchange) -> tuple[Difference, ...]:
    """Where the call in the answer has other values than the update that was sent.

    Nothing can be said of additions, of what the answer leaves out, and of answers without a call.
    """
    reply = read_reply(exchange)
    call = reply.get("call") if isinstance(reply, dict) else None
    if not isinstance(call, dict):
        return ()
    query = outgoing.url.partition("#")[0].partition("?")[2]
    try:
        fields = read_fields(
            query.encode(errors="replace"), outgoing.header("content-type") or "", outgoing.body or b""
        )
    except Refusal:
        return ()
    patch = read_patch(fields, keys={}, dry_run=None).patch
    return tuple(each for write in patch for each in _differences(write, call))


def explanation(exchange: Exchange) -> tuple[str, ...]:
    """Why the receiver refuses, in its own words, as lines of plain text."""
    return _explain_short(exchange.body) if len(exchange.body) <= SHORT else _explain(exchange.body)


def remarks(exchange: Exchange) -> tuple[str, ...]:
    """What a receiver that accepted an update says of it: what changed, what it ignored, its warnings."""
    reply = read_reply(exchange)
    return _cut(_remarked(reply)) if isinstance(reply, dict) else ()


def _read(body: bytes) -> object:
    try:
        return _JSON.decode(body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None


def _explain(body: bytes) -> tuple[str, ...]:
    reply = _read_short(body) if len(body) <= SHORT else _read(body)
    return _cut(_leaves(reply, LEVELS) if isinstance(reply, dict | list) else _prose(body))


_read_short = lru_cache(maxsize=256)(_read)
_explain_short = lru_cache(maxsize=256)(_explain)


_NOT_SAID = (Operation.ADD, Operation.REAPPLY)
"""What doesn't say which value the receiver has afterwards."""


def _differences(write: Write, call: Mapping[str, object]) -> Iterator[Difference]:
    attribute = BY_NAME[write.attribute]
    name = next((name for name in attribute.reads if name in call), None)
    if name is None or write.operation in _NOT_SAID or attribute.kind in (Kind.PARTNER, Kind.TEXT):
        return
    if attribute.kind is Kind.FIELDS:
        yield from _field_differences(attribute, cast("Mapping[str, object]", write.value), call[name])
        return
    sent, answered = _shown(write.value), _as(attribute.kind, call[name])
    if sent != answered:
        yield Difference(attribute.name, sent, answered)


def _field_differences(attribute: Attribute, sent: Mapping[str, object], answered: object) -> Iterator[Difference]:
    if not isinstance(answered, dict):
        return
    for field, value in sent.items():
        there = answered.get(field)
        if _shown(value) != _shown(there):
            yield Difference(f"{attribute.name}.{field}", _shown(value), _shown(there))


def _as(kind: Kind, answered: object) -> str | None:
    """What a receiver answered, in the words for what was sent: TrackDrive reads ``Converted`` for what is true."""
    word = _shown(answered)
    if kind is Kind.BOOLEAN:
        return _BOOLEANS.get((word or "").strip().lower(), word)
    try:
        return word and format_amount(parse_amount(word))
    except AmountError:
        return word


def _shown(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, Decimal):
        return format_amount(value)
    return _clean(_word(value))


def _word(value: object) -> str:
    """A value of JSON as text, as people write it into a rule."""
    if isinstance(value, dict | list):
        return "a list" if isinstance(value, list) else "an object"
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _explained(reply: Mapping[str, object], levels: int) -> Iterator[str]:
    """Our own envelope (RECEIVING, "Answering"), problem details (RFC 9457), and the usual names of others."""
    for name in _SAYING:
        yield from _leaves(reply.get(name), levels)
    yield from map(_right, _list(reply.get("missing_permissions")))
    errors = reply.get("errors")
    if not isinstance(errors, dict):
        yield from _leaves(errors, levels)
        return
    for name, each in errors.items():
        for line in _leaves(each, levels):
            yield f"{name}: {line}"


def _right(missing: object) -> str:
    if not isinstance(missing, dict):
        return ""
    attribute, right, team, page = (_shown(missing.get(name)) for name in ("attribute", "right", "team", "grant_at"))
    told = f"Missing: {right or 'update'} on {attribute or 'an attribute'}"
    return told + (f", for the team {team}" if team else "") + (f" (granted at {page})" if page else "")


def _remarked(reply: Mapping[str, object]) -> Iterator[str]:
    changed = reply.get("changed")
    for name, change in changed.items() if isinstance(changed, dict) else ():
        if isinstance(change, dict):
            before, after = (_shown(change.get(end)) or "nothing" for end in ("from", "to"))
            yield f"{name}: {before} → {after}"
    ignored = list(_leaves(reply.get("ignored"), 0))
    if ignored:
        yield f"Ignored there: {', '.join(ignored)}"
    yield from _leaves(reply.get("warnings"), 1)


def _prose(body: bytes) -> Iterator[str]:
    """Lines of text; of a page of HTML its words, without scripts and styles."""
    text = body.decode(errors="replace")
    if _IS_HTML.search(text):
        text = unescape(_TAG.sub("\n", _UNSEEN.sub("", text)))
    elif "\ufffd" in text:
        return
    yield from text.splitlines()


def _leaves(value: object, levels: int) -> Iterator[str]:
    """The texts in a value: itself, those of a list, what an object explains."""
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, str):
            yield each
        elif isinstance(each, dict) and levels:
            yield from _explained(each, levels - 1)


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _cut(lines: Iterable[str]) -> tuple[str, ...]:
    """The first lines with something in them, each once."""
    seen: dict[str, None] = {}
    for line in lines:
        if cleaned := _clean(line):
            seen[cleaned] = None
        if len(seen) == LINES:
            break
    return tuple(seen)


def _clean(text: str) -> str:
    """One line of characters that can be shown, and not too many of them."""
    line = " ".join("".join(each if each.isprintable() else " " for each in text[: LONGEST_LINE * 4]).split())
    return line if len(line) <= LONGEST_LINE else f"{line[: LONGEST_LINE - 1]}…"


_JSON = JSONDecoder(parse_int=Number, parse_float=Number)
_NOTHING = object()
_SAYING = ("message", "title", "detail", "error", "error_description", "reason", "description", "hint")
_BOOLEANS: Mapping[str, str] = {
    **dict.fromkeys(("converted", "true", "1", "yes", "on"), "true"),
    **dict.fromkeys(("", "not converted", "unconverted", "false", "0", "no", "off"), "false"),
}
_IS_HTML = re.compile(r"<(?:!doctype|html|head|body|h1|p|div|br)\b", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_UNSEEN = re.compile(r"<(script|style)\b.*?(?:</\1>|\Z)", re.IGNORECASE | re.DOTALL)
