"""Buyers, traffic sources and offers of an account."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, and_, delete, insert, or_, select, update

from ringback.domain.calls import Partner, Terms
from ringback.domain.decisions import read_uuid
from ringback.domain.names import name_key
from ringback.store.accounts import next_number
from ringback.store.schema import buyers, calls, offers, traffic_sources
from ringback.store.sending_schema import postbacks
from ringback.store.values import to_moment, to_terms

NOUNS: dict[str, Table] = {"buyer": buyers, "traffic_source": traffic_sources, "offer": offers}
"""The kinds of partner, by the word for one."""

_LONGEST_NUMBER = 18


def find(connection: Connection, account_id: int, noun: str, value: str) -> Partner | None:
    """A partner by number, UUID, id of the account's own, or name: what is meant first goes first."""
    row = _find_meant(connection, account_id, noun, {**_ids(value), "name_key": name_key(value)})
    return None if row is None else Partner(row["id"], row["uuid"], row["name"], row["paused"], row["external_id"])


def find_by_id(connection: Connection, account_id: int, noun: str, value: str) -> dict[str, Any] | None:
    """Every column of the partner of this number, UUID or id of the account's own, in this order."""
    return _find_meant(connection, account_id, noun, _ids(value))


def _ids(value: str) -> dict[str, object]:
    """What a text can mean as an id, by column."""
    value = value.strip()
    if (uuid := read_uuid(value)) is not None:
        return {"uuid": uuid, "external_id": value}
    if value.isascii() and value.isdigit() and len(value) <= _LONGEST_NUMBER:
        return {"id": int(value), "external_id": value}
    return {"external_id": value}


def _find_meant(
    connection: Connection, account_id: int, noun: str, meanings: Mapping[str, object]
) -> dict[str, Any] | None:
    table = NOUNS[noun]
    any_of_them = or_(*(table.c[column] == value for column, value in meanings.items()))
    statement = select(table).where(table.c.account_id == account_id, any_of_them)
    rows = connection.execute(statement).mappings().all()
    found = (row for column, value in meanings.items() for row in rows if row[column] == value)
    return next((dict(row) for row in found), None)


def find_terms(connection: Connection, account_id: int, buyer: Partner | None, offer: Partner | None) -> Terms:
    """What is agreed for calls of a buyer and an offer."""
    buyer_id, offer_id = buyer and buyer.id, offer and offer.id
    agreed = select(buyers.c.agreed_revenue).where(buyers.c.account_id == account_id, buyers.c.id == buyer_id)
    rule = select(offers.c.payout).where(offers.c.account_id == account_id, offers.c.id == offer_id)
    return to_terms(*connection.execute(select(agreed.scalar_subquery(), rule.scalar_subquery())).one())


def add(
    connection: Connection,
    account_id: int,
    noun: str,
    name: str,
    uuid: str,
    now: datetime,
    **terms: Any,  # noqa: ANN401
) -> int:
    """Make a partner; returns its number. ``terms`` are ``agreed_revenue`` of a buyer, ``payout`` of an offer.

    The token of an offer is at first its UUID without dashes.
    """
    table = NOUNS[noun]
    if noun == "offer":
        terms = {"token": uuid.replace("-", ""), **terms}
    number = next_number(connection, account_id, table)
    values = {"account_id": account_id, "id": number, "uuid": uuid, "name": name, "name_key": name_key(name)}
    connection.execute(insert(table).values(**values, created_at=to_moment(now), **terms))
    return number


def change(connection: Connection, account_id: int, noun: str, number: int, **values: Any) -> None:  # noqa: ANN401
    """Change columns of a partner."""
    table = NOUNS[noun]
    connection.execute(update(table).where(table.c.account_id == account_id, table.c.id == number).values(values))


def remove(connection: Connection, account_id: int, noun: str, number: int) -> None:
    """Delete a partner, and take a buyer from the teams that see him; nothing else may refer to him."""
    table = NOUNS[noun]
    connection.execute(delete(table).where(table.c.account_id == account_id, table.c.id == number))


def list_uses(connection: Connection, account_id: int, noun: str, number: int) -> list[str]:
    """What refers to a partner and would be wrong without him, by the word for it."""
    of_it = and_(postbacks.c.owner == noun, postbacks.c.owner_id == number)
    found = {
        "calls": select(calls.c.number).where(calls.c.account_id == account_id, calls.c[f"{noun}_id"] == number),
        "postbacks": select(postbacks.c.id).where(postbacks.c.account_id == account_id, of_it),
    }
    return [word for word, statement in found.items() if connection.execute(statement.limit(1)).first() is not None]


def find_row(connection: Connection, account_id: int, noun: str, number: int) -> dict[str, Any] | None:
    """Every column of a partner."""
    table = NOUNS[noun]
    statement = select(table).where(table.c.account_id == account_id, table.c.id == number)
    row = connection.execute(statement).mappings().one_or_none()
    return None if row is None else dict(row)


def find_by_name(connection: Connection, account_id: int, noun: str, name: str) -> int | None:
    """The number of the partner of this name."""
    table = NOUNS[noun]
    statement = select(table.c.id).where(table.c.account_id == account_id, table.c.name_key == name_key(name))
    return connection.execute(statement).scalar_one_or_none()


def find_by_external_id(connection: Connection, account_id: int, noun: str, external_id: str) -> int | None:
    """The number of the partner whom the account's own systems know by this id."""
    table = NOUNS[noun]
    statement = select(table.c.id).where(table.c.account_id == account_id, table.c.external_id == external_id)
    return connection.execute(statement).scalar_one_or_none()


def names(connection: Connection, account_id: int, noun: str, numbers: Iterable[int]) -> dict[int, str]:
    """The names of partners by their numbers, those that there are."""
    table = NOUNS[noun]
    statement = select(table.c.id, table.c.name).where(
        table.c.account_id == account_id, table.c.id.in_(sorted(numbers))
    )
    return {row.id: row.name for row in connection.execute(statement)}


def list_page(
    connection: Connection,
    account_id: int,
    noun: str,
    *,
    after: str,
    search: str,
    limit: int,
    among: Iterable[int] | None = None,
    archived: bool = False,
) -> list[dict[str, Any]]:
    """Partners by name: from the one after that key of a name on, those whose name has what is searched for.

    ``among`` are the numbers of those that count, if not all do; ``archived`` says which of the two are meant.
    """
    table = NOUNS[noun]
    statement = select(table).where(
        table.c.account_id == account_id, table.c.name_key > after, table.c.archived == archived
    )
    if among is not None:
        statement = statement.where(table.c.id.in_(sorted(among)))
    if search:
        statement = statement.where(table.c.name_key.contains(name_key(search), autoescape=True))
    return [dict(row) for row in connection.execute(statement.order_by(table.c.name_key).limit(limit)).mappings()]


def list_partners(connection: Connection, account_id: int, noun: str) -> list[dict[str, Any]]:
    """The partners of an account, by name."""
    table = NOUNS[noun]
    statement = select(table).where(table.c.account_id == account_id).order_by(table.c.name_key)
    return [dict(row) for row in connection.execute(statement).mappings()]
