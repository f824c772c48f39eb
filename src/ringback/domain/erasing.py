"""What is left of documents when a person is erased: conversions, money, how it was decided; nothing of who called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ringback.domain.attributes import CONTACT_FIELDS, DISPOSITION_NOTES
from ringback.domain.calls import Patch

Document = Mapping[str, Any]
"""What is kept as JSON."""

PERSONAL = (CONTACT_FIELDS, DISPOSITION_NOTES)
"""The attributes that say something of a person."""

LEDGER_NAMES = frozenset({"caller_number", *(attribute.name for attribute in PERSONAL)})
"""The names of changes that say something of a person."""

_NAMES = frozenset(attribute.name for attribute in PERSONAL)
_WRITTEN = frozenset(name for attribute in PERSONAL for name in attribute.sets)
_OF_THE_PERSON = frozenset({"caller_number", *(name for attribute in PERSONAL for name in attribute.reads)})


def patch(given: Patch) -> Patch:
    """What an update asks for."""
    return tuple(write for write in given if write.attribute not in _NAMES)


def details(given: Document) -> Document:
    """What is said of a call beside its worth."""
    return {name: value for name, value in given.items() if name not in LEDGER_NAMES}


def understood(document: Document) -> Document:
    """What was understood of a request, and what was wrong with it."""
    return {
        **document,
        "patch": [row for row in document["patch"] if row[0] not in _NAMES],
        "problems": [row for row in document["problems"] if row[0].partition(".")[0] not in _WRITTEN],
    }


def changed(rows: Sequence[Sequence[Any]]) -> list[Sequence[Any]]:
    """What changed."""
    return [row for row in rows if not _is_personal(row[0])]


def answer(document: Document) -> Document:
    """What was answered; nothing is remembered of the answer to an addition without a key."""
    if not document:
        return document
    call, made = document["call"], document["changed"]
    return {
        **document,
        "call": {name: value for name, value in call.items() if name not in _OF_THE_PERSON},
        "changed": {name: value for name, value in made.items() if not _is_personal(name)},
    }


def _is_personal(name: str) -> bool:
    return name.partition(".")[0] in LEDGER_NAMES
