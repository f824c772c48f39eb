"""What a list is asked for in a query string: which of its rows, in which order, which page of them.

What can't be understood of a value is gathered and said all at once; names that nobody asks after are passed over, and
told as ignored.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ringback.domain.errors import Problem, Refusal
from ringback.domain.masking import mask_keys
from ringback.domain.unreplaced import find_unreplaced

USUAL_LENGTH = 25
LONGEST_PAGE = 1_000
"""How many rows a page has if nobody says, and at most."""

BEGINNING, END = -1, 0
"""The cursor of the first page, and the one that says that there is no further page."""

_LONGEST_NUMBER = 18
_MOST_IGNORED = 20
_SHOWN = 80
_WHOLE = re.compile(r"-?[0-9]+", re.ASCII)
_TRUTH = {
    **dict.fromkeys(("1", "true", "yes", "on"), True),
    **dict.fromkeys(("0", "false", "no", "off"), False),
}
_ELSEWHERE = frozenset({"auth_token"})
"""Names that are read before anything of a list is."""


class Query:
    """The names of a query string with their values, to be read one by one."""

    def __init__(self, given: Mapping[str, str]) -> None:
        self._given = given
        self._known = set(_ELSEWHERE)
        self._problems: list[Problem] = []
        self._passed_over: list[str] = []

    def text(self, name: str) -> str:
        """A value without the spaces around it; nothing if it isn't given."""
        self._known.add(name)
        value = self._given.get(name, "").strip()
        if "\0" in value:
            self.refuse(name, "plain text")
            return ""
        if token := find_unreplaced(value):
            details = {"value": mask_keys(token.text), "platform": f"of {token.platform} "}
            self._problems.append(Problem(name, "unreplaced_token", details))
            return ""
        return value

    def truth(self, name: str) -> bool | None:
        """True or false; None if it isn't given."""
        word = self.text(name).lower()
        if word and word not in _TRUTH:
            self.refuse(name, "true or false")
        return _TRUTH.get(word)

    def whole(self, name: str, *, least: int, most: int, form: str) -> int | None:
        """A whole number within bounds; None if it isn't given. ``form`` says what it must be."""
        text = self.text(name)
        if not text:
            return None
        number = int(text) if _WHOLE.fullmatch(text) and len(text) <= _LONGEST_NUMBER else least - 1
        if not least <= number <= most:
            self.refuse(name, form)
            return None
        return number

    def choice(self, name: str, choices: Iterable[str]) -> str:
        """One of several words, in small letters; nothing if it isn't given."""
        word, choices = self.text(name).lower(), tuple(choices)
        if word and word not in choices:
            self.refuse(name, f"one of {', '.join(choices)}")
            return ""
        return word

    def names(self, name: str) -> tuple[str, ...]:
        """Names between commas, spaces around them left out."""
        return tuple(dict.fromkeys(filter(None, (each.strip() for each in self.text(name).split(",")))))

    def refuse(self, name: str, form: str) -> None:
        """Note that a value isn't what it must be."""
        self._problems.append(Problem(name, "invalid_value", {"reason": f"{name} must be {form}"}))

    def pass_over(self, names: Iterable[str]) -> None:
        """Note names within a value that mean nothing."""
        self._passed_over.extend(names)

    def require(self, name: str) -> None:
        """Note that a name is missing, if it is."""
        if not self.text(name):
            self._problems.append(Problem(name, "missing_value", {"name": name}))

    def check(self) -> None:
        """Refuse what couldn't be understood.

        Raises:
            Refusal: ``invalid_value``, ``unreplaced_token``, ``missing_value``, naming every value.
        """
        if self._problems:
            problems = {problem.field: problem for problem in reversed(self._problems)}
            raise Refusal(self._problems[0].code, problems=[*reversed(problems.values())])

    @property
    def ignored(self) -> list[str]:
        """The names that nobody asked after, and those within values that mean nothing."""
        names = [*(name for name in self._given if name not in self._known), *self._passed_over]
        return [mask_keys(name)[:_SHOWN] for name in names[:_MOST_IGNORED]]


@dataclass(frozen=True, slots=True)
class Paging:
    """Which page is asked for: by its number, or as what comes after a cursor, if there is one."""

    page: int = 1
    per_page: int = USUAL_LENGTH
    cursor: int | None = None

    @property
    def skipped(self) -> int:
        """How many rows come before the page."""
        return (self.page - 1) * self.per_page

    @property
    def is_over(self) -> bool:
        """Whether it was said already that there is no further page."""
        return self.cursor == END


def read_paging(query: Query) -> Paging:
    """The page that a query string asks for; a cursor goes before the number of a page."""
    most = 10**_LONGEST_NUMBER - 1
    page = query.whole("page", least=1, most=most, form="a whole number from 1 on")
    form = f"a whole number from 1 to {LONGEST_PAGE}"
    per_page = query.whole("per_page", least=1, most=LONGEST_PAGE, form=form)
    form = "-1 for the first page, or the next_cursor of an answer"
    cursor = query.whole("cursor", least=BEGINNING, most=most, form=form)
    return Paging(page or 1, per_page or USUAL_LENGTH, cursor)
