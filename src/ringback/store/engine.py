"""The connection to the database, and the few places where SQLite and PostgreSQL are spoken to differently.

Hot statements work on sets: :func:`wanted` joins to rows that are given as one parameter, :func:`insert_rows` and
:func:`update_rows` write many rows in one statement. These three are the only dialect-specific SQL.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import msgspec
from sqlalchemy import (
    Column,
    Connection,
    Engine,
    FromClause,
    RootTransaction,
    Table,
    bindparam,
    cast,
    column,
    create_engine,
    event,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import QueuePool
from sqlalchemy.sql.elements import TextClause

from ringback.store.failures import UnconfirmedError, translated

Row = Mapping[str, Any]
"""A row to be written: its values by column, as the database has them."""

BUSY_SECONDS = 10
"""How long a write on SQLite waits for another process that writes."""

LOCK_MILLISECONDS = 5_000
"""How long a statement on PostgreSQL waits for a lock that another transaction holds."""

CONNECT_SECONDS = 5
"""How long a connection to PostgreSQL may take to come about."""


class Database:
    """One database: short read and write transactions on it.

    Args:
        url: ``sqlite:///file`` or ``postgresql://…``.
        connections: how many connections at most are kept open.
    """

    def __init__(self, url: str, *, connections: int = 8) -> None:
        address = make_url(url)
        if address.get_backend_name() == "postgresql":
            address = address.set(drivername="postgresql+psycopg")
        self.url = address
        self.engine = _engine(address.render_as_string(hide_password=False), connections)

    @property
    def is_sqlite(self) -> bool:
        """Whether it is the embedded file."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that may write; committed at its end, rolled back on any exception.

        Raises:
            StoreError: the database did not do what it was asked (``store.failures`` says which kinds there are).
        """
        with _in_our_words(), self.engine.connect() as connection:
            connection.info["writes"] = True
            transaction = connection.begin()
            try:
                yield connection
            except BaseException:
                with suppress(SQLAlchemyError):
                    transaction.rollback()
                raise
            else:
                _commit(connection, transaction)
            finally:
                connection.info["writes"] = False

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads, and sees one state throughout.

        Raises:
            StoreError: as :meth:`write`.
        """
        with _in_our_words(), self.engine.connect() as connection, connection.begin():
            yield connection

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def _commit(connection: Connection, transaction: RootTransaction) -> None:
    try:
        transaction.commit()
    except DBAPIError as error:
        if connection.dialect.name == "postgresql" and error.connection_invalidated:
            raise UnconfirmedError(str(error.orig)) from error
        raise


@contextmanager
def _in_our_words() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        raise translated(error) from error


def _engine(url: str, connections: int) -> Engine:
    if not url.startswith("sqlite"):
        return create_engine(
            url,
            pool_size=connections,
            max_overflow=0,
            connect_args={"options": f"-c lock_timeout={LOCK_MILLISECONDS}", "connect_timeout": CONNECT_SECONDS},
        )
    engine = create_engine(
        url,
        poolclass=QueuePool,
        pool_size=connections,
        max_overflow=0,
        connect_args={"check_same_thread": False, "timeout": BUSY_SECONDS},
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # transactions are begun by us, below
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-65536"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes its lock at once: a transaction that reads first and then can't write would lose its work.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.info.get("writes") else "BEGIN")


def wanted(
    connection: Connection, name: str, columns: Sequence[Column[Any]], rows: Sequence[Sequence[Any]]
) -> FromClause:
    """Rows of values as a table to join to, given in one parameter; its columns are named as those given."""
    if connection.dialect.name == "sqlite":
        value = func.json_each(_json(rows)).table_valued("value", name=f"{name}_rows").c.value
        fields = [func.json_extract(value, f"$[{place}]").label(each.name) for place, each in enumerate(columns)]
        return select(*fields).subquery(name)
    arrays = [
        cast(list(values), postgresql.ARRAY(each.type.dialect_impl(connection.dialect)))
        for each, values in zip(columns, zip(*rows, strict=True), strict=True)
    ]
    return (
        func.unnest(*arrays)
        .table_valued(*(column(each.name, each.type) for each in columns), name=name)
        .render_derived()
    )


def insert_rows(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows that all have the same columns, in one statement."""
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        connection.execute(insert(table), list(rows))
        return
    names = list(rows[0])
    connection.execute(_insert_set(connection, table, tuple(names)), {n: [row[n] for row in rows] for n in names})


def update_rows(connection: Connection, table: Table, keys: Sequence[str], rows: Sequence[Row]) -> None:
    """Update rows found by their key columns with the other columns given, in one statement."""
    if not rows:
        return
    names = [name for name in rows[0] if name not in keys]
    if connection.dialect.name == "sqlite":
        statement = update(table).values({name: bindparam(f"new_{name}") for name in names})
        for key in keys:
            statement = statement.where(table.c[key] == bindparam(f"key_{key}"))
        connection.execute(
            statement,
            [{(f"key_{n}" if n in keys else f"new_{n}"): value for n, value in row.items()} for row in rows],
        )
        return
    columns = (*keys, *names)
    statement_text = _update_set(connection, table, tuple(keys), tuple(names))
    connection.execute(statement_text, {name: [row[name] for row in rows] for name in columns})


def _array(connection: Connection, table: Table, name: str) -> str:
    type_name = table.c[name].type.dialect_impl(connection.dialect).compile(connection.dialect)
    return f"CAST(:{name} AS {type_name}[])"


def _insert_set(connection: Connection, table: Table, names: tuple[str, ...]) -> TextClause:
    columns = ", ".join(f'"{name}"' for name in names)
    arrays = ", ".join(_array(connection, table, name) for name in names)
    return text(f'INSERT INTO "{table.name}" ({columns}) SELECT * FROM unnest({arrays})')  # noqa: S608 - names of ours


def _update_set(connection: Connection, table: Table, keys: tuple[str, ...], names: tuple[str, ...]) -> TextClause:
    columns = (*keys, *names)
    arrays = ", ".join(_array(connection, table, name) for name in columns)
    assigned = ", ".join(f'"{name}" = given."{name}"' for name in names)
    found = " AND ".join(f'"{table.name}"."{key}" = given."{key}"' for key in keys)
    given = ", ".join(f'"{name}"' for name in columns)
    return text(
        f'UPDATE "{table.name}" SET {assigned} FROM unnest({arrays}) AS given({given}) WHERE {found}'  # noqa: S608
    )


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
