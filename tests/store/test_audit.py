"""The audit log in the database: read from the newest on, by who and by what, without looking through all of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from ringback import clock, entropy
from ringback.store import audit
from ringback.store.engine import Database
from ringback.store.migrate import migrate
from tests.statements import asked
from tests.world import World

NOW = clock.now()


@pytest.fixture
def ids(world: World) -> list[str]:
    """Six lines of Acme's and one of Zeta's, oldest first."""
    deeds = [
        (world.acme, world.ada, "team.made"),
        (world.acme, world.bob, "token.made"),
        (world.acme, world.ada, "team.changed"),
        (world.acme, world.ada, "token.made"),
        (world.acme, None, "settings.changed"),
        (world.acme, world.bob, "token.made"),
        (world.zeta, world.charlie, "buyer.made"),
    ]
    made = []
    with world.database.write() as tx:
        for number, (account, user, action) in enumerate(deeds):
            made.append(entropy.new_id())
            told = {"number": number}
            now = NOW + timedelta(seconds=number)
            audit.note_deed(
                tx, account, made[-1], user_id=user, action=action, subject=f"s{number}", details=told, now=now
            )
    return made


def test_lines_are_read_from_the_newest_on(world: World, ids: list[str]) -> None:
    with world.database.read() as tx:
        first = audit.list_deeds(tx, world.acme, limit=4)
        rest = audit.list_deeds(tx, world.acme, before=first[-1].id)
    assert [deed.id for deed in [*first, *rest]] == ids[5::-1]
    newest, operators = first[0], first[1]
    assert (newest.user_id, newest.user, newest.action) == (world.bob, "bob@bright.example", "token.made")
    assert (newest.subject, newest.details, newest.done_at) == ("s5", {"number": 5}, NOW + timedelta(seconds=5))
    assert (operators.user_id, operators.user) == (None, "")


def test_by_who_and_by_what(world: World, ids: list[str]) -> None:
    with world.database.read() as tx:
        adas = audit.list_deeds(tx, world.acme, user_id=world.ada)
        made = audit.list_deeds(tx, world.acme, action="token.made")
        both = audit.list_deeds(tx, world.acme, user_id=world.bob, action="token.made", before=ids[5])
        others = audit.list_deeds(tx, world.acme, user_id=world.charlie)
    assert [deed.id for deed in adas] == [ids[3], ids[2], ids[0]]
    assert [deed.id for deed in made] == [ids[5], ids[3], ids[1]]
    assert [deed.id for deed in both] == [ids[1]]
    assert others == []


def test_who_and_what_stand_in_it(world: World, ids: list[str]) -> None:
    assert ids
    with world.database.read() as tx:
        assert audit.list_doers(tx, world.acme) == {world.ada: "ada@acme.example", world.bob: "bob@bright.example"}
        assert audit.list_actions(tx, world.acme) == ["settings.changed", "team.changed", "team.made", "token.made"]
        assert audit.list_actions(tx, world.zeta) == ["buyer.made"]


def test_nothing_stands_in_an_empty_one(world: World) -> None:
    with world.database.read() as tx, asked(world.database) as statements:
        assert audit.list_actions(tx, world.acme) == []
        assert audit.list_doers(tx, world.acme) == {}
        assert audit.list_deeds(tx, world.acme) == []
    assert len(statements) == 4


@pytest.mark.parametrize("filters", [{}, {"user_id": 2}, {"action": "token.made"}, {"user_id": 2, "before": "x"}])
def test_no_list_looks_through_all_of_it(sqlite_url: str, filters: dict[str, Any]) -> None:
    database = Database(sqlite_url)
    migrate(database)
    plans = []

    def explain(connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:  # noqa: ANN401
        if "audit_log" in statement and not statement.startswith("EXPLAIN"):
            plans.extend(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all())

    with database.read() as tx:
        event.listen(database.engine, "before_cursor_execute", explain)
        audit.list_deeds(tx, 1, **filters)
        audit.list_doers(tx, 1)
        audit.list_actions(tx, 1)
        event.remove(database.engine, "before_cursor_execute", explain)
    database.close()
    lines = [line for *_, line in plans]
    assert [line for line in lines if "SCAN audit_log" in line or "TEMP B-TREE" in line] == []
    assert any("SEARCH audit_log USING" in line for line in lines)
