"""Statements on sets of rows: the marked place where SQLite and PostgreSQL are spoken to differently.

Rows travel as one JSON parameter wherever that is fastest (measured: docs/decisions/0004-sets-of-rows.md):
:func:`wanted` joins to such rows, :func:`insert_rows`, :func:`put_rows`, :func:`add_rows` and :func:`update_rows` write
them with one statement, :func:`together` several sets with one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    FromClause,
    LargeBinary,
    Select,
    String,
    Table,
    and_,
    bindparam,
    cast,
    column,
    func,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import JSON
from sqlalchemy.dialects.postgresql.base import PGDialect

Row = Mapping[str, Any]
"""A row to be written: its values by column, as the database has them."""


_encode = msgspec.json.Encoder().encode
_POSTGRESQL = PGDialect()  # type: ignore[no-untyped-call] # it has no annotations


def wanted(dialect: str, name: str, columns: Sequence[Column[Any]]) -> FromClause:
    """Rows as a table to join to; they are given when it is executed, as the parameter ``name`` (:func:`given`).

    Its columns are named as those given. A statement with it can be made once and kept.
    """
    rows = bindparam(name, type_=String)
    if dialect == "sqlite":
        value = func.json_each(rows).table_valued("value", name=f"{name}_rows").c.value
        return select(*(func.json_extract(value, f"$.{each.name}").label(each.name) for each in columns)).subquery(name)
    typed = (column(each.name, each.type) for each in columns)
    return func.json_to_recordset(cast(rows, JSON)).table_valued(*typed, name=name).render_derived(with_types=True)


def given(columns: Sequence[Column[Any]], rows: Sequence[Sequence[Any]]) -> str:
    """The parameter of a statement with :func:`wanted`: rows of values in the order of the columns."""
    names = [each.name for each in columns]
    return _json([dict(zip(names, row, strict=True)) for row in rows])


def sum_for_each(
    dialect: str,
    asked: FromClause,
    table: Table,
    conditions: Sequence[ColumnElement[bool]],
    groups: Sequence[ColumnElement[Any]],
    sums: Sequence[ColumnElement[Any]],
) -> Select[Any]:
    """For each row asked, which has a ``place``: sums over the rows of a table that meet conditions about both.

    PostgreSQL would rather compare every row of the table with every one asked than look each up in an index.
    """
    if dialect == "sqlite":
        joined = select(asked.c.place, *groups, *sums).select_from(asked.join(table, and_(*conditions)))
        return joined.group_by(asked.c.place, *groups)
    summed = select(*groups, *sums).where(*conditions).group_by(*groups).having(func.count() > 0).lateral()
    return select(asked.c.place, *summed.c).select_from(asked.join(summed, true()))


def by_keys(connection: Connection) -> None:
    """Have rows that are given looked up one by one until the transaction ends, whatever is known of the tables.

    PostgreSQL knows neither how many are given nor that they are few, and reads a table of some ten thousand rows from
    end to end rather than look up a hundred of them.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")


@contextmanager
def together(connection: Connection) -> Iterator[None]:
    """Write the sets of a block with one statement at its end, where a round trip to the database costs something.

    Nothing in the block may read what it writes, and no row may be written twice.
    """
    if connection.dialect.name == "sqlite":
        yield
        return
    connection.info[_TOGETHER] = parts = list[tuple[str, str]]()
    try:
        yield
    finally:
        del connection.info[_TOGETHER]
    if parts:
        statement = _joined(tuple(part for part, _ in parts))
        connection.exec_driver_sql(statement, {f"rows_{place}": rows for place, (_, rows) in enumerate(parts)})


_TOGETHER = "written together"


def insert_rows(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows that all have the same columns, in one statement."""
    put_rows(connection, table, (), rows)


def put_rows(connection: Connection, table: Table, keys: Sequence[str], rows: Sequence[Row]) -> None:
    """Insert rows, each in place of the one that has the same key columns if there is one, in one statement.

    Without key columns a row that is there already is an error.
    """
    _insert(connection, table, keys, rows, _PUT)


def add_rows(connection: Connection, table: Table, keys: Sequence[str], rows: Sequence[Row]) -> None:
    """Insert rows, or add their numbers to those of the row that has the same key columns, in one statement.

    No two of the rows given may have the same key columns.
    """
    _insert(connection, table, keys, rows, _ADD)


def _insert(connection: Connection, table: Table, keys: Sequence[str], rows: Sequence[Row], met: str) -> None:
    if not rows:
        return
    names, keys = tuple(rows[0]), tuple(keys)
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(_insert_each(table, names, keys, met), [tuple(row.values()) for row in rows])
    else:
        _write_set(connection, _insert_set(table, names, keys, met), _json(rows))


def update_rows(connection: Connection, table: Table, keys: Sequence[str], rows: Sequence[Row]) -> None:
    """Update rows found by their key columns with the other columns given, in one statement."""
    if not rows:
        return
    names = tuple(name for name in rows[0] if name not in keys)
    if connection.dialect.name == "sqlite":
        order = (*names, *keys)
        values = [tuple(row[name] for name in order) for row in rows]
        connection.exec_driver_sql(_update_each(table, tuple(keys), names), values)
    else:
        _write_set(connection, _update_set(table, tuple(keys), names), _json(rows))


def _write_set(connection: Connection, statement: str, rows: str) -> None:
    parts = connection.info.get(_TOGETHER)
    if parts is None:
        connection.exec_driver_sql(statement, {"rows": rows})
    else:
        parts.append((statement, rows))


# Only names of our own schema are put into these statements; every value is a parameter.


@lru_cache
def _insert_each(table: Table, names: tuple[str, ...], keys: tuple[str, ...], met: str) -> str:
    values = ", ".join("?" * len(names))
    return f"INSERT INTO {table.name} ({_list(names)}) VALUES ({values}){_on_meeting(table, names, keys, met)}"  # noqa: S608


@lru_cache
def _update_each(table: Table, keys: tuple[str, ...], names: tuple[str, ...]) -> str:
    assigned = ", ".join(f'"{name}" = ?' for name in names)
    return f"UPDATE {table.name} SET {assigned} WHERE {' AND '.join(f'{key} = ?' for key in keys)}"  # noqa: S608


@lru_cache
def _insert_set(table: Table, names: tuple[str, ...], keys: tuple[str, ...], met: str) -> str:
    values = ", ".join(_value(table, name) for name in names)
    rows = f"SELECT {values} FROM {_given_rows(table, names)}"  # noqa: S608
    return f"INSERT INTO {table.name} ({_list(names)}) {rows}{_on_meeting(table, names, keys, met)}"


_PUT = 'excluded."{name}"'
_ADD = '{table}."{name}" + excluded."{name}"'
"""What a column becomes where a row meets one with its key."""


def _on_meeting(table: Table, names: Sequence[str], keys: Sequence[str], met: str) -> str:
    others = (f'"{name}" = {met.format(table=table.name, name=name)}' for name in names if name not in keys)
    return f" ON CONFLICT ({_list(keys)}) DO UPDATE SET {', '.join(others)}" if keys else ""


@lru_cache
def _update_set(table: Table, keys: tuple[str, ...], names: tuple[str, ...]) -> str:
    assigned = ", ".join(f'"{name}" = {_value(table, name)}' for name in names)
    found = " AND ".join(f"{table.name}.{key} = given.{key}" for key in keys)
    return f"UPDATE {table.name} SET {assigned} FROM {_given_rows(table, (*keys, *names))} WHERE {found}"  # noqa: S608


@lru_cache
def _joined(statements: tuple[str, ...]) -> str:
    """One statement that does what these do (PostgreSQL: data-modifying WITH), each with its own rows."""
    numbered = (each.replace(_ROWS, f"%(rows_{place})s") for place, each in enumerate(statements))
    return f"WITH {', '.join(f'part_{place} AS ({each})' for place, each in enumerate(numbered))} SELECT"


_ROWS = "%(rows)s"


def _given_rows(table: Table, names: Sequence[str]) -> str:
    types = ", ".join(f'"{name}" {_type(table, name)}' for name in names)
    return f"json_to_recordset({_ROWS}::json) AS given({types})"


def _type(table: Table, name: str) -> str:
    is_bytes = isinstance(table.c[name].type, LargeBinary)
    return "text" if is_bytes else table.c[name].type.dialect_impl(_POSTGRESQL).compile(_POSTGRESQL)


def _value(table: Table, name: str) -> str:
    """The value of a column; bytes come as base64, since JSON has none."""
    return f"decode(given.\"{name}\", 'base64')" if isinstance(table.c[name].type, LargeBinary) else f'given."{name}"'


def _list(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _json(value: object) -> str:
    return _encode(value).decode()
