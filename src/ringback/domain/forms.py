"""Forms as senders write them: urlencoded (also query strings), nested names, multipart.

Sources: the WHATWG URL standard (application/x-www-form-urlencoded), RFC 7578 (multipart/form-data), and PHP's habit of
nesting by name, ``post_call_tokens[first_name]=Ann``, which curl, Guzzle and axios share.
"""

from __future__ import annotations

import re
from binascii import unhexlify

from ringback.domain.errors import Refusal
from ringback.domain.jsontext import LEVELS, Value, duplicate, put

MOST_FIELDS = 1_000
"""How many fields a form may have; PHP and Django draw the line there too."""


def decoded(raw: bytes, notes: set[str], encoding: str = "utf-8") -> str:
    """The text of ``raw``; what is not valid in ``encoding`` is taken for Windows-1252, and noted."""
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        notes.add("encoding_guessed")
    try:
        return raw.decode("cp1252")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def unescaped(text: str, notes: set[str]) -> str:
    """``text`` with ``+`` and ``%xx`` replaced; an invalid escape stays as it is."""
    text = text.replace("+", " ")
    if "%" not in text:
        return text
    return decoded(_ESCAPES.sub(_octets, text.encode()), notes)


def read_form(text: str, notes: set[str]) -> dict[str, Value]:
    """The fields of an urlencoded form or a query string.

    Raises:
        Refusal: ``malformed_body``, ``duplicate_key``, ``too_deep``.
    """
    if text.count("&") >= MOST_FIELDS:
        raise Refusal("malformed_body", form="a form", reason=_TOO_MANY)
    values: dict[str, Value] = {}
    for pair in filter(None, text.split("&")):
        name, _, value = pair.partition("=")
        _put_nested(values, unescaped(name, notes), unescaped(value, notes), notes)
    return values


def first_boundary(body: bytes, *, labelled: bool) -> bytes | None:
    """The boundary that ``body`` begins with, if it is multipart: its label or its second line must say so too."""
    start = _FIRST_BOUNDARY.match(body)
    if start is None or not (labelled or start["header"]):
        return None
    return start["boundary"].rstrip()


def read_multipart(content_type: str, boundary: bytes, body: bytes, notes: set[str]) -> dict[str, Value]:
    """The fields of a multipart form; of a file only its name.

    Not by the standard library's e-mail parser: it takes a body that was cut off for a whole one, and hostile headers
    make it recurse without end.

    Raises:
        Refusal: ``malformed_body``, ``duplicate_key``, ``too_deep``.
    """
    delimiter = b"\n--" + _declared(content_type, boundary, notes)
    parts, end, _ = (b"\n" + body).partition(delimiter + b"--")
    if not end:
        raise _malformed("its closing boundary is missing; it may be cut off")
    if parts.count(delimiter) > MOST_FIELDS:
        raise _malformed(_TOO_MANY)
    values: dict[str, Value] = {}
    for part in parts.split(delimiter)[1:]:
        name, value = _read_part(part.removesuffix(b"\r"), notes)
        _put_nested(values, name, value, notes)
    return values


_TOO_MANY = f"it has more than {MOST_FIELDS:,} fields"
_ESCAPES = re.compile(rb"(?:%[0-9A-Fa-f]{2})+")
_NESTED_NAME = re.compile(r"[^\[\]]+(?:\[[^\[\]]+\])*+(?:\[\])?")
_DECLARED_BOUNDARY = re.compile(r'boundary\s*=\s*(?:"([^"]+)"|([^\s";]+))', re.IGNORECASE)
_FIRST_BOUNDARY = re.compile(rb"\s*--(?P<boundary>\S[^\r\n]*+)(?P<header>\r?\ncontent-)?", re.IGNORECASE)
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_DISPOSITION = re.compile(rb"^content-disposition:(.*)", re.IGNORECASE | re.MULTILINE)
_PARAMETER = re.compile(rb';\s*([\w*-]++)\s*=\s*(?:"((?:[^"\\]|\\.)*+)"|([^;\s]*))')
_TRANSFER_ENCODED = re.compile(
    rb"^content-transfer-encoding:\s*(?:base64|quoted-printable)", re.IGNORECASE | re.MULTILINE
)


def _octets(escapes: re.Match[bytes]) -> bytes:
    return unhexlify(escapes[0].replace(b"%", b""))


def _malformed(reason: str) -> Refusal:
    return Refusal("malformed_body", form="multipart", reason=reason)


def _put_nested(values: dict[str, Value], name: str, value: str, notes: set[str]) -> None:
    """Add ``a[b][c]`` at its place in the objects ``a`` and ``b``, ``a[]`` to the list ``a``."""
    if not (name.endswith("]") and _NESTED_NAME.fullmatch(name)):
        put(values, name, value, notes)
        return
    if name.count("[") >= LEVELS:
        raise Refusal("too_deep", limit=str(LEVELS))
    *way, last = name.removesuffix("[]").replace("]", "").split("[")
    for step in way:
        inner = values.setdefault(step, {})
        if not isinstance(inner, dict):
            raise duplicate(name)
        values = inner
    if not name.endswith("[]"):
        put(values, last, value, notes)
        return
    items = values.setdefault(last, [])
    if not isinstance(items, list):
        raise duplicate(name)
    items.append(value)


def _declared(content_type: str, found: bytes, notes: set[str]) -> bytes:
    """The boundary of the content type if the body begins with it (or with the end of no parts), else ``found``."""
    match = _DECLARED_BOUNDARY.search(content_type)
    declared = (match[1] or match[2]).encode("latin-1", "replace") if match else b""
    if declared and found in (declared, declared + b"--"):
        return declared
    notes.add("boundary_guessed")
    return found


def _read_part(part: bytes, notes: set[str]) -> tuple[str, str]:
    head, *content = _BLANK_LINE.split(part, 1)
    disposition = _DISPOSITION.search(head)
    listed = _PARAMETER.findall(disposition[1]) if disposition else []
    parameters = {name.lower(): quoted or plain for name, quoted, plain in listed}
    if b"name" not in parameters or not content:
        raise _malformed("one of its parts has no name or no value")
    name = decoded(parameters[b"name"].replace(b'\\"', b'"').replace(b"\\\\", b"\\"), notes)
    if b"filename" in parameters or b"filename*" in parameters:
        notes.add("file_ignored")
        return name, decoded(parameters.get(b"filename", b""), notes)
    if _TRANSFER_ENCODED.search(head):
        raise _malformed("one of its parts has a transfer encoding, which multipart/form-data doesn't know")
    return name, decoded(content[0], notes)
