"""The settings of an account."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ringback.domain.errors import Refusal
from ringback.services import account_settings
from ringback.services.account_settings import SettingsForm
from ringback.store import accounts, audit
from ringback.store.access import Account
from tests.services.acting import actor
from tests.world import World

FORM = SettingsForm("Acme Media", "America/New_York", True, False, "60")  # noqa: FBT003 - as the columns stand


def account(world: World, subdomain: str = "acme") -> Account:
    with world.database.read() as tx:
        found = accounts.find_account(tx, subdomain)
    assert found is not None
    return found


def change(world: World, form: SettingsForm) -> bool:
    with world.database.write() as tx:
        return account_settings.change(tx, actor(tx, world.acme, world.ada), account(world), form)


def test_what_is_different_is_changed_and_noted(world: World) -> None:
    before = account(world, "zeta")
    form = SettingsForm(" Acme  Group ", "Europe/Berlin", False, True, "0")  # noqa: FBT003
    assert change(world, form)
    after = account(world)
    assert (after.name, after.time_zone) == ("Acme Group", "Europe/Berlin")
    assert (after.reads_auth_token, after.keeps_unknown_fields, after.retry_seconds) == (False, True, 0)
    assert account(world, "zeta") == before
    with world.database.read() as tx:
        (deed,) = audit.list_deeds(tx, world.acme, action="settings.changed")
    assert (deed.user, deed.subject) == ("ada@acme.example", "settings of Acme Media")
    assert deed.details["before"]["retry_seconds"] == 60
    assert deed.details["after"]["retry_seconds"] == 0


def test_nothing_is_noted_if_nothing_is_different(world: World) -> None:
    assert not change(world, FORM)
    with world.database.read() as tx:
        assert audit.list_deeds(tx, world.acme) == []


@pytest.mark.parametrize("seconds", ["", "-1", "86401", "1e3", "60.5", "²", "9" * 5000])
def test_seconds_are_a_number_of_them(world: World, seconds: str) -> None:
    with pytest.raises(Refusal, match=r"Write a number of seconds from 0 to 86400\."):
        change(world, replace(FORM, retry_seconds=seconds))
    assert change(world, replace(FORM, retry_seconds="86400"))


def test_everything_that_is_wrong_is_told_at_once(world: World) -> None:
    with pytest.raises(Refusal) as caught:
        change(world, SettingsForm("", "Mars", True, True, "x"))  # noqa: FBT003
    assert [problem.field for problem in caught.value.problems] == ["name", "time_zone", "retry_seconds"]
    assert account(world).time_zone == "America/New_York"
