"""Reading what people type into forms: every field is looked at before anything is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ringback.domain.errors import Problem, Refusal
from ringback.domain.money import AmountError
from ringback.domain.names import UnfitError

T = TypeVar("T")

_RECOGNISED = 20
"""So many characters of what was typed are looked for at the beginning of a reason, where they stay as they are."""


class Fields:
    """The fields of a form as they are read, and what is wrong with them."""

    def __init__(self) -> None:
        self._problems: list[Problem] = []

    def read(self, field: str, reader: Callable[[str], T], text: str) -> T | None:
        """What a reader makes of a text; None if it can't be read."""
        try:
            return reader(text)
        except (UnfitError, AmountError) as error:
            typed = text.strip()[:_RECOGNISED]
            self._note(field, error.reason if typed and error.reason.startswith(typed) else _sentence(error.reason))
            return None

    def refuse(self, field: str, reason: str) -> None:
        """Note what is wrong with a field, as a sentence without its full stop."""
        self._note(field, _sentence(reason))

    def _note(self, field: str, reason: str) -> None:
        self._problems.append(Problem(field, "invalid_value", {"reason": reason}))

    def check(self) -> None:
        """Go on only if nothing was wrong.

        Raises:
            Refusal: ``invalid_value`` with a problem for each field.
        """
        if self._problems:
            raise Refusal("invalid_value", problems=self._problems)


def read_field(field: str, reader: Callable[[str], T], text: str) -> T:
    """What a reader makes of the only field of a form.

    Raises:
        Refusal: ``invalid_value``.
    """
    fields = Fields()
    value = fields.read(field, reader, text)
    fields.check()
    assert value is not None  # noqa: S101 - readers of names never return None
    return value


def _sentence(reason: str) -> str:
    return reason[:1].upper() + reason[1:]
