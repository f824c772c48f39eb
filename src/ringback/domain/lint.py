"""What is allowed in a postback, and yet seldom meant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ringback.domain.dialects import list_foreign
from ringback.domain.postbacks import Definition
from ringback.domain.templates import names, scan
from ringback.domain.unreplaced import UnreplacedToken

_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_UPDATES = "/api/v1/calls"

_PLACEHOLDER = re.compile(r"<[a-z][\w -]*>|\byour[-_]\w[\w-]*|\b(?:replace|change)[-_]?(?:me|this)\b", re.IGNORECASE)
_IN_BODY = re.compile(r"(?<=\")<[A-Za-z][\w -]*>(?=\")|\bYOUR[-_]\w[\w-]*|\b(?:REPLACE|CHANGE)[-_]?(?:ME|THIS)\b")
"""What a manual puts where a value belongs; a body may have tags, and names such as ``your_reference``."""

_HOST = re.compile(r"https?://([^/?#:]+)", re.IGNORECASE)
_NOBODYS = re.compile(r"(?:.+\.)?(?:example|example\.(?:com|net|org))", re.IGNORECASE)
"""Names that are kept for examples (RFC 2606)."""


@dataclass(frozen=True, slots=True)
class Note:
    """Something to think about: the field, and a sentence."""

    field: str
    message: str


def notes(definition: Definition, *, unbound_host: str = "", is_sample: bool = False) -> Iterator[Note]:
    """What to think about before a postback is saved.

    Args:
        definition: as it was typed.
        unbound_host: the host that it sends to, if it wants a credential and none of the vault is bound to that.
        is_sample: whether that host is made of sample values.
    """
    yield from _left_standing(definition)
    has_body = definition.body_kind != "none" and bool(definition.body.strip())
    if definition.url.strip().lower().startswith("http://"):
        yield Note("url", "http:// sends without encryption, and is refused unless the operator allowed the host.")
    if definition.method in _WITH_BODY and not has_body:
        yield Note("body", f"{definition.method} without a body: most receivers expect one.")
    if definition.method not in _WITH_BODY and has_body:
        yield Note("body", f"{definition.method} with a body: many receivers don't read it.")
    yield from _unescaped(definition)
    if unbound_host:
        then = "which is a sample: choose a call above to see its own host" if is_sample else "so deliveries are held"
        yield Note("credential", f"No credential of the vault is bound to {unbound_host}, {then}.")
    elif not definition.credential and _UPDATES in definition.url:
        yield Note("credential", "This address wants a credential, and none is chosen.")
    if _UPDATES in definition.url and '"revenue"' in definition.body and '"buyer_converted"' not in definition.body:
        yield Note("body", "There is revenue, but no buyer_converted: the receiver records an amount, no conversion.")


def foreign(definition: Definition) -> list[UnreplacedToken]:
    """Template tokens of other platforms, which would be sent as they stand."""
    texts = (definition.url, definition.body, *(value for _, value in definition.headers))
    return list(dict.fromkeys(token for text in texts for token in list_foreign(text)))


def _unescaped(definition: Definition) -> Iterator[Note]:
    """That values go as they are into a text that others read as more than one."""
    if definition.body_kind != "text" or not names(definition.body):
        return
    types = [value for name, value in definition.headers if name.strip().lower() == "content-type"]
    for media in (each.partition(";")[0].strip().lower() for each in types):
        if media.endswith("json"):
            yield Note("body_kind", "A text is sent as it is, and a value with a quote breaks out of it: choose JSON.")
        elif media.endswith(("xml", "html")):
            yield Note("body_kind", f"A text is sent as it is, and a value with < or & breaks the {media}.")


def _left_standing(definition: Definition) -> Iterator[Note]:
    """What stands for something that is still to be filled in."""
    host = _HOST.match(definition.url.strip())
    if host is not None and _NOBODYS.fullmatch(host[1]):
        yield Note("url", f"{host[1]} is an example and reaches nobody: put the receiver's host in its place.")
    found = [("url", text) for text in _matches(_PLACEHOLDER, definition.url)]
    found += [("headers", text) for _, value in definition.headers for text in _matches(_PLACEHOLDER, value)]
    if definition.body_kind != "none":
        found += [("body", text) for text in _matches(_IN_BODY, definition.body)]
    for field, text in dict.fromkeys(found):
        yield Note(field, f"{text} is a placeholder, and would be sent as it stands: put what is meant in its place.")


def _matches(pattern: re.Pattern[str], template: str) -> Iterator[str]:
    """What a pattern finds in a template besides its tokens."""
    return (found[0] for piece in scan(template) if isinstance(piece, str) for found in pattern.finditer(piece))
