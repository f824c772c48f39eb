"""TOML that people write: read strictly, and whatever is wrong with it is said with its line.

``tomllib`` tells lines of mistakes in the syntax only. The line of anything else is found with its help all the same:
a key stands on the line after the longest beginning of the text that can be read and doesn't have the key.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeVar

from ringback.domain.errors import RingbackError
from ringback.domain.money import AmountError
from ringback.domain.names import UnfitError, did_you_mean, name_key

Path = tuple[str | int, ...]
"""Where something stands in a document: keys, and places in lists counted from 0."""

Read = TypeVar("Read")

_LINE = re.compile(r" \(at line (\d+), column \d+\)$")


class SpoiledError(RingbackError):
    """A document that can't be taken, with the line and the reason."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line = line
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a document, its values, and ways to read them that refuse what doesn't fit."""

    text: str = field(repr=False)
    at: Path
    values: Mapping[str, object]

    def only(self, *known: str) -> None:
        """Refuse keys that are not known."""
        for key in self.values:
            if key not in known:
                near = did_you_mean(key, known) or f"; the keys are {', '.join(known)}"
                raise self.refuse(key, f"there is no key {key} here{near}")

    def refuse(self, key: str, reason: str, value: str = "") -> SpoiledError:
        """The refusal of a key, or of one value in its list; of the whole table where the key isn't there."""
        at = (*self.at, key) if key in self.values else self.at
        return SpoiledError(line_of(self.text, at, value), reason)

    def name(self, key: str, read: Callable[[str], Read]) -> Read | None:
        """A text, read by a function that raises where it doesn't fit; None if it isn't there."""
        value = self.values.get(key)
        if value is None:
            return None
        if not isinstance(value, str):
            raise self.refuse(key, f'{key} must be text in quotes, as in {key} = "…"')
        return self._read(key, value, read)

    def required(self, key: str, read: Callable[[str], Read], noun: str) -> Read:
        """The same of a text that must be there."""
        value = self.name(key, read)
        if value is None:
            raise self.refuse(key, f"{noun} needs the key {key}")
        return value

    def amount(self, key: str, read: Callable[[str], Read]) -> Read | None:
        """The same of an amount, which may also be written as a number."""
        value = self.values.get(key)
        if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
            return self._read(key, str(value), read)
        return self.name(key, read)

    def flag(self, key: str) -> bool | None:
        """A boolean; None if it isn't there."""
        value = self.values.get(key)
        if value is None or isinstance(value, bool):
            return value
        raise self.refuse(key, f"{key} must be true or false, without quotes")

    def names(self, key: str, read: Callable[[str], Read]) -> tuple[Read, ...] | None:
        """A list of different texts; None if it isn't there."""
        value = self.values.get(key)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise self.refuse(key, f'{key} must be a list of texts, as in {key} = ["…", "…"]')
        found: dict[object, Read] = {}
        for each in value:
            name = self._read(key, each, read)
            same = name_key(name) if isinstance(name, str) else name
            if same in found:
                raise self.refuse(key, f"{each} stands twice in {key}", each)
            found[same] = name
        return tuple(found.values())

    def tables(self, key: str) -> list[Table]:
        """The tables of a list of them."""
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
            name = ".".join(str(part) for part in (*self.at, key) if isinstance(part, str))
            raise self.refuse(key, f"{key} must be written as [[{name}]]")
        return [Table(self.text, (*self.at, key, place), each) for place, each in enumerate(value)]

    def _read(self, key: str, value: str, read: Callable[[str], Read]) -> Read:
        try:
            return read(value)
        except (UnfitError, AmountError) as error:
            raise self.refuse(key, f"{key}: {error.reason}", value) from error


def read_document(text: str) -> Table:
    """The outermost table of a document.

    Raises:
        SpoiledError: it is not TOML.
    """
    try:
        return Table(text, (), _parsed(text))
    except tomllib.TOMLDecodeError as error:
        found = _LINE.search(str(error))
        line = int(found[1]) if found else len(text.rstrip().split("\n"))
        raise SpoiledError(line, f"not TOML: {_LINE.sub('', str(error))}") from error


def line_of(text: str, at: Path, value: str = "") -> int:
    """The line, counted from 1, on which a document has what is at a path; of a value in a list, the value's own."""
    lines = text.split("\n")
    key = next((part for part in reversed(at) if isinstance(part, str)), "")
    likely = [number for number, line in enumerate(lines) if key in line]
    for number in (*reversed(likely), *reversed(range(len(lines)))):
        if _lacks("\n".join(lines[:number]), at):
            return 1 + next((place for place in range(number, len(lines)) if value in lines[place]), number)
    return 1


def _lacks(text: str, at: Path) -> bool:
    """Whether a text can be read and has nothing at a path."""
    try:
        found: object = _parsed(text)
        for part in at:
            found = found[part]  # type: ignore[index] # what has no index lacks it, too
    except tomllib.TOMLDecodeError:
        return False
    except (LookupError, TypeError):
        return True
    return False


def _parsed(text: str) -> dict[str, object]:
    return tomllib.loads(text, parse_float=Decimal)
