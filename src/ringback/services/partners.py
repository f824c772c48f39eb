"""Buyers, traffic sources and offers, as people make and change them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from ringback.domain.money import format_amount, from_micros, parse_amount, parse_payout, to_micros
from ringback.domain.names import name_key, read_email, read_name
from ringback.services import audit
from ringback.services.audit import Actor
from ringback.services.fields import Fields
from ringback.store import accounts, partners

Form = Mapping[str, str | None]
"""What was typed, by column; None where nothing is agreed."""


@dataclass(frozen=True, slots=True)
class Term:
    """What is agreed with a partner, or known of him, beside his name: how it is read, and how it is written."""

    column: str
    read: Callable[[str], object]
    write: Callable[[Any], str] = str


def _to_column(text: str) -> int:
    return to_micros(parse_amount(text))


def _amount(micros: int) -> str:
    return format_amount(from_micros(micros))


TERMS: Mapping[str, tuple[Term, ...]] = {
    "buyer": (Term("email", read_email), Term("agreed_revenue", _to_column, _amount)),
    "traffic_source": (),
    "offer": (Term("payout", lambda text: str(parse_payout(text))),),
}
"""The terms of each kind of partner; any of them may be left empty."""


def written(noun: str, row: Mapping[str, Any]) -> dict[str, str]:
    """A partner as a form shows him: his name, and each term or nothing."""
    terms = {term.column: row[term.column] for term in TERMS[noun]}
    return {
        "name": row["name"],
        **{term.column: "" if terms[term.column] is None else term.write(terms[term.column]) for term in TERMS[noun]},
    }


def create(tx: Connection, actor: Actor, noun: str, form: Form) -> int:
    """Make a partner; returns his number.

    Raises:
        Refusal: ``invalid_value`` with a problem for each field.
    """
    accounts.lock_settings(tx, actor.account_id)
    columns = _read(tx, actor, noun, form)
    number = partners.add(tx, actor.account_id, noun, uuid=actor.new_id(), now=actor.now, **columns)
    audit.note_change(tx, actor, f"{noun}.made", _subject(noun, columns["name"]), {}, written(noun, columns))
    return number


def change(tx: Connection, actor: Actor, noun: str, row: Mapping[str, Any], form: Form) -> bool:
    """Change a partner; false if he was so already.

    Raises:
        Refusal: ``invalid_value`` with a problem for each field.
    """
    accounts.lock_settings(tx, actor.account_id)
    number = row["id"]
    columns = _read(tx, actor, noun, form, number)
    partners.change(tx, actor.account_id, noun, number, name_key=name_key(columns["name"]), **columns)
    before, after = written(noun, row), written(noun, columns)
    return audit.note_change(tx, actor, f"{noun}.changed", _subject(noun, row["name"]), before, after)


def _read(tx: Connection, actor: Actor, noun: str, form: Form, number: int | None = None) -> dict[str, Any]:
    """The columns of what was typed; ``number`` is that of the partner who has them already."""
    fields = Fields()
    name = fields.read("name", read_name, form["name"] or "")
    if name is not None and partners.find_by_name(tx, actor.account_id, noun, name) not in {None, number}:
        fields.refuse("name", f"There is a {spoken(noun)} of this name already")
    columns: dict[str, Any] = {"name": name}
    for term in TERMS[noun]:
        text = form[term.column]
        columns[term.column] = None if text is None else fields.read(term.column, term.read, text)
    fields.check()
    return columns


def _subject(noun: str, name: str) -> str:
    return f"{spoken(noun)} {name}"


def spoken(noun: str) -> str:
    """The word for one of a kind, as people say it."""
    return noun.replace("_", " ")
