"""The connection to the database: short transactions, and failures in our own words."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import Any

import psycopg
from psycopg.types.string import TextLoader
from sqlalchemy import (
    Connection,
    Engine,
    RootTransaction,
    create_engine,
    event,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from ringback.store.failures import UnconfirmedError, translated
from ringback.store.writing import Turns

BUSY_SECONDS = 10
"""How long a write on SQLite waits for others that write."""

LOCK_MILLISECONDS = 5_000
"""How long a statement on PostgreSQL waits for a lock that another transaction holds."""

PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "cache_size=-65536",  # KiB
    "wal_autocheckpoint=4000",  # pages, 16 MB: what changes often is written back a quarter as often as by default
)
"""How SQLite works for us."""

CONNECT_SECONDS = 5
"""How long a connection to PostgreSQL may take to come about."""


class Database:
    """One database: short read and write transactions on it.

    Args:
        url: ``sqlite:///file`` or ``postgresql://…``.
        connections: how many connections at most are kept open.

    Attributes:
        announced: called after each commit of a transaction that says so (``store.waking``).
    """

    def __init__(self, url: str, *, connections: int = 8) -> None:
        address = make_url(url)
        if address.get_backend_name() == "postgresql":
            address = address.set(drivername="postgresql+psycopg")
        self.url = address
        self.engine = _engine(address.render_as_string(hide_password=False), connections)
        file = address.database or ""
        self._turns = Turns(file) if self.is_sqlite and _is_file(file) else None
        self.announced: list[Callable[[], None]] = []

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
        with _in_our_words(), self.engine.connect() as connection, self._turn() as patience:
            info = connection.info  # kept, since a connection that is lost can't be asked for it
            info["patience"] = patience
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
                info["patience"] = None
                announces = info.pop("announced", False)
        for heard in self.announced if announces else ():
            heard()

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
        if self._turns is not None:
            self._turns.close()

    def _turn(self) -> AbstractContextManager[float]:
        """The turn to write, which gives the seconds that are left to wait; on PostgreSQL there are none."""
        return nullcontext(BUSY_SECONDS) if self._turns is None else self._turns.take(BUSY_SECONDS)


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
        engine = create_engine(
            url,
            pool_size=connections,
            max_overflow=0,
            connect_args={"options": f"-c lock_timeout={LOCK_MILLISECONDS}", "connect_timeout": CONNECT_SECONDS},
        )
        event.listen(engine, "connect", _prepare_postgresql)
        return engine
    engine = create_engine(
        url,
        poolclass=QueuePool,
        pool_use_lifo=True,
        pool_size=connections,
        max_overflow=0,
        connect_args={"check_same_thread": False, "timeout": BUSY_SECONDS},
    )
    event.listen(engine, "do_connect", _make_file)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_postgresql(connection: psycopg.Connection, _record: object) -> None:
    connection.adapters.register_loader("uuid", TextLoader)  # texts are what we want; no object is made of each first


def _make_file(_dialect: object, _record: object, place: list[str], _options: object) -> None:
    """Make the file of a database for its owner alone; SQLite would let everybody read it, and those beside it."""
    file = place[0]
    if _is_file(file):
        with suppress(OSError):  # it is there, or SQLite says why it can't be
            os.close(os.open(file, os.O_CREAT | os.O_EXCL, 0o600))


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # transactions are begun by us, below
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    patience = connection.info.get("patience")
    if patience is None:
        connection.exec_driver_sql("BEGIN")
        return
    # A writer takes its lock at once: a transaction that reads first and then can't write would lose its work. Who
    # writes without taking turns, another program, is waited for as long as it was not waited for the turn.
    driver: Any = connection.connection.driver_connection
    driver.execute(f"PRAGMA busy_timeout={round(1000 * patience)}")
    try:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    finally:
        driver.execute(f"PRAGMA busy_timeout={1000 * BUSY_SECONDS}")


def _is_file(place: str) -> bool:
    return bool(place) and not place.startswith((":memory:", "file:"))
