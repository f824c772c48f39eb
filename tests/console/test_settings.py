"""Settings: what an owner sets for the whole company."""

from __future__ import annotations

from ringback.store import accounts
from ringback.store.access import Account
from tests.console.deeds import told
from tests.console.visitor import Visitor
from tests.live import Live

SETTINGS = "/a/acme/settings"
FORM = {"name": "Acme Media", "time_zone": "America/New_York", "reads_auth_token": "1", "retry_seconds": "60"}


def acme(live: Live) -> Account:
    with live.world.database.read() as tx:
        found = accounts.find_account(tx, "acme")
    assert found is not None
    return found


def test_they_are_shown_as_they_are(ada: Visitor) -> None:
    page = ada.get(SETTINGS)
    assert 'value="Acme Media"' in page.html
    assert '<option value="America/New_York" selected>America/New York</option>' in page.html
    assert "Subdomain acme Currency USD" in page
    assert 'name="reads_auth_token" value="1" checked' in page.html
    assert 'name="keeps_unknown_fields" value="1" checked' not in page.html


def test_how_long_things_are_kept_is_told(ada: Visitor) -> None:
    page = ada.get(SETTINGS)
    assert "Calls, conversions and amounts, and every change of them for ever" in page
    assert "What arrived with updates: sender's address, path and body 400 days" in page
    assert "Traces of wrong credentials, the newest 1,000 of an account at most 30 days" in page
    assert "The audit log for ever" in page


def test_they_are_changed_and_noted(live: Live, ada: Visitor) -> None:
    wanted = {"name": "Acme Group", "time_zone": "Europe/Berlin", "keeps_unknown_fields": "1", "retry_seconds": "5"}
    page = ada.post(SETTINGS, wanted)
    assert "Saved." in page
    assert "Acme Group" in page
    after = acme(live)
    assert (after.name, after.time_zone, after.retry_seconds) == ("Acme Group", "Europe/Berlin", 5)
    assert (after.reads_auth_token, after.keeps_unknown_fields) == (False, True)
    ((subject, details),) = told(live, "settings.changed")
    assert subject == "settings of Acme Media"
    assert details["before"]["name"] == "Acme Media"
    assert details["after"] == {
        "name": "Acme Group",
        "time_zone": "Europe/Berlin",
        "reads_auth_token": False,
        "keeps_unknown_fields": True,
        "retry_seconds": 5,
    }
    assert "Nothing was different." in ada.post(SETTINGS, wanted)
    assert len(told(live, "settings.changed")) == 1


def test_they_count_at_once(live: Live, ada: Visitor) -> None:
    call, token = live.world.call(), live.world.bob_developer_token.token
    body = {"add_revenue": "1"}
    ada.post(SETTINGS, {**FORM, "retry_seconds": "0"})
    for total in ("1.00", "2.00"):
        answer = live.update(call.uuid, body, auth=live.world.bob_token.authorization).json
        assert answer["changed"]["revenue"]["to"] == total
    assert live.update(f"{call.uuid}?auth_token={token}", body).status == 200
    ada.post(SETTINGS, {**FORM, "reads_auth_token": ""})
    assert live.update(f"{call.uuid}?auth_token={token}", body).json["code"] == "auth_token_off"


def test_what_is_wrong_is_told_and_what_was_typed_is_kept(live: Live, ada: Visitor) -> None:
    page = ada.post(SETTINGS, {**FORM, "name": "Other", "time_zone": "Mars/Crater", "retry_seconds": "soon"})
    assert page.status == 422
    assert 'value="Other"' in page.html
    assert '<option value="Mars/Crater" selected>' in page.html
    assert "Write a number of seconds from 0 to 86400." in page
    assert acme(live).name == "Acme Media"
    assert told(live, "settings.changed") == []


def test_only_owners_see_or_change_them(live: Live, meg: Visitor, bob: Visitor, charlie: Visitor) -> None:
    for visitor in (meg, bob, charlie):
        assert visitor.get(SETTINGS).status == 404
        assert visitor.post(SETTINGS, {**FORM, "name": "Hers"}).status == 404
    assert ">Settings</span>" not in meg.get("/a/acme/audit").html
    assert acme(live).name == "Acme Media"
