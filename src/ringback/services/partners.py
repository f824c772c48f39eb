"""Buyers, traffic sources and offers, as people make and change them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from ringback.domain.money import format_amount, from_micros, parse_amount, parse_payout, to_micros
from ringback.domain.names import name_key, read_email, read_id, read_name
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


_EXTERNAL_ID = Term("external_id", read_id)

TERMS: Mapping[str, tuple[Term, ...]] = {
    "buyer": (Term("email", read_email), Term("agreed_revenue", _to_column, _amount), _EXTERNAL_ID),
    "traffic_source": (_EXTERNAL_ID,),
    "offer": (Term("payout", lambda text: str(parse_payout(text))), _EXTERNAL_ID),
}
"""The terms of each kind of partner; any of them may be left empty."""


def written(noun: str, row: Mapping[str, Any]) -> dict[str, str]:
    """A partner as a form shows him: his name, and each term or nothing."""
    return {column: text or "" for column, text in form_of(noun, row).items()}


def form_of(noun: str, row: Mapping[str, Any]) -> dict[str, str | None]:
    """The form that would make a partner what he is."""
    terms = {term.column: None if row[term.column] is None else term.write(row[term.column]) for term in TERMS[noun]}
    return {"name": row["name"], **terms}


def create(tx: Connection, actor: Actor, noun: str, form: Form) -> int:
    """Make a partner; returns his number.

    Raises:
        Refusal: ``invalid_value`` with a problem for each field.
    """
    accounts.lock_settings(tx, actor.account_id)
    columns = _read(tx, actor, noun, form)
    number = partners.add(tx, actor.account_id, noun, uuid=actor.new_id(), now=actor.now, **columns)
    told = {column: text for column, text in written(noun, columns).items() if text}
    audit.note_change(tx, actor, f"{noun}.made", _subject(noun, columns["name"]), {}, told)
    return number


def change(tx: Connection, actor: Actor, noun: str, row: Mapping[str, Any], form: Form) -> bool:
    """Change what a form names of a partner; false if he was so already.

    Raises:
        Refusal: ``invalid_value`` with a problem for each field.
    """
    accounts.lock_settings(tx, actor.account_id)
    number = row["id"]
    columns = _read(tx, actor, noun, {**form_of(noun, row), **form}, number)
    partners.change(tx, actor.account_id, noun, number, name_key=name_key(columns["name"]), **columns)
    before, after = written(noun, row), written(noun, columns)
    return audit.note_change(tx, actor, f"{noun}.changed", _subject(noun, row["name"]), before, after)


def pause(tx: Connection, actor: Actor, noun: str, row: Mapping[str, Any], *, paused: bool) -> bool:
    """Mark a partner as one with whom there is no business for now, or take the mark off; false if he was so already.

    Nothing is lost by it: calls that are reported all the same are recorded, and their sender is told.
    """
    if row["paused"] == paused:
        return False
    partners.change(tx, actor.account_id, noun, row["id"], paused=paused)
    audit.note(tx, actor, f"{noun}.{'paused' if paused else 'resumed'}", _subject(noun, row["name"]))
    return True


def renew_token(tx: Connection, actor: Actor, row: Mapping[str, Any]) -> None:
    """Give an offer another token; updates that name the old one find no call any more."""
    partners.change(tx, actor.account_id, "offer", row["id"], token=actor.new_id().replace("-", ""))
    audit.note(tx, actor, "offer.token_renewed", _subject("offer", row["name"]))


def _read(tx: Connection, actor: Actor, noun: str, form: Form, number: int | None = None) -> dict[str, Any]:
    """The columns of what was typed; ``number`` is that of the partner who has them already."""
    fields = Fields()
    name = fields.read("name", read_name, form.get("name") or "")
    if name is not None and partners.find_by_name(tx, actor.account_id, noun, name) not in {None, number}:
        fields.refuse("name", f"There is a {spoken(noun)} of this name already")
    columns: dict[str, Any] = {"name": name}
    for term in TERMS[noun]:
        text = form.get(term.column)
        columns[term.column] = None if text is None else fields.read(term.column, term.read, text)
    own = columns["external_id"]
    if own is not None and partners.find_by_external_id(tx, actor.account_id, noun, own) not in {None, number}:
        fields.refuse("external_id", f"There is a {spoken(noun)} with this id already")
    fields.check()
    return columns


def _subject(noun: str, name: str) -> str:
    return f"{spoken(noun)} {name}"


def spoken(noun: str) -> str:
    """The word for one of a kind, as people say it."""
    return noun.replace("_", " ")
