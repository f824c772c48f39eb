"""Plain text as HTML: paragraphs, words in backticks, JSON in colours."""

from __future__ import annotations

import re

import msgspec
from markupsafe import Markup, escape

_JSON_PARTS = re.compile(
    r'(?P<name>"(?:[^"\\]|\\.)*"(?=:))|(?P<text>"(?:[^"\\]|\\.)*")|(?P<word>\b(?:true|false|null)\b)|(?P<number>-?\d[\d.]*)'
)


def prose(text: str) -> Markup:
    """Paragraphs, with code where backticks stand."""
    return Markup("").join(Markup("<p>{}</p>").format(_with_code(part)) for part in text.split("\n\n"))


def _with_code(text: str) -> Markup:
    plain_and_code = text.split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if place % 2 else escape(part)
        for place, part in enumerate(plain_and_code)
    )


def as_json(value: object) -> str:
    """JSON as people like to read it."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def highlighted(text: str) -> Markup:
    """JSON with its parts marked, for the stylesheet to colour."""
    parts, place = [Markup("")], 0
    for found in _JSON_PARTS.finditer(text):
        parts.append(escape(text[place : found.start()]))
        parts.append(Markup('<span class="{}">{}</span>').format(f"json-{found.lastgroup}", found.group()))
        place = found.end()
    return Markup("").join([*parts, escape(text[place:])])


def breakable(text: str) -> Markup:
    """Text whose long addresses may be broken after a slash."""
    return Markup("/<wbr>").join(text.split("/"))
