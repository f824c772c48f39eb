"""Teams of an account: who sits on them, which buyers they see, what they may update."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, delete, insert, not_, or_, select, update

from ringback.domain.access import Level
from ringback.domain.names import name_key
from ringback.store.accounts import next_number
from ringback.store.schema import team_buyers, team_users, teams
from ringback.store.values import from_document, to_document, to_moment


@dataclass(frozen=True, slots=True)
class TeamRow:
    """A team as its page shows it."""

    id: int
    name: str
    developer_api: bool
    every_buyer: bool
    records_calls: bool
    rights: Mapping[str, Level]
    users: frozenset[int]
    buyers: frozenset[int]


def add(connection: Connection, account_id: int, name: str, now: datetime) -> int:
    """Make a team without users, buyers or rights; returns its number."""
    number = next_number(connection, account_id, teams)
    connection.execute(
        insert(teams).values(
            account_id=account_id,
            id=number,
            name=name,
            name_key=name_key(name),
            developer_api=False,
            every_buyer=False,
            rights="{}",
            created_at=to_moment(now),
        )
    )
    return number


def change(connection: Connection, account_id: int, team_id: int, **values: Any) -> None:  # noqa: ANN401 - columns
    """Change columns of a team."""
    connection.execute(update(teams).where(teams.c.account_id == account_id, teams.c.id == team_id).values(values))


def remove(connection: Connection, account_id: int, team_id: int) -> None:
    """Delete a team, with what buyers it sees; nobody may sit on it any more."""
    connection.execute(delete(teams).where(teams.c.account_id == account_id, teams.c.id == team_id))


def set_rights(connection: Connection, account_id: int, team_id: int, rights: Mapping[str, Level]) -> None:
    """Say what a team may read and update, by attribute."""
    kept = {name: int(level) for name, level in sorted(rights.items()) if level}
    change(connection, account_id, team_id, rights=to_document(kept))


def set_users(connection: Connection, account_id: int, team_id: int, user_ids: Iterable[int]) -> None:
    """Say who sits on a team; who sits there already keeps his place as it is."""
    wanted = set(user_ids)
    mine = (team_users.c.account_id == account_id, team_users.c.team_id == team_id)
    there = set(connection.execute(select(team_users.c.user_id).where(*mine)).scalars())
    connection.execute(delete(team_users).where(*mine, team_users.c.user_id.in_(there - wanted)))
    for user_id in sorted(wanted - there):
        connection.execute(insert(team_users).values(account_id=account_id, team_id=team_id, user_id=user_id))


def set_buyers(connection: Connection, account_id: int, team_id: int, buyer_ids: Iterable[int]) -> None:
    """Say which buyers' calls a team sees, if not every one's."""
    mine = {"account_id": account_id, "team_id": team_id}
    connection.execute(delete(team_buyers).where(*(team_buyers.c[name] == value for name, value in mine.items())))
    for buyer_id in sorted(set(buyer_ids)):
        connection.execute(insert(team_buyers).values(**mine, buyer_id=buyer_id))


def list_teams(connection: Connection, account_id: int) -> list[TeamRow]:
    """The teams of an account, by name."""
    return _read(connection, account_id, select(teams.c.id).where(teams.c.account_id == account_id))


def find(connection: Connection, account_id: int, team_id: int) -> TeamRow | None:
    """A team by its number."""
    found = _read(
        connection, account_id, select(teams.c.id).where(teams.c.account_id == account_id, teams.c.id == team_id)
    )
    return found[0] if found else None


def is_name_taken(connection: Connection, account_id: int, name: str) -> bool:
    """Whether a team of the account has this name."""
    statement = select(teams.c.id).where(teams.c.account_id == account_id, teams.c.name_key == name_key(name))
    return connection.execute(statement).first() is not None


def list_page(connection: Connection, account_id: int, *, after: str, search: str, limit: int) -> list[TeamRow]:
    """Teams by name: from the one after that key of a name on, those whose name has what is searched for."""
    statement = select(teams.c.id).where(teams.c.account_id == account_id, teams.c.name_key > after)
    if search:
        statement = statement.where(teams.c.name_key.contains(name_key(search), autoescape=True))
    return _read(connection, account_id, statement.order_by(teams.c.name_key).limit(limit))


def list_seeing(connection: Connection, account_id: int, buyer_ids: Iterable[int]) -> dict[int, list[TeamRow]]:
    """The teams that see the calls of each of these buyers, by name; those that see every buyer's included."""
    wanted = sorted(set(buyer_ids))
    named = select(team_buyers.c.team_id).where(
        team_buyers.c.account_id == account_id, team_buyers.c.buyer_id.in_(wanted)
    )
    statement = select(teams.c.id).where(
        teams.c.account_id == account_id, or_(teams.c.every_buyer, teams.c.id.in_(named))
    )
    seeing = _read(connection, account_id, statement)
    return {buyer: [team for team in seeing if team.every_buyer or buyer in team.buyers] for buyer in wanted}


def list_not_seeing(connection: Connection, account_id: int, buyer_id: int, *, limit: int) -> list[tuple[int, str]]:
    """The teams that don't see the calls of a buyer, by name: their numbers and names."""
    named = select(team_buyers.c.team_id).where(
        team_buyers.c.account_id == account_id, team_buyers.c.buyer_id == buyer_id
    )
    statement = (
        select(teams.c.id, teams.c.name)
        .where(teams.c.account_id == account_id, not_(teams.c.every_buyer), teams.c.id.not_in(named))
        .order_by(teams.c.name_key)
        .limit(limit)
    )
    return [(number, name) for number, name in connection.execute(statement)]


def _read(connection: Connection, account_id: int, chosen: Select[tuple[int]]) -> list[TeamRow]:
    """The teams whose numbers a statement finds, by name, with their users and buyers."""
    rows = connection.execute(
        select(teams).where(teams.c.account_id == account_id, teams.c.id.in_(chosen)).order_by(teams.c.name_key)
    )
    on_team = select(team_users.c.team_id, team_users.c.user_id).where(
        team_users.c.account_id == account_id, team_users.c.team_id.in_(chosen)
    )
    seen = select(team_buyers.c.team_id, team_buyers.c.buyer_id).where(
        team_buyers.c.account_id == account_id, team_buyers.c.team_id.in_(chosen)
    )
    users, buyers = _sets(connection.execute(on_team)), _sets(connection.execute(seen))
    return [
        TeamRow(
            id=row["id"],
            name=row["name"],
            developer_api=row["developer_api"],
            every_buyer=row["every_buyer"],
            records_calls=row["records_calls"],
            rights={name: Level(level) for name, level in from_document(row["rights"]).items()},
            users=frozenset(users.get(row["id"], ())),
            buyers=frozenset(buyers.get(row["id"], ())),
        )
        for row in rows.mappings()
    ]


def _sets(pairs: Iterable[tuple[int, int]]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    for key, value in pairs:
        found.setdefault(key, set()).add(value)
    return found
