"""Teams, buyers, traffic sources and offers are deleted: after a question, while nothing would miss them."""

from __future__ import annotations

from functools import partial

import pytest
from sqlalchemy import insert

from ringback import clock, entropy
from ringback.domain.access import Role
from ringback.store import accounts, partners, teams
from ringback.store.sending_schema import postbacks
from tests.console.deeds import told
from tests.console.posting import post
from tests.console.visitor import Visitor, visiting
from tests.live import Live

TEAM = "/a/acme/company/teams/1"
PLACES = {"buyer": "/a/acme/buyers", "traffic_source": "/a/acme/traffic-sources", "offer": "/a/acme/offers"}


def add(live: Live, noun: str, name: str = "Never Used") -> int:
    with live.world.database.write() as tx:
        return partners.add(tx, live.world.acme, noun, name, entropy.new_id(), clock.now())


def is_there(live: Live, noun: str, number: int) -> bool:
    with live.world.database.read() as tx:
        return partners.find_row(tx, live.world.acme, noun, number) is not None


@pytest.mark.parametrize("noun", PLACES)
class TestAPartner:
    def test_that_nothing_refers_to_is_deleted_after_a_question(self, live: Live, ada: Visitor, noun: str) -> None:
        number = add(live, noun)
        url = f"{PLACES[noun]}/{number}"
        assert f'href="{url}/delete"' in ada.get(url).html
        page = ada.get(f"{url}/delete")
        assert "Delete Never Used?" in page
        assert is_there(live, noun, number)
        page = ada.post(f"{url}/delete")
        assert (page.path, "Never Used is deleted." in page) == (PLACES[noun], True)
        assert not is_there(live, noun, number)
        assert ada.get(url).status == ada.post(f"{url}/delete").status == 404
        ((subject, details),) = told(live, f"{noun}.deleted")
        assert (subject, details["before"]["name"]) == (f"{noun.replace('_', ' ')} Never Used", "Never Used")
        assert add(live, noun, "The Next") == number + 1

    def test_that_calls_belong_to_stays_and_says_why(self, live: Live, ada: Visitor, noun: str) -> None:
        number = add(live, noun)
        body = {"caller_number": "+17195550187", noun: "Never Used"}
        auth = live.world.ada_token.authorization
        assert live.request("POST", "/api/v1/calls", body=body, auth=auth).status == 201
        page = ada.get(f"{PLACES[noun]}/{number}/delete")
        assert "There are calls of this" in page
        assert "btn-danger" not in page.html
        page = ada.post(f"{PLACES[noun]}/{number}/delete")
        assert (page.status, "There are calls of this" in page) == (409, True)
        assert is_there(live, noun, number)
        assert told(live, f"{noun}.deleted") == []

    def test_that_calls_belong_to_is_archived_instead_and_brought_back(
        self, live: Live, ada: Visitor, noun: str
    ) -> None:
        number = add(live, noun)
        url = f"{PLACES[noun]}/{number}"
        body = {"caller_number": "+17195550187", noun: "Never Used"}
        record = partial(live.request, "POST", "/api/v1/calls", body=body, auth=live.world.ada_token.authorization)
        record()
        assert "Archived" not in ada.get(PLACES[noun])
        assert "It can be archived" in ada.get(f"{url}/delete")
        page = ada.post(f"{url}/archive", {"archived": "1"})
        assert (page.path, "Never Used is archived." in page, "Bring it back" in page) == (url, True, True)
        page = ada.get(PLACES[noun])
        assert ("Never Used" in page, f'href="{PLACES[noun]}?archived=1"' in page.html) == (False, True)
        assert "Never Used" in ada.get(f"{PLACES[noun]}?archived=1")
        assert "It can be archived" not in ada.get(f"{url}/delete")
        assert record().status == 201
        assert "Never Used" in ada.get(f"/a/acme/calls?{noun}=Never+Used")
        for _ in range(2):
            assert "Never Used is back." in ada.post(f"{url}/archive")
        assert "Never Used" in ada.get(PLACES[noun])
        for done in ("archived", "brought_back"):
            assert told(live, f"{noun}.{done}") == [(f"{noun.replace('_', ' ')} Never Used", {})]
        assert "Brought back" in ada.get("/a/acme/audit")

    def test_is_not_deleted_by_who_is_not_asked(self, live: Live, bob: Visitor, charlie: Visitor, noun: str) -> None:
        number = add(live, noun)
        for visitor in (bob, charlie):
            assert visitor.get(f"{PLACES[noun]}/{number}/delete").status == 404
            visitor.get("/login")
            for deed in ("delete", "archive"):
                assert visitor.post(f"{PLACES[noun]}/{number}/{deed}", {"archived": "1"}).status == 404
        assert is_there(live, noun, number)


def test_a_buyer_is_taken_from_the_teams_that_see_him(live: Live, ada: Visitor) -> None:
    number = add(live, "buyer")
    with live.world.database.write() as tx:
        teams.set_buyers(tx, live.world.acme, live.world.team, [live.world.bright, number])
    assert "These teams see it no more: Bright Roofing." in ada.get(f"/a/acme/buyers/{number}/delete")
    ada.post(f"/a/acme/buyers/{number}/delete")
    with live.world.database.read() as tx:
        team = teams.find(tx, live.world.acme, live.world.team)
    assert team is not None
    assert team.buyers == {live.world.bright}


def test_an_archived_buyer_is_offered_to_no_team_but_those_that_see_him(live: Live, ada: Visitor) -> None:
    assert "Bright Roofing" in ada.post("/a/acme/buyers/1/archive", {"archived": "1"})
    with live.world.database.write() as tx:
        other = teams.add(tx, live.world.acme, "Night Shift", clock.now())
    box = 'name="buyer" value="1" form="team"'
    assert f"{box} checked" in ada.get(TEAM).html
    assert box not in ada.get(f"/a/acme/company/teams/{other}").html


def test_a_list_of_what_is_archived_may_be_empty(ada: Visitor) -> None:
    assert "Nothing is archived" in ada.get("/a/acme/buyers?archived=1")


def test_a_buyer_whose_calls_postbacks_are_about_stays(live: Live, ada: Visitor) -> None:
    number = add(live, "buyer")
    made = {"id": 1, "uuid": entropy.new_id(), "name": "P", "name_key": "p", "trigger": "buyer_converted", "version": 1}
    whose = {"account_id": live.world.acme, "owner": "buyer", "owner_id": number, "definition": "{}"}
    with live.world.database.write() as tx:
        tx.execute(insert(postbacks).values(**made, **whose, created_at=0, updated_at=0))
    page = ada.post(f"/a/acme/buyers/{number}/delete")
    assert (page.status, "There are postbacks of this buyer" in page) == (409, True)


class TestATeam:
    def test_is_deleted_with_its_rights_after_saying_who_loses_what(self, live: Live, ada: Visitor) -> None:
        with live.world.database.write() as tx:
            other = teams.add(tx, live.world.acme, "Night Shift", clock.now())
            dora = accounts.add_user(tx, "dora@bright.example", "Dora", clock.now(), verified=True)
            teams.set_users(tx, live.world.acme, live.world.team, [live.world.bob, live.world.ada, dora])
            teams.set_users(tx, live.world.acme, other, [dora])
        assert f'href="{TEAM}/delete"' in ada.get(TEAM).html
        page = ada.get(f"{TEAM}/delete")
        for words in (
            "Update on Buyer Converted?, Buyer Revenue, TS Converted, TS Payout, Contact Fields.",
            "bob@bright.example has no access to Acme Media any more.",
            "ada@acme.example stays owner.",
            "dora@bright.example stays on Night Shift.",
        ):
            assert words in page, words
        page = ada.post(f"{TEAM}/delete")
        assert (page.path, "Team Bright Roofing is deleted." in page) == ("/a/acme/company/teams", True)
        assert ada.get(TEAM).status == 404
        ((subject, details),) = told(live, "team.deleted")
        assert (subject, details["before"]["buyers"]) == ("team Bright Roofing", ["Bright Roofing"])
        assert details["before"]["users"] == ["ada@acme.example", "bob@bright.example", "dora@bright.example"]
        with live.world.database.read() as tx:
            assert set(accounts.list_roles(tx, live.world.acme)) == {live.world.ada}
            assert [team.users for team in teams.list_teams(tx, live.world.acme)] == [{dora}]

    def test_leaves_what_waits_and_refuses_what_comes(self, live: Live, ada: Visitor) -> None:
        live.world.grant(["buyer_converted"])
        call = live.world.call()
        assert post(live, call)["code"] == "permission_denied"
        ada.post(f"{TEAM}/delete")
        assert post(live, live.world.call())["code"] == "no_team"
        page = ada.get("/a/acme/updates/waiting")
        assert "bob@bright.example is on no team" in page
        assert "2 updates wait" in page
        assert ada.get("/a/acme/updates").status == 200

    def test_without_users_goes_without_further_words(self, live: Live, ada: Visitor) -> None:
        with live.world.database.write() as tx:
            number = teams.add(tx, live.world.acme, "Night Shift", clock.now())
        assert "Nobody sits on this team." in ada.get(f"/a/acme/company/teams/{number}/delete")
        assert "is deleted" in ada.post(f"/a/acme/company/teams/{number}/delete")

    def test_of_his_own_is_not_deleted_by_a_manager(self, live: Live, ada: Visitor, meg: Visitor) -> None:
        with live.world.database.write() as tx:
            meg_id = accounts.find_user(tx, "meg@acme.example")
            assert meg_id is not None
            teams.set_users(tx, live.world.acme, live.world.team, [live.world.bob, meg_id.id])
        page = meg.get(f"{TEAM}/delete")
        assert "managers don't delete their own teams" in page
        assert meg.post(f"{TEAM}/delete").status == 403
        assert "is deleted" in ada.post(f"{TEAM}/delete")
        with live.world.database.read() as tx:
            assert accounts.list_roles(tx, live.world.acme)[meg_id.id] is Role.MANAGER

    def test_of_others_is_deleted_by_a_manager_but_not_by_its_users(
        self, live: Live, bob: Visitor, meg: Visitor
    ) -> None:
        assert bob.post(f"{TEAM}/delete").status == 404
        assert "is deleted" in meg.post(f"{TEAM}/delete")
        assert visiting(live, live.world.bob).get("/a/acme/calls").status == 404
