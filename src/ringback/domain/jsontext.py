"""JSON as senders write it: numbers kept as written, no name twice, mistakes explained.

The grammar is RFC 8259's, read by the standard library's C scanner. What is added here is what it leaves open: repeated
names (section 4), the depth of nesting (section 9), and an explanation that a marketer can act on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial
from json import JSONDecodeError, JSONDecoder
from typing import TypeAlias

from ringback.domain.errors import Refusal
from ringback.domain.masking import mask_keys

LEVELS = 8
"""How deep objects and lists may be nested, the outermost object counted."""


class Number(str):
    """A JSON number, exactly as it was written; ``NaN``, ``Infinity`` and ``-Infinity`` are left to its reader too."""

    __slots__ = ()


Value: TypeAlias = "str | bool | Number | list[Value] | dict[str, Value] | None"


def read_ordinary(body: bytes) -> dict[str, Value] | None:
    """The object that ``body`` holds, or None if anything about it needs a closer look.

    Args:
        body: bytes that begin with ``{``.
    """
    if body.count(b"{") + body.count(b"[") > LEVELS:
        return None
    try:
        values: dict[str, Value] = _ORDINARY.decode(body.decode())
    except ValueError:
        return None
    return values


def read_json(text: str, notes: set[str], *, strict: bool = True) -> Value:
    """The value that ``text`` holds.

    Args:
        text: one JSON document.
        notes: gets the code of every leniency that was needed.
        strict: whether line breaks and tabs within texts are tried as mistakes first.

    Raises:
        Refusal: ``malformed_json``, ``duplicate_key``, ``too_deep``.
    """
    _refuse_too_deep(text)
    try:
        value: Value = _decoder(partial(_united, notes), strict=strict).decode(text)
    except JSONDecodeError as error:
        if error.msg.startswith("Invalid control character"):
            notes.add("control_characters")
            return read_json(text, notes, strict=False)
        raise Refusal("malformed_json", reason=_reason(error)) from None
    return value


def write_json(value: Value) -> str:
    """A value as JSON again, its numbers as they were written."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        pairs = (f"{json.dumps(name, ensure_ascii=False)}: {write_json(each)}" for name, each in value.items())
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(write_json, value))}]"
    return json.dumps(value, ensure_ascii=False)


def put(values: dict[str, Value], name: str, value: Value, notes: set[str]) -> None:
    """Add a name that may be there already, with the same value.

    Raises:
        Refusal: ``duplicate_key`` if it is there with another one.
    """
    if name not in values:
        values[name] = value
    elif values[name] == value:
        notes.add("repeated_name")
    else:
        raise duplicate(name)


def duplicate(name: str) -> Refusal:
    """The refusal of a name that stands twice; the name is cut and cleaned, as it comes from anywhere."""
    return Refusal("duplicate_key", name="".join(char if char.isprintable() else "?" for char in mask_keys(name)[:80]))


def _distinct(pairs: list[tuple[str, Value]]) -> dict[str, Value]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError
    return values


def _united(notes: set[str], pairs: list[tuple[str, Value]]) -> dict[str, Value]:
    values = dict(pairs)
    if len(values) != len(pairs):
        values = {}
        for name, value in pairs:
            put(values, name, value, notes)
    return values


def _decoder(unite: Callable[[list[tuple[str, Value]]], dict[str, Value]], *, strict: bool = True) -> JSONDecoder:
    return JSONDecoder(
        object_pairs_hook=unite, parse_int=Number, parse_float=Number, parse_constant=Number, strict=strict
    )


_ORDINARY = _decoder(_distinct)

_ALL_BUT_BRACKETS = re.compile(r'[^\[\]{}"]++|"(?:[^"\\]++|\\.)*+"?', re.DOTALL)


def _refuse_too_deep(text: str) -> None:
    """Decided before the scanner, which recurses; in linear time, as each round takes away one level everywhere."""
    if text.count("{") + text.count("[") <= LEVELS:
        return
    brackets = _ALL_BUT_BRACKETS.sub("", text).replace("{", "[").replace("}", "]")
    for _ in range(LEVELS):
        brackets = brackets.replace("[]", "")
    if "[]" in brackets or brackets.count("[") > LEVELS:
        raise Refusal("too_deep", limit=str(LEVELS))


# Short ones only: what is long may be a secret that somebody put into brackets.
_UNREPLACED = (
    r"(\[{1,2}\0[A-Za-z][\w .:|-]{0,40}\]{1,2}|\{\0\{[\w .:|-]{1,40}\}\}|\{\0[\w.:-]{1,40}\}"
    r"|\0(?:#[\w.:-]{1,40}#|%[\w.:-]{1,40}%|--[A-Za-z]\w{0,40}--|\$\{[\w.:-]{1,40}\}))"
)
# What the scanner says, then the text around the place where it stopped; the place is marked by a NUL.
_CAUSES = tuple(
    (re.compile(pattern, re.DOTALL), sentence)
    for pattern, sentence in (
        (r"^Invalid \\", "a backslash within a text is not doubled"),
        (r"^Expecting value: \0<", "it is XML or HTML"),
        (_UNREPLACED, r"the template token \1 was not replaced by a value and has no quotes around it"),
        (r"\0'", "single quotes stand where double quotes belong"),
        ("\0[\u201c-\u201f\u2018-\u201b\xab\xbb]", "typographic quotes stand where straight ones belong"),
        (r'"([\w .-]+)"\s*:\s*\0\s*[,}]', r"the value of \1 is missing"),
        (r",\s*\0\s*[}\]]|\0,\s*[}\]]", "a comma stands before a closing bracket"),
        (r"\0\Z", "it ends too early and may be cut off"),
        (r"^Unterminated", "a text has no closing quote, or the body is cut off"),
        (r"^Extra.*\0\{", "several objects stand one after the other"),
        (r"^Extra", "something stands after its end"),
        (r"\d,\0\d", "a number with a comma in it has no quotes around it"),
        (r"[{,]\s*\0[^\W\d]", "a name has no double quotes around it"),
        (r"[\s:,\[]-?0\0\d", "a number that begins with 0 has no quotes around it"),
        (r"^Expecting value: \0", "it begins neither like JSON nor like a form"),
        (r":\s*\0[^\s\d]", "a text has no double quotes around it"),
        (r"^Expecting ',", "a comma is missing, or a quote within a text has no backslash before it"),
        (r"^Expecting ':", "a colon is missing after a name"),
        (r"", "something else stands where a name or a value belongs"),
    )
)


def _reason(error: JSONDecodeError) -> str:
    place = error.pos
    around = f"{error.msg}: {error.doc[max(0, place - 80) : place]}\0{error.doc[place : place + 120]}"
    cause = next(match.expand(sentence) for pattern, sentence in _CAUSES if (match := pattern.search(around)))
    return f"{cause.replace(chr(0), '')} (line {error.lineno}, column {error.colno})"
