"""What the database does wrong, in words that the floors above act on."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, insert, select, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from ringback.store.engine import Database
from ringback.store.failures import (
    ContendedError,
    RejectedError,
    StoreError,
    UnavailableError,
    UnconfirmedError,
    translated,
)
from ringback.store.migrate import migrate
from ringback.store.schema import accounts
from tests.postgres import PostgresServer

Step = Callable[[Connection], object]
"""Something done in a transaction."""

ROW = {"id": 1, "subdomain": "a", "name": "A", "created_at": 0}


def add_account(tx: Connection) -> None:
    tx.execute(insert(accounts).values(ROW))


def run(database: Database, *steps: Step) -> None:
    """Take steps in one transaction that writes."""
    with database.write() as tx:
        for step in steps:
            step(tx)


def count_accounts(database: Database) -> int:
    with database.read() as tx:
        return tx.execute(select(func.count()).select_from(accounts)).scalar_one()


class StatementError(Exception):
    """What a driver raises, with the state that the database gave it."""

    def __init__(self, sqlstate: str | None, message: str = "no") -> None:
        super().__init__(message)
        self.sqlstate = sqlstate


@pytest.mark.parametrize(
    ("sqlstate", "kind"),
    [
        ("40P01", ContendedError),
        ("40001", ContendedError),
        ("55P03", ContendedError),
        ("22P05", RejectedError),
        ("23505", RejectedError),
        ("42P01", RejectedError),
        ("53100", UnavailableError),
        ("57P01", UnavailableError),
        ("08006", UnavailableError),
        (None, UnavailableError),
    ],
)
def test_a_state_of_postgresql_says_whether_to_try_again(sqlstate: str | None, kind: type[StoreError]) -> None:
    error = translated(DBAPIError("SELECT 1", None, StatementError(sqlstate, "the reason\nLINE 1: …")))
    assert type(error) is kind
    assert str(error) == "the reason"


def test_what_is_no_failure_of_the_database_itself_may_succeed_later() -> None:
    assert type(translated(SQLAlchemyError("the pool is empty"))) is UnavailableError


def test_a_locked_file_is_contended() -> None:
    error = DBAPIError("BEGIN", None, sqlite3.OperationalError("database is locked"))
    assert type(translated(error)) is ContendedError


def test_refused_data_is_rejected_and_the_transaction_undone(database: Database) -> None:
    with pytest.raises(RejectedError):
        run(database, add_account, add_account)
    assert count_accounts(database) == 0


def test_our_own_errors_pass_as_they_are_and_undo_everything(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        run(database, add_account, lambda _: 1 // 0)
    assert count_accounts(database) == 0
    run(database, add_account)
    assert count_accounts(database) == 1


def test_a_database_that_is_not_there_is_unavailable(tmp_path: Path, postgres_server: PostgresServer) -> None:
    for url in (f"sqlite:///{tmp_path}/none/x.sqlite", postgres_server.url("nothing_here")):
        database = Database(url)
        with pytest.raises(UnavailableError), database.read():
            pass
        database.close()


class TestConnectionsLost:
    @pytest.fixture
    def kill(self, postgres: Database) -> Iterator[Step]:
        """End the connection of a transaction from another one."""
        other = Database(postgres.url.render_as_string(hide_password=False))

        def end(tx: Connection) -> None:
            pid = tx.execute(text("SELECT pg_backend_pid()")).scalar_one()
            run(other, lambda killer: killer.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid}))

        yield end
        other.close()

    def test_before_the_commit_the_database_is_unavailable(self, postgres: Database, kill: Step) -> None:
        with pytest.raises(UnavailableError) as caught:
            run(postgres, kill, add_account)
        assert type(caught.value) is UnavailableError
        assert count_accounts(postgres) == 0

    def test_during_the_commit_it_is_not_known_whether_it_was_made(self, postgres: Database, kill: Step) -> None:
        with pytest.raises(UnconfirmedError):
            run(postgres, add_account, kill)
        assert count_accounts(postgres) == 0

    def test_the_next_transaction_gets_a_new_connection(self, postgres: Database, kill: Step) -> None:
        with pytest.raises(UnavailableError):
            run(postgres, kill, add_account)
        run(postgres, add_account)
        assert count_accounts(postgres) == 1


def test_a_commit_that_is_refused_is_rejected(postgres: Database) -> None:
    twice = text("CREATE TABLE a (n int UNIQUE DEFERRABLE INITIALLY DEFERRED); INSERT INTO a VALUES (1), (1)")
    with pytest.raises(RejectedError):
        run(postgres, lambda tx: tx.execute(twice))


class TestSqlite:
    def test_writers_wait_for_each_other_rather_than_lose_their_work(self, sqlite_url: str) -> None:
        database = Database(sqlite_url)
        migrate(database)
        with database.write() as tx:
            add_account(tx)
            assert count_accounts(database) == 0  # readers don't wait, and see the state before
        assert count_accounts(database) == 1
        database.close()

    def test_is_durable_and_keeps_references(self, sqlite_url: str) -> None:
        database = Database(sqlite_url)
        with database.read() as tx:
            told = [
                tx.execute(text(f"PRAGMA {name}")).scalar_one()
                for name in ("journal_mode", "synchronous", "foreign_keys")
            ]
        assert told == ["wal", 2, 1]
        assert database.is_sqlite
        database.close()
