from __future__ import annotations

import re

from ringback import clock, entropy
from ringback.store import partners, teams
from ringback.store.teams import TeamRow
from tests.console.deeds import told
from tests.console.visitor import Shown, Visitor
from tests.live import Live

ACCESS = "/a/acme/buyers/1/team-access"
EXISTING = "/a/acme/buyers/1/teams"
LINK = re.compile(r"http://localhost:\d+(/invitation/[0-9a-f]{48})")


def the_teams(live: Live) -> dict[str, TeamRow]:
    with live.world.database.read() as tx:
        return {team.name: team for team in teams.list_teams(tx, live.world.acme)}


def link_on(page: Shown) -> str:
    found = LINK.search(page.html)
    assert found is not None
    return found[1]


def without_what_differs(page: Shown, email: str) -> str:
    return LINK.sub("", page.html).replace(email, "").replace("Bright Roofing 2", "").replace("Bright Roofing 3", "")


def test_a_team_is_made_for_the_buyer_alone(live: Live, ada: Visitor) -> None:
    page = ada.post(ACCESS, {"email": " Dora@Bright.example "})
    assert page.status == 200
    assert link_on(page)
    assert "Turn on Enable Developer API Access and grant Update on Buyer Converted?" in page
    assert "Edit team Bright Roofing 2" in page
    team = the_teams(live)["Bright Roofing 2"]
    assert team.buyers == {live.world.bright}
    assert len(team.users) == 1
    assert (team.every_buyer, team.developer_api, team.records_calls, team.rights) == (False, False, False, {})
    assert told(live, "team.made") == [
        ("team Bright Roofing 2", {"buyers": ["Bright Roofing"], "users": ["Dora@Bright.example"]})
    ]


def test_the_team_of_a_new_buyer_has_its_name(live: Live, ada: Visitor) -> None:
    with live.world.database.write() as tx:
        partners.add(tx, live.world.acme, "buyer", "Clear Windows", entropy.new_id(), clock.now())
    ada.post("/a/acme/buyers/2/team-access", {"email": "dora@clear.example"})
    assert the_teams(live)["Clear Windows"].buyers == {2}


def test_a_team_that_is_there_is_shown_rather_than_doubled(live: Live, ada: Visitor) -> None:
    page = ada.post(ACCESS, {"email": "bob@bright.example"})
    assert "Team Bright Roofing is there already" in page
    assert "has rights already" in page
    assert link_on(page)
    assert list(the_teams(live)) == ["Bright Roofing"]


def test_a_team_that_sees_more_is_not_narrowed(live: Live, ada: Visitor) -> None:
    with live.world.database.write() as tx:
        other = partners.add(tx, live.world.acme, "buyer", "Clear Windows", entropy.new_id(), clock.now())
        teams.set_buyers(tx, live.world.acme, live.world.team, [live.world.bright, other])
    ada.post(ACCESS, {"email": "bob@bright.example"})
    found = the_teams(live)
    assert found["Bright Roofing"].buyers == {live.world.bright, other}
    assert found["Bright Roofing 2"].buyers == {live.world.bright}
    assert found["Bright Roofing 2"].users == {live.world.bob}


def test_the_page_doesn_t_tell_whether_an_address_is_known_elsewhere(ada: Visitor) -> None:
    ada.get("/a/acme/buyers/1")
    new = ada.post(ACCESS, {"email": "nobody@nowhere.example"})
    known = ada.post(ACCESS, {"email": "charlie@zeta.example"})
    assert without_what_differs(new, "nobody@nowhere.example").replace("/2", "/3") == without_what_differs(
        known, "charlie@zeta.example"
    ).replace("/2", "/3")
    new_team, known_team = (ada.get(f"/a/acme/company/teams/{number}").text for number in (2, 3))
    assert "nobody@nowhere.example invited, link not opened yet" in new_team
    assert "charlie@zeta.example invited, link not opened yet" in known_team


def test_what_is_no_address_is_said_at_the_field(live: Live, ada: Visitor) -> None:
    page = ada.post(ACCESS, {"email": "not an address"})
    assert page.status == 422
    assert "not an address is not an e-mail address." in page
    assert 'value="not an address"' in page.html
    assert list(the_teams(live)) == ["Bright Roofing"]


def test_a_team_that_is_there_is_added(live: Live, ada: Visitor) -> None:
    with live.world.database.write() as tx:
        quality = teams.add(tx, live.world.acme, "Quality", clock.now())
        everyone = teams.add(tx, live.world.acme, "Everyone", clock.now())
        teams.change(tx, live.world.acme, everyone, every_buyer=True)
    page = ada.get("/a/acme/buyers/1")
    assert f'<option value="{quality}">Quality' in page.html
    assert f'<option value="{everyone}">' not in page.html
    assert "Everyone sees every buyer" in page
    for _ in range(2):
        page = ada.post(EXISTING, {"team": str(quality)})
        assert "Team Quality sees the calls of Bright Roofing now." in page
    assert the_teams(live)["Quality"].buyers == {live.world.bright}
    assert told(live, "team.buyer_added") == [("team Quality", {"buyer": "Bright Roofing"})]


def test_a_team_that_isn_t_there_is_not_added(ada: Visitor) -> None:
    for team in ("99", "", "x", "9" * 30):
        assert ada.post(EXISTING, {"team": team}).status == 404


def test_a_buyer_without_teams_says_so(live: Live, ada: Visitor) -> None:
    with live.world.database.write() as tx:
        partners.add(tx, live.world.acme, "buyer", "Clear Windows", entropy.new_id(), clock.now())
    assert "No team sees this buyer's calls yet" in ada.get("/a/acme/buyers/2")


def test_a_manager_may_do_it_too(live: Live, meg: Visitor) -> None:
    assert link_on(meg.post(ACCESS, {"email": "dora@bright.example"}))
    assert "Bright Roofing 2" in the_teams(live)
