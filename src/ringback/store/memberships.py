"""Who belongs to an account, by a role or on teams, and which of that waits until the account's own link is opened."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    Table,
    and_,
    delete,
    func,
    insert,
    not_,
    or_,
    select,
    union,
    update,
)

from ringback.domain.access import Role
from ringback.store.schema import memberships, team_users, teams, users

HELD: tuple[Table, ...] = (memberships, team_users)
"""What makes a person belong to an account."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of an account; his name is known there only once he opened its link.

    ``role_pending`` says whether his role, if he has one, waits for a link of an owner.
    """

    user_id: int
    email: str
    name: str
    pending: bool
    role: Role | None = None
    role_pending: bool = False
    teams: tuple[tuple[int, str], ...] = ()


def counts(held: Table) -> ColumnElement[bool]:
    """Whether a membership is in force; one that is pending counts once the user's address is proven."""
    return or_(not_(held.c.pending), users.c.verified)


def is_listed(connection: Connection, account_id: int, user_id: int) -> bool:
    """Whether a user belongs to an account, be it pending."""
    return bool(list_people(connection, account_id, user_id=user_id, limit=1))


def has_joined(connection: Connection, account_id: int, user_id: int) -> bool:
    """Whether a user belongs to an account by something that is not pending."""
    found = [_settled(held, user_id).where(held.c.account_id == account_id) for held in HELD]
    return any(connection.execute(statement).first() for statement in found)


def has_role(connection: Connection, account_id: int, user_id: int) -> bool:
    """Whether a user has a role in an account that is not pending."""
    found = _settled(memberships, user_id).where(memberships.c.account_id == account_id)
    return connection.execute(found).first() is not None


def has_joined_any(connection: Connection, user_id: int) -> bool:
    """Whether a user belongs to any account by something that is not pending."""
    return any(connection.execute(_settled(held, user_id)).first() for held in HELD)


def settle(connection: Connection, account_id: int, user_id: int, *, with_role: bool) -> None:
    """Let a user's places on the teams of an account count, and his role too if it is said so."""
    for held in HELD if with_role else (team_users,):
        mine = (held.c.account_id == account_id, held.c.user_id == user_id)
        connection.execute(update(held).where(*mine).values(pending=False))


def put_on_team(connection: Connection, account_id: int, team_id: int, user_id: int, *, pending: bool) -> None:
    """Put a user on a team that he isn't on."""
    row = {"account_id": account_id, "team_id": team_id, "user_id": user_id, "pending": pending}
    connection.execute(insert(team_users).values(row))


def take_off_team(connection: Connection, account_id: int, team_id: int, user_id: int) -> None:
    """Take a user off a team; who sits on none any more, and is a mere member, leaves the account."""
    mine = (team_users.c.account_id == account_id, team_users.c.user_id == user_id)
    connection.execute(delete(team_users).where(*mine, team_users.c.team_id == team_id))
    if connection.execute(select(team_users.c.team_id).where(*mine).limit(1)).first() is None:
        member = (memberships.c.account_id == account_id, memberships.c.user_id == user_id)
        connection.execute(delete(memberships).where(*member, memberships.c.role == Role.MEMBER.value))


def remove(connection: Connection, account_id: int, user_id: int) -> None:
    """Take a user out of an account: his role and his places on teams."""
    for held in HELD:
        connection.execute(delete(held).where(held.c.account_id == account_id, held.c.user_id == user_id))


def count_owners(connection: Connection, account_id: int) -> int:
    """How many owners an account has; who still has to open its link is none yet."""
    statement = (
        select(func.count())
        .select_from(memberships)
        .join(users, users.c.id == memberships.c.user_id)
        .where(memberships.c.account_id == account_id, memberships.c.role == Role.OWNER.value, counts(memberships))
    )
    return connection.execute(statement).scalar_one()


def list_on_team(connection: Connection, account_id: int, team_id: int) -> list[Person]:
    """The users of a team, by e-mail address."""
    statement = (
        select(users.c.id, users.c.email, users.c.name, team_users.c.pending)
        .join(team_users, team_users.c.user_id == users.c.id)
        .where(team_users.c.account_id == account_id, team_users.c.team_id == team_id)
        .order_by(users.c.email_key)
    )
    return [
        Person(user_id, email, "" if pending else name, pending)
        for user_id, email, name, pending in connection.execute(statement)
    ]


def list_people(
    connection: Connection, account_id: int, *, after: str = "", user_id: int | None = None, limit: int = 50
) -> list[Person]:
    """The people of an account by e-mail address, from the one after that address on; or one by his id."""
    role = and_(memberships.c.account_id == account_id, memberships.c.user_id == users.c.id)
    here = [select(held.c.user_id).where(held.c.account_id == account_id) for held in HELD]
    statement = (
        select(users.c.id, users.c.email, users.c.name, memberships.c.role, memberships.c.pending)
        .outerjoin(memberships, role)
        .where(users.c.id.in_(union(*here)), users.c.email_key > after)
        .order_by(users.c.email_key)
        .limit(limit)
    )
    if user_id is not None:
        statement = statement.where(users.c.id == user_id)
    rows = connection.execute(statement).mappings().all()
    seats = _seats(connection, account_id, [row["id"] for row in rows])
    return [_person(row, seats.get(row["id"], [])) for row in rows]


def _person(row: RowMapping, seats: list[tuple[int, str, bool]]) -> Person:
    pending = row["pending"] is not False and all(waits for _, _, waits in seats)
    return Person(
        user_id=row["id"],
        email=row["email"],
        name="" if pending else row["name"],
        pending=pending,
        role=Role(row["role"]) if row["role"] else None,
        role_pending=row["pending"] is True,
        teams=tuple((team_id, team) for team_id, team, _ in seats),
    )


def _seats(connection: Connection, account_id: int, user_ids: Iterable[int]) -> dict[int, list[tuple[int, str, bool]]]:
    """The teams of users: number, name, and whether his place there is pending."""
    statement = (
        select(team_users.c.user_id, teams.c.id, teams.c.name, team_users.c.pending)
        .join(teams, and_(teams.c.account_id == team_users.c.account_id, teams.c.id == team_users.c.team_id))
        .where(team_users.c.account_id == account_id, team_users.c.user_id.in_(list(user_ids)))
        .order_by(teams.c.name_key)
    )
    found: dict[int, list[tuple[int, str, bool]]] = {}
    for user_id, team_id, name, pending in connection.execute(statement):
        found.setdefault(user_id, []).append((team_id, name, pending))
    return found


def _settled(held: Table, user_id: int) -> Select[tuple[int]]:
    return select(held.c.account_id).where(held.c.user_id == user_id, not_(held.c.pending)).limit(1)
