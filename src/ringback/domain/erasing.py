"""What is left of documents when a person is erased: conversions, money, how it was decided; nothing of who called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ringback.domain.attributes import CONTACT_FIELDS
from ringback.domain.calls import Patch

Document = Mapping[str, Any]
"""What is kept as JSON."""

_OF_THE_PERSON = frozenset({"caller_number", *CONTACT_FIELDS.reads})


def patch(given: Patch) -> Patch:
    """What an update asks for."""
    return tuple(write for write in given if write.attribute != CONTACT_FIELDS.name)


def understood(document: Document) -> Document:
    """What was understood of a request, and what was wrong with it."""
    return {
        **document,
        "patch": [row for row in document["patch"] if row[0] != CONTACT_FIELDS.name],
        "problems": [row for row in document["problems"] if row[0].partition(".")[0] not in CONTACT_FIELDS.sets],
    }


def changed(rows: Sequence[Sequence[Any]]) -> list[Sequence[Any]]:
    """What changed."""
    return [row for row in rows if not _is_contact(row[0])]


def answer(document: Document) -> Document:
    """What was answered; nothing is remembered of the answer to an addition without a key."""
    if not document:
        return document
    call, made = document["call"], document["changed"]
    return {
        **document,
        "call": {name: value for name, value in call.items() if name not in _OF_THE_PERSON},
        "changed": {name: value for name, value in made.items() if not _is_contact(name)},
    }


def _is_contact(name: str) -> bool:
    return name.partition(".")[0] == CONTACT_FIELDS.name
