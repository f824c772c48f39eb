from __future__ import annotations

from collections.abc import Mapping

import pytest

from ringback import clock, entropy
from ringback.domain.access import Level
from ringback.domain.attributes import ATTRIBUTES
from ringback.store import partners, teams
from ringback.store.teams import TeamRow
from tests.console.deeds import told
from tests.console.visitor import Form, Visitor
from tests.live import Live

TEAMS = "/a/acme/company/teams"
TEAM = f"{TEAMS}/1"
AS_IT_IS: Mapping[str, str] = {
    "name": "Bright Roofing",
    "developer_api": "1",
    "sees": "these",
    "buyer": "1",
    "grants": "1",
}
"""What the page of Bob's team sends if nothing was touched; the rights stand as they are."""


def team(live: Live, number: int | None = None) -> TeamRow:
    with live.world.database.read() as tx:
        found = teams.find(tx, live.world.acme, number or live.world.team)
    assert found is not None
    return found


def changed(**fields: str | list[str]) -> Form:
    return {name: value for name, value in {**AS_IT_IS, **fields}.items() if value}


def put_meg_on(live: Live, number: int) -> None:
    with live.world.database.write() as tx:
        meg = 4
        teams.set_users(tx, live.world.acme, number, [live.world.bob, meg])


def test_the_list_says_what_each_team_sees_and_may(live: Live, ada: Visitor) -> None:
    with live.world.database.write() as tx:
        number = teams.add(tx, live.world.acme, "Quality", clock.now())
        teams.change(tx, live.world.acme, number, every_buyer=True)
        teams.set_rights(tx, live.world.acme, number, {"revenue": Level.READ})
    page = ada.get(TEAMS)
    assert "Bright Roofing on 1 buyer 5 attributes 1" in page
    assert "Quality off every buyer nothing, may read 1 0" in page
    assert "Quality" not in ada.get(f"{TEAMS}?q=bright")
    assert "No team has “xyz” in its name." in ada.get(f"{TEAMS}?q=xyz")


def test_the_list_is_paged_by_name(live: Live, ada: Visitor) -> None:
    with live.world.database.write() as tx:
        for number in range(55):
            teams.add(tx, live.world.acme, f"Team {number:03}", clock.now())
    page = ada.get(TEAMS)
    assert "Team 048" in page
    assert "Team 049" not in page
    assert "Team 049" in ada.get(f"{TEAMS}?after=team+048")


def test_an_empty_list_leads_to_the_buyers(charlie: Visitor) -> None:
    page = charlie.get("/a/zeta/company/teams")
    assert "A team is who may post back." in page


def test_a_new_team_may_do_nothing(live: Live, ada: Visitor) -> None:
    assert ada.get(f"{TEAMS}/new").status == 200
    page = ada.post(f"{TEAMS}/new", {"name": "Quality"})
    assert page.path == f"{TEAMS}/2"
    made = team(live, 2)
    assert (made.name, made.every_buyer, made.developer_api, made.rights) == ("Quality", False, False, {})
    assert told(live, "team.made") == [("team Quality", {})]


@pytest.mark.parametrize(
    ("name", "complaint"),
    [("", "A name is empty."), ("bright ROOFING", "There is a team of this name already.")],
)
def test_a_team_needs_a_name_of_its_own(ada: Visitor, name: str, complaint: str) -> None:
    page = ada.post(f"{TEAMS}/new", {"name": name})
    assert page.status == 422
    assert complaint in page
    ada.post(f"{TEAMS}/new", {"name": "Quality"})
    page = ada.post(f"{TEAMS}/2", changed(name=name))
    assert page.status == 422
    assert complaint in page


def test_the_page_follows_the_guide(ada: Visitor) -> None:
    page = ada.get(TEAM)
    for words in ("Users", "Enable Developer API Access", "Buyers", "Calls", "Record calls"):
        assert words in page
    for attribute in ATTRIBUTES:
        for level in ("None", "Read", "Update"):
            assert f"{level} on {attribute.label}" in page
    assert "bob@bright.example Bob" in page


def test_saving_says_exactly_what_changed(live: Live, ada: Visitor) -> None:
    page = ada.post(TEAM, changed(developer_api="", records_calls="1", **{"right-revenue": "read"}))
    assert page.path == TEAM
    assert "Saved: Enable Developer API Access turned off; Record calls turned on; " in page
    assert "Update on Buyer Revenue removed, Read left." in page
    now = team(live)
    assert (now.developer_api, now.records_calls, now.rights["revenue"]) == (False, True, Level.READ)
    assert told(live, "team.changed") == [
        (
            "team Bright Roofing",
            {
                "before": {
                    "developer_api": True,
                    "records_calls": False,
                    "rights": {attribute.name: "update" for attribute in ATTRIBUTES},
                },
                "after": {
                    "developer_api": False,
                    "records_calls": True,
                    "rights": {**{attribute.name: "update" for attribute in ATTRIBUTES}, "revenue": "read"},
                },
            },
        )
    ]


def test_nothing_different_says_so(live: Live, ada: Visitor) -> None:
    assert "Nothing was different." in ada.post(TEAM, AS_IT_IS)
    assert told(live, "team.changed") == []


def test_a_team_is_renamed(live: Live, ada: Visitor) -> None:
    assert "Saved: renamed to Brighter." in ada.post(TEAM, changed(name="Brighter"))
    assert "Saved: renamed to BRIGHTER." in ada.post(TEAM, changed(name="BRIGHTER"))
    assert team(live).name == "BRIGHTER"


def test_a_team_sees_these_buyers_or_every_one(live: Live, ada: Visitor) -> None:
    with live.world.database.write() as tx:
        other = partners.add(tx, live.world.acme, "buyer", "Clear Windows", entropy.new_id(), clock.now())
    page = ada.post(TEAM, changed(buyer=[str(other), "99", "x"]))
    assert "buyer Clear Windows added; buyer Bright Roofing removed" in page
    assert team(live).buyers == {other}
    assert "every buyer shown" in ada.post(TEAM, changed(sees="every", buyer=""))
    assert team(live).every_buyer
    assert team(live).buyers == {other}, "kept for when it is limited again"
    assert "limited to its buyers" in ada.post(TEAM, changed(buyer=str(other)))


def test_what_would_change_is_shown_before_it_is_saved(live: Live, ada: Visitor) -> None:
    live.world.grant({})
    page = ada.post(TEAM, changed(do="postback"))
    assert "Not saved yet" in page
    labels = ", ".join(attribute.label for attribute in ATTRIBUTES)
    assert f"Update on {labels} added" in page
    assert page.html.count('value="update" form="team" checked') == 5
    assert team(live).rights == {}
    page = ada.post(TEAM, changed(do="review"))
    assert "Nothing is different from what is saved." in page
    assert told(live, "team.changed") == []


def test_many_changes_are_cut_in_the_message(live: Live, ada: Visitor) -> None:
    with live.world.database.write() as tx:
        added = [
            partners.add(tx, live.world.acme, "buyer", f"Buyer {number}", entropy.new_id(), clock.now())
            for number in range(15)
        ]
    page = ada.post(TEAM, changed(buyer=["1", *map(str, added)]))
    assert "buyer Buyer 11 added; and 3 more." in page
    assert len(team(live).buyers) == 16


def test_a_team_with_many_buyers_leads_to_their_pages(live: Live, ada: Visitor) -> None:
    with live.world.database.write() as tx:
        added = [
            partners.add(tx, live.world.acme, "buyer", f"Buyer {number:03}", entropy.new_id(), clock.now())
            for number in range(301)
        ]
        teams.set_buyers(tx, live.world.acme, live.world.team, added[-1:])
    page = ada.get(TEAM)
    assert "There are more buyers than are shown here" in page
    assert "Buyer 300" in page, "what the team has is always shown"


def test_a_manager_doesn_t_change_the_rights_of_his_own_team(live: Live, meg: Visitor) -> None:
    put_meg_on(live, live.world.team)
    page = meg.get(TEAM)
    assert "managers don't change the rights of their own teams" in page
    assert "Preset: Postback" not in page
    mine = {name: value for name, value in AS_IT_IS.items() if name != "grants"}
    assert "Saved: renamed to Brighter." in meg.post(TEAM, {**mine, "name": "Brighter"})
    assert meg.post(TEAM, changed(**{"right-revenue": "none"})).status == 403
    assert meg.post(TEAM, changed(name="Worse", records_calls="1")).status == 403
    assert team(live).rights["revenue"] is Level.UPDATE
    assert team(live).name == "Brighter", "a refusal leaves nothing behind"


def test_a_manager_changes_the_rights_of_other_teams(live: Live, meg: Visitor) -> None:
    assert "Read left" in meg.post(TEAM, changed(**{"right-revenue": "read"}))
    assert team(live).rights["revenue"] is Level.READ


def test_an_owner_changes_the_rights_of_his_own_team(live: Live, ada: Visitor) -> None:
    with live.world.database.write() as tx:
        teams.set_users(tx, live.world.acme, live.world.team, [live.world.ada])
    assert "Read left" in ada.post(TEAM, changed(**{"right-revenue": "read"}))


def test_users_are_added_and_removed(live: Live, ada: Visitor) -> None:
    page = ada.post(TEAM, changed(do="add", email="dora@bright.example"))
    assert page.path == TEAM
    assert "dora@bright.example is on team Bright Roofing. Give this link to dora@bright.example" in page
    assert "dora@bright.example invited, link not opened yet" in page
    ada.post(TEAM, changed(do="add", email="DORA@bright.example"))
    assert len(team(live).users) == 2
    assert told(live, "team.user_added") == [("team Bright Roofing", {"user": "dora@bright.example"})]

    page = ada.post(TEAM, changed(remove=str(live.world.bob)))
    assert "bob@bright.example is not on the team any more." in page
    assert live.world.bob not in team(live).users
    assert told(live, "team.user_removed") == [("team Bright Roofing", {"user": "bob@bright.example"})]
    assert "was not on the team any more" in ada.post(TEAM, changed(remove=str(live.world.bob)))


@pytest.mark.parametrize("deed", [{"do": "add", "email": "dora@bright.example"}, {"remove": "2"}, {"remove": "x"}])
def test_what_was_typed_beside_is_neither_saved_nor_lost(live: Live, ada: Visitor, deed: dict[str, str]) -> None:
    typed = {"name": "Brighter", "developer_api": "", "sees": "every", "right-revenue": "none", **deed}
    page = ada.post(TEAM, changed(**typed))
    assert page.status == 200
    for what in ("Renamed to Brighter", "Every buyer shown", "Enable Developer API Access turned off"):
        assert what in page
    for mark in ('value="Brighter"', 'name="sees" value="every" form="team" checked'):
        assert mark in page.html
    assert 'name="right-revenue" value="none" form="team" checked' in page.html
    assert told(live, "team.changed") == []
    now = team(live)
    assert (now.name, now.developer_api, now.every_buyer) == ("Bright Roofing", True, False)
    assert now.rights["revenue"] is Level.UPDATE


def test_a_name_that_can_t_be_saved_doesn_t_keep_a_user_off_the_team(live: Live, ada: Visitor) -> None:
    page = ada.post(TEAM, {**AS_IT_IS, "name": " ", "do": "add", "email": "dora@bright.example"})
    assert (page.status, "What you change takes effect when you save." in page) == (200, True)
    assert len(team(live).users) == 2


def test_an_address_that_was_typed_is_saved_with_the_rest(live: Live, ada: Visitor) -> None:
    page = ada.post(TEAM, changed(name="Brighter", email="dora@bright.example"))
    for words in ("Saved: renamed to Brighter.", "dora@bright.example is on team Brighter. Give this link"):
        assert words in page
    assert (team(live).name, len(team(live).users)) == ("Brighter", 2)
    page = ada.post(TEAM, changed(name="Brightest", email="bob@"))
    assert (page.status, "bob@ is not an e-mail address." in page, 'value="bob@"' in page.html) == (422, True, True)
    assert team(live).name == "Brighter", "all of it or nothing"


def test_a_manager_who_joins_a_team_can_t_change_its_rights_any_more(ada: Visitor, meg: Visitor) -> None:
    assert ada.get(TEAM).status == 200
    page = meg.post(TEAM, changed(do="add", email="meg@acme.example"))
    assert "managers don't change the rights of their own teams" in page


def test_who_is_on_no_team_any_more_is_out(ada: Visitor, bob: Visitor, live: Live) -> None:
    assert bob.get("/").path != "/"
    ada.post(TEAM, changed(remove=str(live.world.bob)))
    assert "No company yet" in bob.get("/")


def test_what_is_no_address_is_said_at_the_field(ada: Visitor) -> None:
    page = ada.post(TEAM, changed(do="add", email="bob@"))
    assert page.status == 422
    assert "bob@ is not an e-mail address." in page


def test_only_who_runs_the_account_sees_and_changes_teams(live: Live, bob: Visitor, charlie: Visitor) -> None:
    for visitor in (bob, charlie):
        for path in (TEAMS, f"{TEAMS}/new", TEAM):
            assert visitor.get(path).status == 404
        for path in (f"{TEAMS}/new", TEAM):
            for deed in ({}, {"do": "add"}, {"remove": str(live.world.bob)}):
                assert visitor.post(path, changed(email="me@mine.example", **deed)).status == 404
    assert team(live).users == {live.world.bob}


def test_a_team_of_another_company_is_not_there(charlie: Visitor) -> None:
    assert charlie.get("/a/zeta/company/teams/1").status == 404
    assert charlie.post("/a/zeta/company/teams/1", AS_IT_IS).status == 404
    assert charlie.post("/a/zeta/company/teams/1", {"do": "add", "email": "charlie@zeta.example"}).status == 404
