"""Migrations: together they make the schema that the program has, once, however many processes ask for it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text

from ringback import store
from ringback.store.engine import Database
from ringback.store.failures import RejectedError
from ringback.store.migrate import is_current, migrate
from ringback.store.schema import metadata
from tests.world import World

VERSIONS = sorted((Path(store.__file__).parent / "migrations" / "versions").glob("[0-9]*.py"))
NEWEST = VERSIONS[-1].name[:4]
MIGRATING = """
import sys
from ringback.store.engine import Database
from ringback.store.migrate import migrate
print(*migrate(Database(sys.argv[1])))
"""


@pytest.fixture
def empty(empty_database_url: str) -> Iterator[Database]:
    """A database without tables."""
    opened = Database(empty_database_url)
    yield opened
    opened.close()


def columns(database: Database) -> dict[str, list[tuple[str, bool, str | None]]]:
    """Every column: its name, whether it may be nothing, and what it begins with."""
    inspector = inspect(database.engine)
    return {
        table: sorted((each["name"], each["nullable"], each["default"]) for each in inspector.get_columns(table))
        for table in inspector.get_table_names()
        if table != "alembic_version"
    }


def test_revisions_follow_each_other_by_number() -> None:
    assert [file.name[:4] for file in VERSIONS] == [f"{number:04}" for number in range(1, len(VERSIONS) + 1)]


def test_a_migrated_database_is_what_the_program_has(database: Database) -> None:
    with database.read() as tx:
        context = MigrationContext.configure(tx, opts={"compare_server_default": False})
        assert compare_metadata(context, metadata) == []


def test_down_to_what_its_columns_begin_with(empty: Database) -> None:
    migrate(empty)
    migrated = columns(empty)
    with empty.write() as tx:
        tx.execute(text("DROP TABLE alembic_version"))
        metadata.drop_all(tx)
        metadata.create_all(tx)
    assert columns(empty) == migrated


def test_migrating_says_from_where_to_where_and_twice_does_nothing(empty: Database) -> None:
    assert not is_current(empty)
    assert migrate(empty) == (None, NEWEST)
    assert is_current(empty)
    before = columns(empty)
    assert migrate(empty) == (NEWEST, NEWEST)
    assert columns(empty) == before


def test_a_schema_of_a_later_version_is_told_and_left_alone(database: Database) -> None:
    with database.write() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert not is_current(database)
    with pytest.raises(RejectedError, match="its schema is that of a later version of Ringback, revision 9999"):
        migrate(database)


def test_what_is_there_stays_there(world: World) -> None:
    call = world.call(contact_fields={"a": "1"})
    assert migrate(world.database) == (NEWEST, NEWEST)
    assert world.state(call)["contact_fields"] == {"a": "1"}


def test_two_processes_at_once_migrate_once(empty: Database) -> None:
    url = empty.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", MIGRATING, url]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    told = [(process.communicate(timeout=60), process.returncode) for process in both]
    assert [(errors, code) for (_, errors), code in told] == [("", 0)] * 2
    assert sorted(output.split() for (output, _), _ in told) == [[NEWEST, NEWEST], ["None", NEWEST]]
    assert is_current(empty)


def test_every_table_of_an_account_begins_with_it() -> None:
    for table in metadata.sorted_tables:
        if "account_id" in table.primary_key.columns:
            assert next(iter(table.primary_key.columns)).name == "account_id"
            assert all(
                next(iter(index.columns)).name == "account_id" for index in table.indexes if len(index.columns) > 1
            )
