"""Lists of buyers, traffic sources and offers by number, for programs that page through them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from ringback.domain.names import name_key
from ringback.store.partners import NOUNS


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which partners are wanted: ``among`` the numbers of those that count, if not all do."""

    noun: str
    archived: bool = False
    paused: bool | None = None
    search: str = ""
    external_id: str = ""
    among: Collection[int] | None = None


def list_page(
    connection: Connection, account_id: int, wanted: Wanted, *, after: int = 0, skipped: int = 0, limit: int
) -> list[dict[str, Any]]:
    """The partners that are wanted, by number: those after a number, without so many of the first."""
    table = NOUNS[wanted.noun]
    statement = select(table).where(*_conditions(account_id, wanted), table.c.id > after).order_by(table.c.id)
    return [dict(row) for row in connection.execute(statement.offset(skipped).limit(limit)).mappings()]


def count(connection: Connection, account_id: int, wanted: Wanted) -> int:
    """How many are wanted."""
    statement = select(func.count()).select_from(NOUNS[wanted.noun]).where(*_conditions(account_id, wanted))
    return connection.execute(statement).scalar_one()


def _conditions(account_id: int, wanted: Wanted) -> list[ColumnElement[bool]]:
    columns = NOUNS[wanted.noun].c
    conditions: list[ColumnElement[bool]] = [columns.account_id == account_id, columns.archived == wanted.archived]
    if wanted.paused is not None:
        conditions.append(columns.paused == wanted.paused)
    if wanted.search:
        conditions.append(columns.name_key.contains(name_key(wanted.search), autoescape=True))
    if wanted.external_id:
        conditions.append(columns.external_id == wanted.external_id)
    if wanted.among is not None:
        conditions.append(columns.id.in_(sorted(wanted.among)))
    return conditions
