"""What a request says, whatever it is written in: JSON, a form, multipart, a query string, or several of them.

The body decides what it is, its label only where the body leaves a doubt: ``curl -d '{…}'`` sends JSON labelled as a
form, Node's ``fetch`` sends it as plain text, axios sends ``null`` for nothing, PHP an empty list for an empty object.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from json import detect_encoding
from types import MappingProxyType

from msgspec import Struct

from ringback.domain.errors import Refusal
from ringback.domain.forms import decoded, first_boundary, read_form, read_multipart, unescaped
from ringback.domain.jsontext import Number, Value, read_json, read_ordinary

__all__ = ["BODY_LIMIT", "NOTES", "Fields", "Number", "Value", "is_no", "read_fields", "read_part"]

BODY_LIMIT = 256 * 1024
"""Bytes of a body that are read."""

NOTES: Mapping[str, str] = MappingProxyType(
    {
        "content_type_missing": "The body came without a content type; it was read as what it looks like.",
        "content_type_mismatch": "The content type says something else than the body; the body was believed.",
        "boundary_guessed": "The content type doesn't name the boundary of the parts; the first line was taken for it.",
        "encoding_guessed": "The text is not valid UTF-8; it was taken for Windows-1252.",
        "percent_encoded_json": "The JSON is percent-encoded as if it were a form.",
        "double_encoded": "The JSON is a text that holds JSON; the inner one was read.",
        "control_characters": "A text has line breaks or tabs in it that JSON wants written as \\n or \\t.",
        "json_in_field": "The contact fields are a text that holds JSON; it was read.",
        "repeated_name": "A name stands twice with the same value; it was taken once.",
        "query_overridden": "A name has another value in the query string than in the body; the body's was taken.",
        "file_ignored": "A file was sent; only its name was read.",
    }
)
"""How leniently a request had to be read: code -> sentence for a reader."""


class Fields(Struct, frozen=True):
    """What a request names.

    Attributes:
        values: by top-level name; what the body says goes before what the query string says.
        sources: for each of these names ``json``, ``form``, ``multipart`` or ``query``.
        notes: codes from ``NOTES``, in that order.
    """

    values: dict[str, Value]
    sources: dict[str, str]
    notes: tuple[str, ...]


def read_fields(query: bytes, content_type: str, body: bytes) -> Fields:
    """What a request names, by RECEIVING.md, "The body".

    Args:
        query: the query string as it came, without ``?``.
        content_type: the header, or nothing.
        body: the whole body; its size has been checked.

    Raises:
        Refusal: ``malformed_json``, ``malformed_body``, ``duplicate_key``, ``too_deep``; never anything else.
    """
    if not query and body.startswith(b"{") and content_type.startswith("application/json"):
        values = read_ordinary(body)
        if values is not None and str not in {type(values.get(name)) for name in _OBJECTS}:
            return Fields(values, dict.fromkeys(values, "json"), ())
    return _read_closely(query, content_type, body)


def read_part(values: dict[str, Value], notes: tuple[str, ...]) -> Fields:
    """What one of several objects in a JSON body names, as if it were the whole body.

    Raises:
        Refusal: ``duplicate_key``, ``too_deep``.
    """
    values, found = dict(values), set(notes)
    for name in _OBJECTS:
        _open_object(values, name, found)
    return Fields(values, dict.fromkeys(values, "json"), tuple(code for code in NOTES if code in found))


def is_no(value: Value) -> bool:
    """Whether a value can be read as a plain no. What can't asks for a dry run, wherever it stands.

    Asking must never change money by mistake.
    """
    return value.strip().lower() in _NO if isinstance(value, str) else not value


_OBJECTS = ("post_call_tokens", "data")
_NO = frozenset({"", "0", "false", "no", "off"})
_NOTHING = re.compile(r"(?:null|\[\s*\])?")
_TEXT_OF_FIELDS = re.compile(r"\s*(?:\{|(?:null|\[\s*\])\s*\Z)")
_FORM = re.compile(r"[\w.\[\]%+-]+=")
_COMPRESSED = (b"\x1f\x8b", b"x\x9c", b"x\xda", b"\x28\xb5\x2f\xfd")
"""How gzip, deflate and zstd begin."""

_NO_FORM = "{[\"'<"
_ESCAPED_OBJECT = re.compile(r"%7[Bb][^&=]*=?")
_NOUNS = {list: "a list", str: "a text", Number: "a number", bool: "true or false"}


def _read_closely(query: bytes, content_type: str, body: bytes) -> Fields:
    notes: set[str] = set()
    values, source = _read_body(content_type, body, notes)
    sources = dict.fromkeys(values, source)
    for name, value in read_form(decoded(query, notes), notes).items():
        if name not in values or (name == "dry_run" and not is_no(value)):
            values[name], sources[name] = value, "query"
        elif values[name] != value:
            notes.add("query_overridden")
    for name in _OBJECTS:
        _open_object(values, name, notes)
    return Fields(values, sources, tuple(code for code in NOTES if code in notes))


def _read_body(content_type: str, body: bytes, notes: set[str]) -> tuple[dict[str, Value], str]:
    if body.startswith(_COMPRESSED):
        reason = "it is compressed, which is not read; send it plain, without Content-Encoding"
        raise Refusal("malformed_body", form="text", reason=reason)
    label = _label(content_type)
    boundary = first_boundary(body, labelled=label == "multipart")
    if boundary:
        _compare("multipart", label, notes)
        return read_multipart(content_type, boundary, body, notes), "multipart"
    text = decoded(body, notes, detect_encoding(body)).strip()
    if _NOTHING.fullmatch(text):
        return {}, label
    if _ESCAPED_OBJECT.fullmatch(text):
        notes.add("percent_encoded_json")
        text = unescaped(text.rstrip("="), notes)
    if text[0] not in _NO_FORM and (label == "form" or _FORM.match(text)):
        _compare("form", label, notes)
        return read_form(text, notes), "form"
    if text[0] != "{" and label == "multipart":
        raise Refusal("malformed_body", form="multipart", reason="it doesn't begin with its boundary")
    _compare("json", label, notes)
    return _read_object(text, notes), "json"


def _label(content_type: str) -> str:
    """What the content type calls the body: ``json``, ``form``, ``multipart``, or its own words."""
    media_type = content_type.partition(";")[0].strip().lower()
    if "json" in media_type:
        return "json"
    if media_type.endswith("form-urlencoded"):
        return "form"
    return "multipart" if media_type.startswith("multipart/") else media_type


def _compare(kind: str, label: str, notes: set[str]) -> None:
    if kind != label:
        notes.add("content_type_mismatch" if label else "content_type_missing")


def _read_object(text: str, notes: set[str]) -> dict[str, Value]:
    value = read_json(text, notes)
    if type(value) is str and value.lstrip().startswith("{"):
        notes.add("double_encoded")
        value = read_json(value, notes)
    if not isinstance(value, dict):
        raise Refusal("malformed_json", reason=f"it is {_NOUNS[type(value)]}, not an object")
    return value


def _open_object(values: dict[str, Value], name: str, notes: set[str]) -> None:
    """Read contact fields that were sent as the text of an object, or of none; another text is left to the caller."""
    text = values.get(name)
    if text == [""]:  # post_call_tokens[]= is the form of an empty list
        values[name] = {}
    if not (isinstance(text, str) and _TEXT_OF_FIELDS.match(text)):
        return
    leniencies = {"json_in_field"}
    try:
        values[name] = read_json(text, leniencies)
    except Refusal as refusal:
        if refusal.code.name != "malformed_json":
            raise
        return
    notes |= leniencies
