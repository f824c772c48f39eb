"""What is allowed in a postback, and yet seldom meant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ringback.domain.dialects import list_foreign
from ringback.domain.postbacks import Definition
from ringback.domain.unreplaced import UnreplacedToken

_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_UPDATES = "/api/v1/calls"


@dataclass(frozen=True, slots=True)
class Note:
    """Something to think about: the field, and a sentence."""

    field: str
    message: str


def notes(definition: Definition, *, unbound_host: str = "") -> Iterator[Note]:
    """What to think about before a postback is saved.

    Args:
        definition: as it was typed.
        unbound_host: the host that it sends to, if it wants a credential and none of the vault is bound to that.
    """
    has_body = definition.body_kind != "none" and bool(definition.body.strip())
    if definition.url.strip().lower().startswith("http://"):
        yield Note("url", "http:// sends without encryption, and is refused unless the operator allowed the host.")
    if definition.method in _WITH_BODY and not has_body:
        yield Note("body", f"{definition.method} without a body: most receivers expect one.")
    if definition.method not in _WITH_BODY and has_body:
        yield Note("body", f"{definition.method} with a body: many receivers don't read it.")
    if unbound_host:
        yield Note("credential", f"No credential of the vault is bound to {unbound_host}, so deliveries are held.")
    elif not definition.credential and _UPDATES in definition.url:
        yield Note("credential", "This address wants a credential, and none is chosen.")
    if _UPDATES in definition.url and '"revenue"' in definition.body and '"buyer_converted"' not in definition.body:
        yield Note("body", "There is revenue, but no buyer_converted: the receiver records an amount, no conversion.")


def foreign(definition: Definition) -> list[UnreplacedToken]:
    """Template tokens of other platforms, which would be sent as they stand."""
    texts = (definition.url, definition.body, *(value for _, value in definition.headers))
    return list(dict.fromkeys(token for text in texts for token in list_foreign(text)))
