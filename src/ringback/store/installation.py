"""What is known of the install itself, by name."""

from __future__ import annotations

from sqlalchemy import Connection, select

from ringback.store.sending_schema import installation
from ringback.store.sets import put_rows


def find(connection: Connection, name: str) -> str | None:
    """What is kept under a name."""
    return connection.execute(select(installation.c.value).where(installation.c.name == name)).scalar_one_or_none()


def put(connection: Connection, name: str, value: str) -> None:
    """Keep a value under a name."""
    put_rows(connection, installation, ["name"], [{"name": name, "value": value}])
