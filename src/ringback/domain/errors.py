"""The exceptions that carry the answers of ``codes``.

A refusal is stored as its code and details, never as prose; the prose is made here when somebody reads it::

    RingbackError
     ├─ Refusal            the request can't be done; says which code, which fields, what to do
     └─ Mistake            a command can't be done; says why in a sentence
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from msgspec import Struct

from ringback.domain.codes import CODES, ON_PAGES, Code

__all__ = ["CODES", "ON_PAGES", "Code", "Mistake", "Problem", "Refusal", "RingbackError"]


class _Gaps(dict[str, str]):
    """Details with gaps: a detail that is not known reads as nothing."""

    def __missing__(self, key: str) -> str:
        return ""


class Problem(Struct, frozen=True):
    """One thing that is wrong with one field of a request, as code and details."""

    field: str
    code: str
    details: Mapping[str, str] = {}

    @property
    def message(self) -> str:
        """The sentence for a reader."""
        return CODES[self.code].title.format_map(_Gaps(self.details))


class RingbackError(Exception):
    """Any error that Ringback raises on purpose."""


class Mistake(RingbackError):
    """What the operator asked for can't be done with what is there; the message says why, and what would do."""


class Refusal(RingbackError):
    """A request that can't be done, and why.

    Args:
        code: a name from ``CODES``.
        problems: what is wrong, field by field; may be empty.
        details: what the sentences of the code are filled with; never a secret.
    """

    def __init__(self, code: str, *, problems: Sequence[Problem] = (), **details: str) -> None:
        super().__init__(code)
        self.code = CODES[code]
        self.problems = tuple(problems)
        self.details: Mapping[str, str] = MappingProxyType(details)

    def __str__(self) -> str:
        return self.title

    @property
    def title(self) -> str:
        """What happened, as a sentence."""
        if self.problems and not self.details:
            return self.problems[0].message
        return self.code.title.format_map(_Gaps(self.details))

    @property
    def hint(self) -> str:
        """What the sender should do."""
        hint = self.code.ways.get(self.details.get("way", ""), self.code.hint)
        return hint.format_map(_Gaps(self.details))
