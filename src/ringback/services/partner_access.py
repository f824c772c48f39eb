"""Buyers, traffic sources and offers as callers of the API see and change them.

Who runs the account sees all of them, and changes them with a token of type *Everything*. A member sees the buyers that
his teams with API access see, without what is the account's own business.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from ringback.domain import access as rules
from ringback.domain.access import AccessType, Principal
from ringback.domain.answers import iso
from ringback.domain.attributes import REVENUE
from ringback.domain.errors import Problem, Refusal
from ringback.domain.partner_forms import COLUMNS, Asked
from ringback.domain.queries import END, Paging
from ringback.domain.updates import UNSTORABLE
from ringback.services import partners
from ringback.services.access import Caller, check_reader, identify
from ringback.services.audit import Actor, NewId
from ringback.services.updates import MARK_USED_AFTER
from ringback.store import access, accounts, partner_search
from ringback.store import partners as store
from ringback.store.access import Account
from ringback.store.partner_search import Wanted
from ringback.store.values import from_moment

PLURALS: Mapping[str, str] = {"buyer": "buyers", "traffic_source": "traffic_sources", "offer": "offers"}
"""The words for several of each kind."""

_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Page:
    """Some partners as their reader may see them, how many there are, and the number after which the next begin."""

    documents: Sequence[dict[str, object]]
    total: int
    next_number: int


@dataclass(frozen=True, slots=True)
class Done:
    """A partner after he was made or changed; ``before`` is what he was, if he was there."""

    document: dict[str, object]
    before: dict[str, object] | None


def partner_object(
    noun: str, row: Mapping[str, Any], time_zone: str, hidden: frozenset[str] = frozenset()
) -> dict[str, object]:
    """A partner under TrackDrive's column names, without the columns that are hidden."""
    form = partners.form_of(noun, row)
    return {
        "id": row["id"],
        "uuid": row["uuid"],
        **{name: form[column] for name, column in COLUMNS[noun].items() if column not in hidden},
        **({"offer_token": row["token"]} if noun == "offer" else {}),
        "paused": row["paused"],
        "archived": row["archived"],
        "created_at": iso(from_moment(row["created_at"]), time_zone),
    }


def columns(noun: str) -> tuple[str, ...]:
    """The columns of a kind of partner, in their order."""
    token = ("offer_token",) if noun == "offer" else ()
    return ("id", "uuid", *COLUMNS[noun], *token, "paused", "archived", "created_at")


def list_page(tx: Connection, caller: Caller, wanted: Wanted, paging: Paging, now: datetime) -> Page:
    """The partners that are wanted and that the caller may see, by number.

    Raises:
        Refusal: who is unknown or may not read here; ``may_not_see``.
    """
    account, principal = check_reader(tx, caller, now)
    wanted = replace(wanted, among=_among(principal, wanted.noun))
    total = partner_search.count(tx, account.id, wanted)
    if paging.is_over:
        return Page([], total, END)
    after, skipped = (0, paging.skipped) if paging.cursor is None else (max(paging.cursor, 0), 0)
    rows = partner_search.list_page(tx, account.id, wanted, after=after, skipped=skipped, limit=paging.per_page + 1)
    shown = rows[: paging.per_page]
    next_number = shown[-1]["id"] if len(rows) > len(shown) else END
    return Page([_seen(principal, account, wanted.noun, row) for row in shown], total, next_number)


def read(tx: Connection, caller: Caller, noun: str, text: str, now: datetime) -> dict[str, object]:
    """The partner that a text names by number, UUID or own id, as the caller may see him.

    Raises:
        Refusal: who is unknown or may not read here; ``may_not_see``, ``not_there``.
    """
    account, principal = check_reader(tx, caller, now)
    among = _among(principal, noun)
    row = _find(tx, account, noun, text)
    if among is not None and row["id"] not in among:
        raise _absent(noun, text)
    return _seen(principal, account, noun, row)


def make(tx: Connection, caller: Caller, asked: Asked, *, now: datetime, new_id: NewId) -> Done:
    """Make a partner.

    Raises:
        Refusal: who is unknown or may not do that; what is wrong with each field.
    """
    account, actor = _open(tx, caller, asked.noun, now, new_id)
    if "name" not in asked.form and all(problem.field != "name" for problem in asked.problems):
        asked = replace(asked, problems=(*asked.problems, Problem("name", "missing_value", {"name": "name"})))
    changing = tx.begin_nested()
    try:
        number = partners.create(tx, actor, asked.noun, asked.form)
    except Refusal as refusal:
        raise asked.refused(refusal) from refusal
    if asked.problems:
        raise asked.refused()
    row = _row(tx, account, asked.noun, number)
    if asked.paused:
        partners.pause(tx, actor, asked.noun, row, paused=True)
    document = _seen(actor.principal, account, asked.noun, _row(tx, account, asked.noun, number))
    changing.rollback() if asked.dry_run else changing.commit()
    return Done(document, None)


def change(tx: Connection, caller: Caller, text: str, asked: Asked, *, now: datetime, new_id: NewId) -> Done:
    """Change what is named of a partner.

    Raises:
        Refusal: who is unknown or may not do that; ``not_there``; what is wrong with each field.
    """
    noun = asked.noun
    account, actor = _open(tx, caller, noun, now, new_id)
    row = _find(tx, account, noun, text)
    changing = tx.begin_nested()
    try:
        partners.change(tx, actor, noun, row, asked.form)
    except Refusal as refusal:
        raise asked.refused(refusal) from refusal
    if asked.problems:
        raise asked.refused()
    if asked.paused is not None:
        partners.pause(tx, actor, noun, row, paused=asked.paused)
    document = _seen(actor.principal, account, noun, _row(tx, account, noun, row["id"]))
    changing.rollback() if asked.dry_run else changing.commit()
    return Done(document, _seen(actor.principal, account, noun, row))


def _open(tx: Connection, caller: Caller, noun: str, now: datetime, new_id: NewId) -> tuple[Account, Actor]:
    """Who changes something, after a look at whether he may; others who want to wait until he is done."""
    account, principal = identify(tx, caller)
    rules.check_token(principal, now=now, ip=caller.ip, writes=False)
    rules.check_membership(principal)
    token = principal.token
    if not principal.runs_account or token is None or token.access_type is not AccessType.EVERYTHING:
        raise Refusal("may_not_change", nouns=_spoken(noun))
    if token.last_used_at is None or now - token.last_used_at >= MARK_USED_AFTER:
        access.mark_used(tx, {token.id: caller.ip}, now)
    accounts.lock_settings(tx, account.id)
    return account, Actor(principal, now, new_id)


def _among(principal: Principal, noun: str) -> frozenset[int] | None:
    """The numbers of the partners that somebody may see; None if he may see all of them.

    Raises:
        Refusal: ``may_not_see``.
    """
    if principal.runs_account:
        return None
    if noun != "buyer":
        raise Refusal("may_not_see", nouns=_spoken(noun))
    teams = principal.api_teams
    if any(team.every_buyer for team in teams):
        return None
    return frozenset(number for team in teams for number in team.buyers)


def _seen(principal: Principal, account: Account, noun: str, row: Mapping[str, Any]) -> dict[str, object]:
    return partner_object(noun, row, account.time_zone, _hidden(principal, row["id"]))


def _hidden(principal: Principal, buyer_id: int) -> frozenset[str]:
    """The columns of a buyer that are none of a member's business."""
    if principal.runs_account:
        return frozenset()
    seeing = tuple(team for team in principal.api_teams if team.sees(buyer_id))
    reads_revenue = REVENUE.name in rules.readable(principal, seeing)
    return frozenset({"email"}) if reads_revenue else frozenset({"email", "agreed_revenue"})


def _find(tx: Connection, account: Account, noun: str, text: str) -> dict[str, Any]:
    row = None if UNSTORABLE.search(text) else store.find_by_id(tx, account.id, noun, text)
    if row is None:
        raise _absent(noun, text)
    return row


def _row(tx: Connection, account: Account, noun: str, number: int) -> dict[str, Any]:
    row = store.find_row(tx, account.id, noun, number)
    assert row is not None  # noqa: S101 - it was just made or found, and the settings are held
    return row


def _absent(noun: str, text: str) -> Refusal:
    return Refusal("not_there", noun=partners.spoken(noun), value=UNSTORABLE.sub("\ufffd", text)[:_SHOWN])


def _spoken(noun: str) -> str:
    return partners.spoken(PLURALS[noun])
