from __future__ import annotations

import pytest

from ringback import clock
from ringback.domain.access import Role
from ringback.domain.errors import Mistake
from ringback.domain.names import UnfitError
from ringback.domain.receipts import Member
from ringback.services import accounts as service
from ringback.store import accounts
from tests.world import World


def test_accounts_and_users_are_found_or_guessed(world: World) -> None:
    with world.database.read() as tx:
        assert service.find(tx, "ACME").id == world.acme
        assert service.find_user(tx, " ADA@acme.example ").id == world.ada
        with pytest.raises(Mistake, match=r"there is no account acm; did you mean acme\?"):
            service.find(tx, "acm")
        with pytest.raises(Mistake, match=r"there is no user ada@acme; did you mean ada@acme\.example\?"):
            service.find_user(tx, "ada@acme")


def test_an_account_comes_with_its_owner(world: World) -> None:
    with world.database.write() as tx:
        made = service.create(tx, "New-Co", " New  Co ", "UTC", "nell@new.example", clock.now())
        nell = service.find_user(tx, "nell@new.example")
        other = service.create(tx, "other", "Other", "UTC", "nell@new.example", clock.now())
        assert accounts.list_roles(tx, made.id) == accounts.list_roles(tx, other.id) == {nell.id: Role.OWNER}
    assert (made.subdomain, made.name, made.time_zone, nell.verified) == ("new-co", "New Co", "UTC", True)


@pytest.mark.parametrize(
    ("subdomain", "name", "zone", "owner", "reason"),
    [
        ("acme", "Acme", "UTC", "ada@acme.example", "there is an account acme already"),
        ("a.b", "Acme", "UTC", "ada@acme.example", "a.b is not a subdomain"),
        ("new", "", "UTC", "ada@acme.example", "a name is empty"),
        ("new", "New", "Mars", "ada@acme.example", "Mars is not a time zone"),
        ("new", "New", "UTC", "nobody", "nobody is not an e-mail address"),
    ],
)
def test_what_cannot_be_an_account_is_refused(
    world: World, subdomain: str, name: str, zone: str, owner: str, reason: str
) -> None:
    with pytest.raises((Mistake, UnfitError), match=reason), world.database.write() as tx:
        service.create(tx, subdomain, name, zone, owner, clock.now())


def test_a_user_is_made_once(world: World) -> None:
    with world.database.write() as tx:
        made = service.create_user(tx, "nell@new.example", "Nell", clock.now(), verified=False)
        assert (made.name, made.verified) == ("Nell", False)
        with pytest.raises(Mistake, match=r"there is a user NELL@new\.example already"):
            service.create_user(tx, "NELL@new.example", "", clock.now(), verified=True)


def test_an_account_keeps_an_owner(world: World) -> None:
    with world.database.write() as tx:
        acme, ada, bob = service.find(tx, "acme"), service.find_user(tx, "ada@acme.example"), world.bob
        with pytest.raises(Mistake, match=r"ada@acme\.example is the last owner of acme"):
            service.set_role(tx, acme, ada, Role.MANAGER)
        service.set_role(tx, acme, service.find_user(tx, "bob@bright.example"), Role.OWNER)
        service.set_role(tx, acme, ada, Role.MANAGER)
        assert accounts.list_roles(tx, acme.id) == {world.ada: Role.MANAGER, bob: Role.OWNER}


def test_what_a_user_is_in_each_account(world: World) -> None:
    with world.database.read() as tx:
        places = service.places_of(tx, service.find_user(tx, "bob@bright.example"))
    assert list(places) == ["acme"]
    assert places["acme"].role is Role.MEMBER
    assert [team.name for team in places["acme"].teams] == ["Bright Roofing"]


def test_the_operator_acts_for_an_owner_else_a_manager_else_nobody(world: World) -> None:
    with world.database.write() as tx:
        acme = service.find(tx, "acme")
        assert service.acting(tx, acme) == Member(world.acme, world.ada)
        accounts.set_role(tx, acme.id, world.ada, Role.MEMBER)
        accounts.set_role(tx, acme.id, world.bob, Role.MANAGER)
        assert service.acting(tx, acme) == Member(world.acme, world.bob)
        accounts.set_role(tx, acme.id, world.bob, Role.MEMBER)
        with pytest.raises(Mistake, match="acme has no owner or manager to act for"):
            service.acting(tx, acme)
