"""Postbacks and the versions of them that were saved."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, delete, insert, select, update

from ringback.domain.names import name_key
from ringback.domain.postbacks import Definition, Owner, Pause, Postback, Trigger, Version
from ringback.store.accounts import next_number
from ringback.store.schema import users
from ringback.store.sending_schema import postback_versions, postbacks
from ringback.store.values import from_document, from_moment, to_document, to_moment


def new_number(connection: Connection, account_id: int) -> int:
    """The number of the next postback."""
    return next_number(connection, account_id, postbacks)


def add(connection: Connection, made: Postback, user_id: int | None) -> None:
    """Keep a new postback."""
    key = {"account_id": made.account_id, "id": made.id, "uuid": made.uuid}
    connection.execute(
        insert(postbacks).values(**key, **_columns(made), created_at=to_moment(made.created_at), paused=made.paused)
    )
    _add_version(connection, made, user_id)


def change(connection: Connection, made: Postback, user_id: int | None) -> None:
    """Change a postback; a new version of it is kept."""
    connection.execute(_of(update(postbacks), made.account_id, made.id).values(**_columns(made)))
    _add_version(connection, made, user_id)


def rename(connection: Connection, made: Postback) -> None:
    """Change everything of a postback but its definition and version."""
    connection.execute(_of(update(postbacks), made.account_id, made.id).values(**_columns(made)))


def pause(connection: Connection, account_id: int, postback_id: int, why: Pause | None, now: datetime) -> None:
    """Pause a postback, or let it go on."""
    values = {"paused": why and why.value, "updated_at": to_moment(now)}
    connection.execute(_of(update(postbacks), account_id, postback_id).values(**values))


def remove(connection: Connection, account_id: int, postback_id: int) -> None:
    """Forget a postback and its versions."""
    connection.execute(_of(delete(postbacks), account_id, postback_id))


def find(connection: Connection, account_id: int, postback_id: int) -> Postback | None:
    """A postback of an account."""
    mine = (postbacks.c.account_id == account_id, postbacks.c.id == postback_id)
    row = connection.execute(select(postbacks).where(*mine)).mappings().one_or_none()
    return None if row is None else _postback(row)


def find_by_name(connection: Connection, account_id: int, name: str) -> Postback | None:
    """The postback of this name."""
    mine = (postbacks.c.account_id == account_id, postbacks.c.name_key == name_key(name))
    row = connection.execute(select(postbacks).where(*mine)).mappings().one_or_none()
    return None if row is None else _postback(row)


def list_postbacks(connection: Connection, account_ids: Iterable[int]) -> list[Postback]:
    """The postbacks of accounts, by number."""
    return [_postback(row) for row in connection.execute(_OF_ACCOUNTS, {"accounts": list(account_ids)}).mappings()]


_OF_ACCOUNTS = (
    select(postbacks)
    .where(postbacks.c.account_id.in_(bindparam("accounts", expanding=True)))
    .order_by(postbacks.c.account_id, postbacks.c.id)
)


def list_page(connection: Connection, account_id: int, *, after: str, search: str, limit: int) -> list[Postback]:
    """Postbacks by name: from the one after that key of a name on, those whose name has what is searched for."""
    statement = select(postbacks).where(postbacks.c.account_id == account_id, postbacks.c.name_key > after)
    if search:
        statement = statement.where(postbacks.c.name_key.contains(name_key(search), autoescape=True))
    rows = connection.execute(statement.order_by(postbacks.c.name_key).limit(limit)).mappings()
    return [_postback(row) for row in rows]


def list_owned(connection: Connection, account_id: int, owner: Owner, owner_id: int) -> list[Postback]:
    """The postbacks of one partner, by name."""
    mine = (
        postbacks.c.account_id == account_id,
        postbacks.c.owner == owner.value,
        postbacks.c.owner_id == owner_id,
    )
    statement = select(postbacks).where(*mine).order_by(postbacks.c.name_key)
    return [_postback(row) for row in connection.execute(statement).mappings()]


def list_versions(connection: Connection, account_id: int, postback_id: int) -> list[Version]:
    """What was saved of a postback, newest first."""
    columns = postback_versions.c
    statement = (
        select(columns.version, columns.definition, columns.saved_at, users.c.email)
        .select_from(postback_versions.outerjoin(users, users.c.id == columns.user_id))
        .where(columns.account_id == account_id, columns.postback_id == postback_id)
        .order_by(columns.version.desc())
    )
    return [
        Version(version, Definition.read(from_document(definition)), from_moment(saved_at), email or "")
        for version, definition, saved_at, email in connection.execute(statement)
    ]


def _add_version(connection: Connection, made: Postback, user_id: int | None) -> None:
    connection.execute(
        insert(postback_versions).values(
            account_id=made.account_id,
            postback_id=made.id,
            version=made.version,
            definition=to_document(made.definition.document),
            saved_at=to_moment(made.updated_at),
            user_id=user_id,
        )
    )


def _columns(made: Postback) -> dict[str, object]:
    return {
        "name": made.name,
        "name_key": name_key(made.name),
        "owner": made.owner.value,
        "owner_id": made.owner_id,
        "trigger": made.trigger.value,
        "version": made.version,
        "definition": to_document(made.definition.document),
        "updated_at": to_moment(made.updated_at),
    }


def _of(statement: Any, account_id: int, postback_id: int) -> Any:  # noqa: ANN401 - any statement on the table
    return statement.where(postbacks.c.account_id == account_id, postbacks.c.id == postback_id)


def _postback(row: RowMapping) -> Postback:
    return Postback(
        account_id=row["account_id"],
        id=row["id"],
        uuid=row["uuid"],
        name=row["name"],
        owner=Owner(row["owner"]),
        owner_id=row["owner_id"],
        trigger=Trigger(row["trigger"]),
        version=row["version"],
        definition=Definition.read(from_document(row["definition"])),
        paused=row["paused"] and Pause(row["paused"]),
        created_at=from_moment(row["created_at"]),
        updated_at=from_moment(row["updated_at"]),
    )
