"""The template tokens that a person can choose from, each with what it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ringback.domain.template_tokens import FIELD, PARTNER_FIELDS, TOKENS, resolve
from ringback.domain.templates import names

_LABELS = {token.name: token.label for token in TOKENS}


@dataclass(frozen=True, slots=True)
class Choice:
    """A template token to choose: the key of its value, its name in a template, what it is."""

    key: str
    name: str
    label: str

    @property
    def written(self) -> str:
        """The token as it stands in a template."""
        return f"[{self.name}]"


def list_choices(fields: Iterable[str]) -> list[Choice]:
    """Everything that a template can name: what every call has, then contact fields by the alphabet."""
    known = {field.lower() for field in fields} | PARTNER_FIELDS.keys()
    chosen = [Choice(token.name, token.name, token.label) for token in TOKENS]
    for field in sorted(known):
        key = FIELD + field
        choice = Choice(key, field if resolve(field, known) == key else key, label_of(key))
        if names(choice.written) == [choice.name]:
            chosen.append(choice)
    return chosen


def label_of(key: str) -> str:
    """What the value of a key is, for a reader."""
    if not key.startswith(FIELD):
        return _LABELS.get(key, key)
    name = key.removeprefix(FIELD)
    return PARTNER_FIELDS.get(name, f"Contact field {name}")
