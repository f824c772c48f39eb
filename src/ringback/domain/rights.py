"""Rights of a team as people write them, and what is different between two sets of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ringback.domain.access import Level
from ringback.domain.attributes import UPDATABLE, Attribute
from ringback.domain.names import UnfitError, did_you_mean, name_key

Rights = Mapping[str, Level]
"""The level of a team's right on each attribute, by the attribute's name; what is not there is none."""


def read_attribute(text: str) -> Attribute:
    """The attribute that is meant, by its name or its label on the team page.

    Raises:
        UnfitError: there is no such attribute.
    """
    known = {name_key(word): attribute for attribute in UPDATABLE for word in (attribute.name, attribute.label)}
    found = known.get(name_key(text))
    if found is None:
        names = ", ".join(attribute.name for attribute in UPDATABLE)
        words = (word for attribute in UPDATABLE for word in (attribute.name, attribute.label))
        near = did_you_mean(text, words) or f"; there are {names}"
        raise UnfitError(f"{text[:60]} is no attribute of a call{near}")
    return found


def declared(rights: Rights, update: Iterable[str] | None, read: Iterable[str] | None) -> dict[str, Level]:
    """The rights after a declaration: a list that is given is the whole list of its level; Update includes Read."""
    updates = _held(rights, Level.UPDATE) if update is None else update
    reads = _held(rights, Level.READ) if read is None else read
    return {**dict.fromkeys(reads, Level.READ), **dict.fromkeys(updates, Level.UPDATE)}


def raised(rights: Rights, level: Level, names: Iterable[str]) -> dict[str, Level]:
    """The rights with at least this level on these attributes."""
    return {**rights, **{name: max(level, rights.get(name, Level.NONE)) for name in names}}


def without(rights: Rights, names: Iterable[str]) -> dict[str, Level]:
    """The rights without any on these attributes."""
    taken = set(names)
    return {name: level for name, level in rights.items() if name not in taken}


def differences(before: Rights, after: Rights) -> list[str]:
    """What is different, in words."""
    told: dict[str, list[str]] = {}
    for attribute in UPDATABLE:
        old, new = before.get(attribute.name, Level.NONE), after.get(attribute.name, Level.NONE)
        if new > old:
            told.setdefault(f"{new.name.capitalize()} on {{}} added", []).append(attribute.label)
        elif new < old:
            left = ", Read left" if new else ""
            told.setdefault(f"{old.name.capitalize()} on {{}} removed{left}", []).append(attribute.label)
    return [sentence.format(", ".join(labels)) for sentence, labels in told.items()]


def _held(rights: Rights, level: Level) -> list[str]:
    return [name for name, held in rights.items() if held is level]
