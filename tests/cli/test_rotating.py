"""``ringback rotate-key``: what was sealed opens with the new key, and with the old one alone nothing starts."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Table

from ringback.domain.vault import Secret
from ringback.sealing import Seal
from ringback.services import postbacks as services
from ringback.services import vault as vault_service
from ringback.services.secret_key import find_key, write_key
from ringback.services.vault import CredentialForm
from ringback.settings import Settings, read_settings
from ringback.store import sending_schema, signing, vault
from ringback.store.signing import SigningSecret
from ringback.store.vault import Sealed
from tests.cli.shell import Shell, run
from tests.services.acting import actor
from tests.services.requests import NOW
from tests.services.test_repeats import keep
from tests.world import World

CREDENTIAL = "Basic cHVibGljOnByaXZhdGUta2V5"


def seal_of(world: World, settings: Settings) -> Seal:
    with world.database.write() as tx:
        return find_key(tx, settings.secret_key, settings.key_file)


def seal_secrets(world: World, seal: Seal) -> str:
    """A credential and a signing secret of Acme's; returns the latter."""
    rule = keep(world)
    with world.database.write() as tx:
        ada = actor(tx, world.acme, world.ada)
        vault_service.create(tx, ada, seal, CredentialForm("Key", "basic", "there.example", CREDENTIAL))
        return services.make_signing_secret(tx, ada, seal, rule, bytes(32))


def opened(world: World, seal: Seal) -> list[str]:
    """What this key opens of both."""
    with world.database.read() as tx:
        credentials = vault.list_credentials(tx, [world.acme])
        kept: list[Sealed | SigningSecret] = [*credentials, *signing.list_valid(tx, [world.acme], NOW)]
        assert {each.key_id for each in kept} == {seal.fingerprint}
        return [seal.open(each.sealed, each.about) for each in kept]


def refuses_to_start(shell: Shell) -> bool:
    """Whether a worker says that the key is another, and ends."""
    ran = run("worker", "--database", shell.database, folder=shell.folder)
    return ran.code == 1 and "is not the one that this database was used with" in ran.err


def test_with_a_key_that_is_set_the_new_one_goes_into_a_file(
    at_acme: Shell, world: World, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = seal_of(world, read_settings(database_url=database_url))
    secret = seal_secrets(world, old)
    target = at_acme.folder / "new.key"
    told = at_acme.ok("rotate-key", "--new-key-file", str(target)).out
    assert told.startswith(f"2 secrets are sealed with the key in {target}")
    assert told.endswith("\nRestart every server and worker now.\n")
    assert target.stat().st_mode & 0o077 == 0
    new = Seal.read(target.read_text())
    assert opened(world, new) == [Secret("Authorization", CREDENTIAL).keep(), secret]
    assert refuses_to_start(at_acme)
    monkeypatch.delenv("RINGBACK_SECRET_KEY")
    monkeypatch.setenv("RINGBACK_SECRET_KEY_FILE", str(target))
    assert seal_of(world, read_settings(database_url=database_url)) == new


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (sending_schema.vault, "the credential Key"),
        (sending_schema.signing_secrets, "the signing secret of postback 1"),
    ],
)
def test_what_is_spoiled_is_named_and_nothing_is_changed(
    at_acme: Shell, world: World, database_url: str, table: Table, words: str
) -> None:
    old = seal_of(world, read_settings(database_url=database_url))
    seal_secrets(world, old)
    with world.database.write() as tx:
        tx.execute(table.update().values(sealed=bytes(40)))
    told = at_acme.fails("rotate-key", "--new-key-file", str(at_acme.folder / "new.key"))
    assert told == f"{words} (account {world.acme}) can't be opened: make it anew or delete it"
    assert seal_of(world, read_settings(database_url=database_url)) == old


def test_one_secret_is_one(at_acme: Shell, world: World, database_url: str) -> None:
    seal_secrets(world, seal_of(world, read_settings(database_url=database_url)))
    with world.database.write() as tx:
        tx.execute(sending_schema.signing_secrets.delete())
    told = at_acme.ok("rotate-key", "--new-key-file", str(at_acme.folder / "new.key")).out
    assert told.startswith("1 secret is sealed with the key in ")


class TestTheDoctor:
    def test_says_that_the_key_opens_what_is_sealed(self, at_acme: Shell, world: World, database_url: str) -> None:
        seal_secrets(world, seal_of(world, read_settings(database_url=database_url)))
        assert at_acme.ok("doctor").lines[1] == "The secret key is right: it opens all that is sealed (2)."
        assert at_acme.ok("doctor", "--json").json["secret_key"] == "right"

    @pytest.mark.parametrize(
        ("key", "words"),
        [
            ("", "database"),  # on PostgreSQL it has to be set; the file beside SQLite is gone
            ("short", "RINGBACK_SECRET_KEY: a secret key is 32 random bytes"),
            (Seal(bytes(32)).write(), "the secret key in RINGBACK_SECRET_KEY is not the one"),
        ],
    )
    def test_says_that_the_key_is_missing_or_wrong(
        self, at_acme: Shell, world: World, monkeypatch: pytest.MonkeyPatch, key: str, words: str
    ) -> None:
        seal_of(world, read_settings(database_url=at_acme.database))
        monkeypatch.setenv("RINGBACK_SECRET_KEY", key)
        told = at_acme.fails("doctor")
        assert words in told
        assert at_acme.run("doctor", "--json").json["secret_key"] == told

    def test_says_that_a_secret_is_spoiled(self, at_acme: Shell, world: World, database_url: str) -> None:
        seal_secrets(world, seal_of(world, read_settings(database_url=database_url)))
        with world.database.write() as tx:
            tx.execute(sending_schema.vault.update().values(sealed=bytes(40)))
        assert at_acme.fails("doctor").startswith("the secret key doesn't open 1 of 2 secrets")

    def test_makes_no_key(self, shell: Shell, migrated_sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("RINGBACK_SECRET_KEY")
        shell.database = migrated_sqlite_url
        shell.ok("doctor")
        file = read_settings(database_url=migrated_sqlite_url).key_file
        assert file is not None
        assert not file.exists()


class TestWithTheFileBesideTheDatabase:
    @pytest.fixture
    def database_url(self, migrated_sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
        """Only SQLite has such a file."""
        monkeypatch.delenv("RINGBACK_SECRET_KEY")
        return migrated_sqlite_url

    @pytest.fixture
    def file(self, database_url: str) -> Path:
        found = read_settings(database_url=database_url).key_file
        assert found is not None
        return found

    def test_the_new_key_takes_its_place(self, at_acme: Shell, world: World, database_url: str, file: Path) -> None:
        old = seal_of(world, read_settings(database_url=database_url))
        secret = seal_secrets(world, old)
        sealed = f"2 secrets are sealed with the new key, which is in {file}.\n"
        assert at_acme.ok("rotate-key").out == f"{sealed}Restart every server and worker now.\n"
        new = seal_of(world, read_settings(database_url=database_url))
        assert new != old
        assert opened(world, new) == [Secret("Authorization", CREDENTIAL).keep(), secret]
        file.unlink()
        write_key(file, old)
        assert refuses_to_start(at_acme)

    def test_cut_off_before_the_file_was_put_in_place_it_starts_with_the_new_one(
        self, at_acme: Shell, world: World, database_url: str, file: Path
    ) -> None:
        old = seal_of(world, read_settings(database_url=database_url))
        seal_secrets(world, old)
        at_acme.ok("rotate-key")
        file.rename(file.with_suffix(".key.new"))
        write_key(file, old)
        assert len(opened(world, seal_of(world, read_settings(database_url=database_url)))) == 2
