"""People: their passwords, sessions and one-time links."""

from __future__ import annotations

from datetime import timedelta

import pytest
from argon2 import PasswordHasher

from ringback.domain.errors import Refusal
from ringback.services import passwords, people
from ringback.services.housekeeping import tidy
from ringback.services.passwords import Proof
from ringback.store import accounts
from ringback.store import people as store
from ringback.store.accounts import User
from ringback.store.people import LinkKind
from tests.services.requests import NOW
from tests.world import World

OLD, NEW = "correct horse battery", "staple staple staple"
SECOND = timedelta(seconds=1)


@pytest.fixture
def bob(world: World) -> User:
    """Bob, with a password, logged in here and there, and with a link that lets him in."""
    with world.database.write() as tx:
        people.set_password(tx, world.bob, passwords.choose(OLD))
        found = accounts.find_user(tx, "bob@bright.example")
        assert found is not None
        for number, secret in enumerate(("here", "there")):
            at = NOW + timedelta(minutes=number)
            people.open_session(tx, found, secret, now=at, ip=f"203.0.113.{number}", agent=secret)
        people.make_link(tx, LinkKind.LOG_IN, "let me in", now=NOW, user_id=found.id)
        people.make_link(tx, LinkKind.RESET, "reset", now=NOW, user_id=found.id)
    return found


def agents(world: World, user: User) -> list[str]:
    with world.database.read() as tx:
        return [session.agent for session in store.list_sessions(tx, user.id, NOW)]


def links(world: World) -> list[LinkKind]:
    """The links of Bob's that still work."""
    secrets = {LinkKind.LOG_IN: "let me in", LinkKind.RESET: "reset"}
    with world.database.read() as tx:
        return [kind for kind, secret in secrets.items() if store.find_link(tx, people.digest(secret), kind, NOW)]


def logs_in(world: World, password: str) -> bool:
    try:
        with world.database.write() as tx:
            people.log_in(tx, prove(world, password))
    except Refusal as refusal:
        return refusal.code.name != "wrong_password"
    return True


def prove(world: World, password: str) -> Proof:
    """The proof that Bob has a password, before the transaction that it is for."""
    with world.database.read() as tx:
        found = store.find_password(tx, "BOB@bright.example")
    return passwords.prove(found, password)


class TestSessions:
    def test_are_listed_the_latest_first(self, world: World, bob: User) -> None:
        assert agents(world, bob) == ["there", "here"]
        with world.database.read() as tx:
            (latest,) = store.list_sessions(tx, bob.id, NOW, limit=1)
            assert (latest.digest, latest.ip) == (people.digest("there"), "203.0.113.1")
            assert store.list_sessions(tx, world.ada, NOW) == []
            assert store.list_sessions(tx, bob.id, NOW + timedelta(days=15)) == []

    def test_are_forgotten_with_links_when_their_time_is_over(self, world: World, bob: User) -> None:
        end = NOW + people.SESSION_LIFETIME
        with world.database.write() as tx:
            tidy(tx, end - SECOND)
            assert len(store.list_sessions(tx, bob.id, NOW)) == 2
            assert store.find_link(tx, people.digest("reset"), LinkKind.RESET, NOW) is None
            tidy(tx, end)
            assert [session.agent for session in store.list_sessions(tx, bob.id, NOW)] == ["there"]


class TestChangingThePassword:
    def test_ends_every_session_and_link(self, world: World, bob: User) -> None:
        with world.database.write() as tx:
            people.change_password(tx, prove(world, OLD), passwords.choose(NEW))
        assert agents(world, bob) == []
        assert links(world) == []
        assert (logs_in(world, OLD), logs_in(world, NEW)) == (False, True)

    def test_needs_a_good_new_one(self, world: World, bob: User) -> None:
        with pytest.raises(Refusal, match="10 to 200 characters"), world.database.write() as tx:
            people.change_password(tx, prove(world, OLD), passwords.choose("short"))
        assert len(agents(world, bob)) == 2
        assert logs_in(world, OLD)

    def test_an_old_one_that_was_changed_meanwhile_proves_nothing(self, world: World, bob: User) -> None:
        proof = prove(world, OLD)
        with world.database.write() as tx:
            people.set_password(tx, bob.id, passwords.choose(NEW))
        for use in (people.log_in, lambda tx, proof: people.change_password(tx, proof, passwords.choose(OLD))):
            with pytest.raises(Refusal) as caught, world.database.write() as tx:
                use(tx, proof)
            assert caught.value.code.name == "wrong_password"
        assert logs_in(world, NEW)


class TestAResetLink:
    def test_sets_a_password_once_and_ends_every_session(self, world: World, bob: User) -> None:
        with world.database.write() as tx:
            assert people.reset_password(tx, "reset", passwords.choose(NEW), NOW) == bob
        assert agents(world, bob) == []
        assert links(world) == []
        assert (logs_in(world, OLD), logs_in(world, NEW)) == (False, True)
        with pytest.raises(Refusal) as caught, world.database.write() as tx:
            people.reset_password(tx, "reset", passwords.choose(OLD), NOW)
        assert caught.value.code.name == "link_spent"

    def test_is_not_spent_by_a_bad_password(self, world: World, bob: User) -> None:
        with pytest.raises(Refusal, match="10 to 200 characters"), world.database.write() as tx:
            people.reset_password(tx, "reset", passwords.choose("short"), NOW)
        assert LinkKind.RESET in links(world)
        assert len(agents(world, bob)) == 2

    @pytest.mark.parametrize(("secret", "after"), [("let me in", SECOND), ("reset", timedelta(hours=24)), ("", SECOND)])
    def test_must_be_one_and_in_time(self, world: World, bob: User, secret: str, after: timedelta) -> None:
        with pytest.raises(Refusal) as caught, world.database.write() as tx:
            people.reset_password(tx, secret, passwords.choose(NEW), NOW + after)
        assert caught.value.code.name == "link_spent"
        assert logs_in(world, OLD)
        assert len(agents(world, bob)) == 2

    def test_of_nobody_is_none(self, world: World) -> None:
        with world.database.write() as tx:
            people.make_link(tx, LinkKind.RESET, "nobody's", now=NOW)
        with pytest.raises(Refusal) as caught, world.database.write() as tx:
            people.reset_password(tx, "nobody's", passwords.choose(NEW), NOW)
        assert caught.value.code.name == "link_spent"


def test_a_name_is_changed_if_it_is_one(world: World, bob: User) -> None:
    with world.database.write() as tx:
        people.rename(tx, bob, "  Bob  Bright ")
        with pytest.raises(Refusal):
            people.rename(tx, bob, " ")
        found = store.find_user(tx, bob.id)
    assert found is not None
    assert found.name == "Bob Bright"


def test_who_has_no_password_logs_in_with_none(world: World) -> None:
    assert not logs_in(world, "")
    assert not logs_in(world, "no user has this password")


def test_a_password_kept_in_an_older_way_is_kept_anew(world: World, bob: User) -> None:
    older = PasswordHasher(time_cost=2, memory_cost=8, parallelism=1).hash(OLD)
    with world.database.write() as tx:
        accounts.change_user(tx, bob.id, password_hash=older)
    assert not logs_in(world, NEW)
    assert logs_in(world, OLD)
    with world.database.read() as tx:
        found = store.find_password(tx, bob.email)
    assert found is not None
    assert found[1] != older
    assert logs_in(world, OLD)
