"""Conditions of a postback: rows of field, operator and value that must all hold of a call."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal

from ringback.domain.template_tokens import Unknown, Values, resolve, value_at
from ringback.domain.templates import spelled
from ringback.domain.updates import UNSTORABLE

OPERATORS: Mapping[str, str] = {
    "=": "is",
    "!=": "is not",
    "<": "is less than",
    "<=": "is at most",
    ">": "is more than",
    ">=": "is at least",
    "contains": "contains",
    "exists": "has a value",
    "missing": "has no value",
}
"""The operators, and how they are read aloud."""

WITHOUT_VALUE = frozenset({"exists", "missing"})
OF_NUMBERS = frozenset({"<", "<=", ">", ">="})
MOST = 20
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,29})(?:\.[0-9]{1,30})?")

Row = tuple[str, str, str]
"""Field, operator, value."""


def problems(rows: Iterable[Row], fields: Iterable[str]) -> list[str]:
    """What is wrong with conditions, as sentences."""
    fields, found = set(fields), []
    for number, (name, operator, value) in enumerate(rows, 1):
        key = resolve(name, fields)
        if isinstance(key, Unknown):
            hint = f" Did you mean {key.suggestion}?" if key.suggestion else f" For a contact field write field:{name}."
            found.append(f"Condition {number}: {name or 'nothing'} is not a value of a call.{hint}")
        if UNSTORABLE.search(name + operator + value):
            found.append(f"Condition {number}: there is a NUL character or half a character in it.")
        elif operator not in OPERATORS:
            found.append(f"Condition {number}: {operator} is not one of {', '.join(OPERATORS)}.")
        elif operator not in WITHOUT_VALUE and not value.strip():
            found.append(f"Condition {number}: say what {name} is compared with, or use exists or missing.")
        elif operator in OF_NUMBERS and _number(value) is None:
            found.append(f"Condition {number}: {operator} compares with a number such as 42.50.")
        if number > MOST:
            found.append(f"A postback has at most {MOST} conditions.")
            break
    return found


def all_hold(rows: Iterable[Row], values: Values) -> bool:
    """Whether every condition holds. Amounts compare as numbers, texts without regard to capitals."""
    return all(_holds(spelled(value_at(values, name)), operator, value) for name, operator, value in rows)


def _holds(actual: str, operator: str, value: str) -> bool:
    if operator in WITHOUT_VALUE:
        return bool(actual.strip()) is (operator == "exists")
    if operator == "contains":
        return value.casefold() in actual.casefold()
    left, right = _number(actual), _number(value)
    if left is not None and right is not None:
        return _COMPARE[operator](left, right)
    same = actual.strip().casefold() == value.strip().casefold()
    return {"=": same, "!=": not same}.get(operator, False)


def _number(text: str) -> Decimal | None:
    """The number that a text is. ``007`` is a text: leading zeros matter in ZIP codes and ids."""
    bare = text.strip()
    return Decimal(bare) if _NUMBER.fullmatch(bare) else None


_COMPARE: Mapping[str, Callable[[Decimal, Decimal], bool]] = {
    "=": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}
