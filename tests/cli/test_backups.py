"""``ringback backup`` and ``restore``: taken while a server records, served again, and never over anything."""

from __future__ import annotations

import asyncio
import os
import re
import sqlite3
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from ringback.sealing import Seal
from ringback.services.secret_key import find_key
from ringback.store.engine import Database
from tests.cli.shell import Shell, run
from tests.crash.arena import Arena, arena
from tests.crash.books import audit
from tests.crash.servers import Server
from tests.crash.traffic import Sent
from tests.postgres import PostgresServer

BEFORE, AFTER = 300, 100
"""Updates that are answered before the copying begins, and after it."""


async def _besiege(place: Arena, servers: Sequence[Server], take: Callable[[], None]) -> list[Sent]:
    """Have a backup taken under load; returns the updates that were answered before."""
    traffic = place.traffic(*servers)
    async with traffic.flowing():
        await traffic.until(BEFORE)
        answered = [each for each in traffic.sent if each.answer is not None]
        await asyncio.to_thread(take)
        await traffic.until(AFTER)
    return answered


def _serve_again(place: Arena, url: str, answered: Sequence[Sent]) -> None:
    """What was answered before is in a restored database, and it is served as before."""
    restored = Database(url)
    assert not audit(restored, place.world.acme, place.uuids, answered)

    async def go_on(server: Server) -> list[Sent]:
        traffic = place.traffic(server, first=1_000_000)
        async with traffic.flowing():
            await traffic.until(AFTER)
        assert set(traffic.codes) == {"applied"}
        return traffic.sent

    with Server(url) as server:
        more = asyncio.run(go_on(server))
    assert not audit(restored, place.world.acme, place.uuids, [*answered, *more])
    restored.close()


def test_what_was_answered_before_is_in_a_backup_taken_under_load(tmp_path: Path) -> None:
    live, copy, again = (tmp_path / name for name in ("live.db", "copy.db", "again.db"))

    def take() -> None:
        done = run("backup", str(copy), "--database", f"sqlite:///{live}", folder=tmp_path)
        assert (done.code, done.err) == (0, "")
        assert done.out.startswith(f"{copy} holds {live} as it is now: ")

    with arena(f"sqlite:///{live}") as place, Server(place.url) as first, Server(place.url) as second:
        answered = asyncio.run(_besiege(place, [first, second], take))
    assert len(answered) >= BEFORE
    assert {file.name for file in tmp_path.iterdir() if file.name.startswith("copy")} == {"copy.db"}
    assert run("restore", str(copy), "--database", f"sqlite:///{again}", folder=tmp_path).code == 0
    _serve_again(place, f"sqlite:///{again}", answered)


def test_on_postgresql_it_names_the_programs_and_their_lines_do_it(
    tmp_path: Path, postgresql_url: str, postgres_server: PostgresServer
) -> None:
    copy = tmp_path / "a copy.dump"
    empty = postgres_server.create_database("restored")

    def as_told(command: str, url: str) -> None:
        done = run(command, str(copy), "--database", url, folder=tmp_path)
        told = re.search(r"PostgreSQL has a program of its own for it: (.*)", done.err)
        assert told is not None
        assert done.code == 1
        path = f"{postgres_server.programs}:{os.environ['PATH']}"
        settings = {"PATH": path, "RINGBACK_DATABASE_URL": url}
        subprocess.run(["bash", "-c", told[1]], cwd=tmp_path, env=settings, check=True)

    with arena(postgresql_url) as place, Server(place.url) as server:
        answered = asyncio.run(_besiege(place, [server], lambda: as_told("backup", place.url)))
    as_told("restore", empty)
    _serve_again(place, empty, answered)
    postgres_server.drop_database("restored")


@pytest.fixture
def office(shell: Shell) -> Shell:
    """A shell in a folder with a database of the cast at its ordinary place, and its key beside it."""
    shell.ok("migrate")
    shell.ok("account", "create", "acme", "--name", "Acme", "--owner", "ada@acme.example")
    database = Database("sqlite:///data/ringback.db")
    with database.write() as tx:
        find_key(tx, "", Path("data/secret.key"))
    database.close()
    return shell


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    if "office" in request.fixturenames:
        monkeypatch.delenv("RINGBACK_SECRET_KEY", raising=False)


def test_a_backup_comes_back_where_nothing_is(office: Shell) -> None:
    told = office.ok("backup", "copy.db").lines
    assert re.fullmatch(
        r"copy\.db holds data/ringback\.db as it is now: [\d,]+ bytes, schema of revision \d+\.", told[0]
    )
    assert "Keep data/secret.key somewhere else" in told[1]
    assert Path("copy.db").stat().st_mode & 0o777 == 0o600
    Path("data").rename("old")
    told = office.ok("restore", "copy.db").lines
    assert told[0].startswith("data/ringback.db holds what was in copy.db: ")
    assert "the secret key data/secret.key is gone" in told[1]
    assert "ringback erase-again" in told[2]
    Path("old/secret.key").rename("data/secret.key")
    assert "acme" in office.ok("account", "list").out
    Path("data/ringback.db").unlink()
    assert [line[:20] for line in office.ok("restore", "copy.db").lines] == [
        "data/ringback.db hol",
        "Was a person erased ",
    ]


def test_no_secret_key_is_in_a_backup(office: Shell) -> None:
    office.ok("backup", "copy.db")
    key = Seal.read(Path("data/secret.key").read_text()).key
    copied = Path("copy.db").read_bytes()
    assert Path("data/secret.key").read_bytes().strip() not in copied
    assert key not in copied


def test_a_key_that_was_set_is_named(office: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGBACK_SECRET_KEY", Seal.make().write())
    assert "Keep RINGBACK_SECRET_KEY somewhere else" in office.ok("backup", "copy.db").out


def test_nothing_is_written_over(office: Shell) -> None:
    office.ok("backup", "copy.db")
    before = Path("copy.db").read_bytes()
    assert office.fails("backup", "copy.db") == "copy.db is there already, and is not written over; name a new file"
    assert Path("copy.db").read_bytes() == before
    assert office.fails("restore", "copy.db").startswith("data/ringback.db is there, and nothing is written over")
    Path("data/ringback.db").rename("moved.db")
    Path("data/ringback.db-wal").touch()
    assert office.fails("restore", "copy.db").startswith("data/ringback.db-wal is there, ")


def test_a_database_that_is_served_is_told_as_such(office: Shell) -> None:
    office.ok("backup", "copy.db")
    database = Database("sqlite:///data/ringback.db")
    with database.read():  # connected, as a server is
        reason = office.fails("restore", "copy.db")
    database.close()
    assert reason.startswith("a server, or another program, has data/ringback.db open; stop it")


def test_a_backup_that_is_being_written_is_left_alone(office: Shell) -> None:
    Path("copy.db.partial").touch()
    assert office.fails("backup", "copy.db").startswith("copy.db.partial is there: ")
    assert Path("copy.db.partial").exists()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is no database of Ringback"),
        (b"no database at all", "can't be copied to data/ringback.db: file is not a database"),
        (None, "there is no file bad.db"),
    ],
)
def test_what_is_no_backup_is_not_restored(shell: Shell, content: bytes | None, reason: str) -> None:
    if content is not None:
        Path("bad.db").write_bytes(content)
    assert reason in shell.fails("restore", "bad.db")
    assert not list(Path().glob("data/*"))


def test_a_damaged_backup_is_not_restored(office: Shell) -> None:
    office.ok("backup", "copy.db")
    content = bytearray(Path("copy.db").read_bytes())
    middle = len(content) // 2
    content[middle : middle + 65_536] = bytes(65_536)
    Path("copy.db").write_bytes(content)
    Path("data/ringback.db").unlink()
    assert "copy.db can't be copied to data/ringback.db: " in office.fails("restore", "copy.db")
    assert {file.name for file in Path("data").iterdir()} == {"secret.key", "ringback.db-turn"}


@pytest.mark.parametrize(
    ("revision", "says"),
    [("9999", "copy.db is of a later version of Ringback (its schema is of revision 9999)"), ("0001", "")],
)
def test_backups_of_other_versions(office: Shell, revision: str, says: str) -> None:
    office.ok("backup", "copy.db")
    connection = sqlite3.connect("copy.db")
    with connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", [revision])
    connection.close()
    Path("data/ringback.db").unlink()
    if says:
        assert office.fails("restore", "copy.db") == says
    else:
        assert office.ok("restore", "copy.db").lines[1].startswith("It is of an earlier version: ringback migrate ")


@pytest.mark.parametrize("where", ["no/such/folder/copy.db", "/dev/full/copy.db"])
def test_a_place_that_is_none_is_told(office: Shell, where: str) -> None:
    assert office.fails("backup", where).startswith(f"{where}.partial can't be made: ")


def test_a_database_that_is_not_there_is_told(shell: Shell) -> None:
    assert shell.fails("backup", "copy.db") == "there is no database sqlite:///data/ringback.db"
