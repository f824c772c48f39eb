"""``ringback prune``, ``erase`` and ``erase-again``."""

from __future__ import annotations

import sys
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from sqlalchemy import func, select

from ringback import clock
from ringback.cli import samples
from ringback.services import accounts
from ringback.store import erasures, schema
from ringback.store.engine import Database
from ringback.store.migrate import migrate
from tests.cli.shell import Shell
from tests.world import World

KINDS = ["requests", "deliveries", "traces", "waiting", "audit", "sessions", "keys"]


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with five weeks that ended three months ago."""
    file = tmp_path_factory.mktemp("keeping") / "ringback.sqlite"
    database = Database(f"sqlite:///{file}")
    migrate(database)
    with database.write() as tx:
        samples.fill(tx, clock.now() - timedelta(days=90))
    database.close()
    return file


@pytest.fixture
def weeks(shell: Shell, original: Path, tmp_path: Path) -> Shell:
    """A shell on a copy of it."""
    copy = tmp_path / "weeks.sqlite"
    copy.write_bytes(original.read_bytes())
    shell.database = f"sqlite:///{copy}"
    return shell


def figures(shell: Shell) -> tuple[object, ...]:
    """What must never change: how much was called, converted, earned and written into the ledger."""
    database = Database(shell.database)
    table = schema.calls.c
    with database.read() as tx:
        sums = tx.execute(
            select(func.count(), func.sum(table.buyer_converted), func.sum(table.revenue), func.sum(table.payout))
        ).one()
        entries = tx.execute(select(func.count()).select_from(schema.call_changes)).scalar_one()
    database.close()
    return (*sums, entries)


def test_prune_removes_what_is_old_and_says_what(weeks: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGBACK_KEEP_REQUESTS_DAYS", "100")
    monkeypatch.setenv("RINGBACK_KEEP_WAITING_DAYS", "100")
    before = figures(weeks)
    expected = {each["kind"]: each for each in weeks.ok("prune", "--dry-run", "--json").json}
    assert list(expected) == KINDS
    assert weeks.ok("prune", "--dry-run", "--json").json == list(expected.values())
    assert (expected["requests"]["kept_days"], expected["requests"]["removed"] > 500) == (100, True)
    assert (expected["traces"]["kept_days"], expected["traces"]["removed"] > 0) == (30, True)
    assert (expected["audit"]["kept_days"], expected["audit"]["removed"]) == (0, 0)
    assert (expected["keys"]["kept_days"], expected["keys"]["removed"] > 0) == (None, True)
    assert expected["waiting"]["removed"] > 0
    assert weeks.ok("prune", "--json").json == list(expected.values())
    assert {each["removed"] for each in weeks.ok("prune", "--json").json} == {0}
    assert figures(weeks) == before


def test_prune_tells_people_how_long_things_are_kept(weeks: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGBACK_KEEP_TRACES_DAYS", "1")
    told = weeks.ok("prune", "--dry-run").lines
    assert told[0].split("  ")[0] == "What"
    assert told[0].endswith("Would be removed")
    assert "Traces of wrong credentials" in told[3]
    assert "1 day " in told[3]
    assert "for ever" in told[5]
    assert "until they end" in told[6]
    assert weeks.ok("prune").lines[0].endswith("Removed")


@pytest.mark.parametrize("days", ["-1", "soon", "40000"])
def test_days_are_a_number_of_days(shell: Shell, monkeypatch: pytest.MonkeyPatch, days: str) -> None:
    monkeypatch.setenv("RINGBACK_KEEP_AUDIT_DAYS", days)
    assert shell.fails("config").startswith("RINGBACK_KEEP_AUDIT_DAYS: ")


def test_a_person_is_erased_by_number_and_his_calls_keep_their_worth(at_acme: Shell, world: World) -> None:
    mine = [world.call(caller_number="+13125550142", contact_fields={"name": "Zeb"}) for _ in range(2)]
    other = world.call(caller_number="+13125550143", contact_fields={"name": "Eve"})
    assert (
        at_acme.fails("erase", "--account", "acme", "--caller-number", "312 555 0142")
        == "it can't be undone; say --yes"
    )
    told = at_acme.ok("erase", "--account", "acme", "--caller-number", "312 555 0142", "--yes").lines
    assert sorted(told) == sorted(f"- the person of call {call.uuid} in acme" for call in mine)
    for call in mine:
        assert world.state(call)["contact_fields"] == {}
    assert world.state(other)["contact_fields"] == {"name": "Eve"}
    assert at_acme.ok("erase", "--account", "acme", "--caller-number", "312 555 0142").out == "There is no such call.\n"


def test_a_person_is_erased_by_call(at_acme: Shell, world: World) -> None:
    call = world.call(contact_fields={"name": "Zeb"})
    done = at_acme.ok("erase", "--account", "acme", "--call", call.uuid, "--yes", "--json").json
    assert done == [{"account": "acme", "call": call.uuid, "open_deliveries": 0}]
    assert world.state(call)["contact_fields"] == {}


class Terminal(StringIO):
    """A person who types."""

    def isatty(self) -> bool:
        return True


def test_a_person_at_a_terminal_is_asked(at_acme: Shell, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    call = world.call(contact_fields={"name": "Zeb"})
    for typed, code, left in (("n\n", 130, {"name": "Zeb"}), ("y\n", 0, {})):
        monkeypatch.setattr(sys, "stdin", Terminal(typed))
        asked = at_acme.run("erase", "--account", "acme", "--call", call.uuid)
        assert (asked.code, world.state(call)["contact_fields"]) == (code, left)
        assert asked.out.startswith("Erase the person of 1 call in acme?")


@pytest.mark.parametrize("which", [[], ["--caller-number", "1", "--call", "2"]])
def test_one_of_caller_and_call_is_named(at_acme: Shell, which: list[str]) -> None:
    assert at_acme.fails("erase", "--account", "acme", *which) == "give --caller-number N or --call UUID"


def test_what_a_backup_brings_back_is_erased_again(weeks: Shell, tmp_path: Path) -> None:
    backup = tmp_path / "backup.sqlite"
    backup.write_bytes(Path(weeks.database.removeprefix("sqlite:///")).read_bytes())
    database = Database(weeks.database)
    with database.read() as tx:
        acme = accounts.find(tx, "acme")
        number = tx.execute(select(schema.calls.c.caller_number).limit(1)).scalar_one()
    weeks.ok("erase", "--account", "acme", "--caller-number", number, "--yes")
    live, weeks.database = weeks.database, f"sqlite:///{backup}"
    restored = Database(weeks.database)
    for found, there in ((database, False), (restored, True)):
        with found.read() as tx:
            assert bool(erasures.list_calls_of(tx, acme.id, number)) is there
    assert weeks.ok("erase-again", live).out.startswith("- the person of call ")
    with restored.read() as tx:
        assert erasures.list_calls_of(tx, acme.id, number) == []
    database.close()
    restored.close()
