from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import update

from ringback import clock
from ringback.domain.access import Role
from ringback.services import people
from ringback.store import access, accounts, teams
from ringback.store.people import LinkKind
from ringback.store.schema import links
from ringback.store.values import to_moment
from tests.console.deeds import told
from tests.console.visitor import PASSWORD, Visitor, visiting
from tests.live import Live

LINK = re.compile(r"http://localhost:\d+(/invitation/[0-9a-f]{48})")
DORA = "dora@bright.example"


def invite(visitor: Visitor, email: str = DORA, where: str = "/a/acme/company/teams/1", **form: str) -> str:
    """Add somebody, and read the link to hand over."""
    found = LINK.search(visitor.post(where, {"do": "add", "email": email, **form}).html)
    assert found is not None
    return found[1]


def user(live: Live, email: str = DORA) -> int:
    with live.world.database.read() as tx:
        found = accounts.find_user(tx, email)
    assert found is not None
    return found.id


def counts(live: Live, account: int, user_id: int) -> tuple[Role | None, int]:
    """The role and the number of teams that a user has in force."""
    with live.world.database.read() as tx:
        principal = access.find_member(tx, account, user_id).principal
    assert principal is not None
    return principal.role, len(principal.teams)


def squat(live: Live, charlie: Visitor, email: str = DORA) -> Visitor:
    """Let Charlie make a team, invite an address to it, and open the link himself."""
    charlie.post("/a/zeta/company/teams/new", {"name": "Trap"})
    link = invite(charlie, email, "/a/zeta/company/teams/1")
    squatter = visiting(live)
    squatter.get(link)
    squatter.post(link, {"name": "Not Dora", "password": PASSWORD})
    return squatter


def test_a_new_user_chooses_name_and_password_and_is_in(live: Live, ada: Visitor) -> None:
    link = invite(ada)
    assert counts(live, live.world.acme, user(live)) == (None, 0)
    dora = visiting(live)
    page = dora.get(link)
    assert "Acme Media invites you as dora@bright.example" in page
    page = dora.post(link, {"name": "Dora", "password": PASSWORD})
    assert page.path == "/a/acme/calls"
    assert counts(live, live.world.acme, user(live)) == (None, 1)
    assert "dora@bright.example Dora" in ada.get("/a/acme/company/teams/1")
    assert told(live, "invitation.accepted") == [("user dora@bright.example", {})]
    assert visiting(live).log_in(DORA).status != 401


def test_looking_spends_nothing_and_a_link_works_once(live: Live, ada: Visitor) -> None:
    link = invite(ada)
    dora = visiting(live)
    assert dora.get(link).status == dora.get(link).status == 200
    dora.post(link, {"name": "Dora", "password": PASSWORD})
    assert dora.get(link).status == 404
    assert "This link was used or has expired." in dora.post(link, {"name": "Eve", "password": PASSWORD})


def test_a_name_and_a_long_password_are_needed(live: Live, ada: Visitor) -> None:
    link = invite(ada)
    dora = visiting(live)
    dora.get(link)
    page = dora.post(link, {"name": "", "password": "short"})
    assert page.status == 422
    assert "A name is empty." in page
    assert "A password has 10 to 200 characters." in page
    assert dora.post(link, {"name": "Dora", "password": PASSWORD}).path == "/a/acme/calls"


def test_a_newer_link_replaces_the_older(live: Live, ada: Visitor) -> None:
    older, newer = invite(ada), invite(ada)
    dora = visiting(live)
    assert dora.get(older).status == 404
    assert dora.get(newer).status == 200


def test_a_link_ends_after_a_week_and_with_the_place_on_the_team(live: Live, ada: Visitor) -> None:
    link = invite(ada)
    ada.post("/a/acme/company/teams/1", {"remove": str(user(live))})
    assert visiting(live).get(link).status == 404
    link = invite(ada)
    with live.world.database.write() as tx:
        tx.execute(update(links).values(expires_at=to_moment(clock.now() - timedelta(seconds=1))))
    assert visiting(live).get(link).status == 404


def test_a_link_of_another_kind_is_no_invitation(live: Live) -> None:
    with live.world.database.write() as tx:
        people.make_link(tx, LinkKind.LOG_IN, "secret", now=clock.now(), user_id=live.world.bob)
        people.make_link(tx, LinkKind.INVITATION, "nobody's", now=clock.now())
    assert visiting(live).get("/invitation/secret").status == 404
    assert visiting(live).get("/invitation/nobody's").status == 404


def test_the_first_page_is_the_same_whether_the_address_is_known(live: Live, ada: Visitor) -> None:
    new, known = invite(ada), invite(ada, "charlie@zeta.example")
    pages = [
        re.sub(r'value="[0-9a-f]{64}"', "", visiting(live).get(link).html).replace(link, "") for link in (new, known)
    ]
    assert pages[0].replace(DORA, "") == pages[1].replace("charlie@zeta.example", "")


def test_a_link_never_sets_the_password_of_somebody_who_is_there(live: Live, ada: Visitor) -> None:
    link = invite(ada, "charlie@zeta.example")
    eve = visiting(live)
    eve.get(link)
    page = eve.post(link, {"name": "Eve", "password": "an entirely other one"})
    assert page.status == 422
    assert "log in first, then open it again" in page
    assert visiting(live).log_in("charlie@zeta.example", "an entirely other one").status == 401
    with live.world.database.write() as tx:
        fred = accounts.add_user(tx, "fred@acme.example", "Fred", clock.now(), verified=False)
        accounts.set_role(tx, live.world.zeta, fred, Role.OWNER)
    link = invite(ada, "fred@acme.example")
    page = eve.post(link, {"name": "Eve", "password": "an entirely other one"})
    assert page.status == 422, "who counts somewhere without a password gets none by a link of somebody else"


def test_somebody_who_is_there_logs_in_and_then_joins(ada: Visitor, charlie: Visitor) -> None:
    link = invite(ada, "charlie@zeta.example")
    charlie.log_out()
    page = charlie.get(link)
    assert f'href="/login?next={link}"' in page.html
    charlie.get(f"/login?next={link}")
    page = charlie.post("/login", {"email": "charlie@zeta.example", "password": PASSWORD, "next": link})
    assert page.path == link
    assert "Your name" not in page
    page = charlie.post(link)
    assert page.path == "/a/acme/calls"
    assert "charlie@zeta.example Charlie" in ada.get("/a/acme/company/teams/1")


def test_an_invitation_is_for_one_person(live: Live, ada: Visitor, bob: Visitor) -> None:
    link = invite(ada)
    page = bob.get(link)
    assert "You are logged in as bob@bright.example." in page
    page = bob.post(link, {"name": "Bob", "password": PASSWORD})
    assert page.status == 422
    assert "This invitation is for somebody else." in page
    assert counts(live, live.world.acme, user(live)) == (None, 0)


def test_who_has_proven_his_address_counts_at_once(live: Live, ada: Visitor, charlie: Visitor) -> None:
    invite(ada, "charlie@zeta.example")
    assert counts(live, live.world.acme, live.world.charlie) == (None, 1)
    assert "Acme Media" in charlie.get("/a/zeta/buyers")


def test_a_squatter_gets_nothing_in_another_company(live: Live, ada: Visitor, charlie: Visitor) -> None:
    squatter = squat(live, charlie)
    link = invite(ada)
    dora = user(live)
    assert counts(live, live.world.zeta, dora) == (None, 1)
    assert counts(live, live.world.acme, dora) == (None, 0)
    assert "Acme Media" not in squatter.get("/")
    assert squatter.get("/a/acme/calls").status == 404
    token = live.world.token(dora, live.world.zeta)
    call = live.world.call()
    live.world.grant(["revenue"])
    reply = live.update(call.uuid, {"revenue": "5"}, auth=token.authorization)
    assert reply.status == 403
    assert reply.json["code"] == "no_team"

    assert squatter.post(link).path == "/a/acme/calls", "until Acme's own link is opened by him"
    assert live.update(call.uuid, {"revenue": "5"}, auth=token.authorization).status == 200


def test_an_address_proven_later_lets_what_waited_count(live: Live, ada: Visitor) -> None:
    invite(ada)
    with live.world.database.write() as tx:
        accounts.change_user(tx, user(live), verified=True)
    assert counts(live, live.world.acme, user(live)) == (None, 1)


def test_who_has_joined_waits_for_no_further_team(live: Live, ada: Visitor) -> None:
    link = invite(ada)
    dora = visiting(live)
    dora.get(link)
    dora.post(link, {"name": "Dora", "password": PASSWORD})
    ada.post("/a/acme/company/teams/new", {"name": "Quality"})
    invite(ada, where="/a/acme/company/teams/2")
    assert counts(live, live.world.acme, user(live)) == (None, 2)


def test_a_role_waits_for_a_link_of_an_owner(live: Live, ada: Visitor, meg: Visitor) -> None:
    people_page = "/a/acme/company/people"
    of_owner = invite(ada, where=people_page, role="owner")
    dora = user(live)
    of_manager = invite(meg)
    impostor = visiting(live)
    impostor.get(of_manager)
    impostor.post(of_manager, {"name": "Not Dora", "password": PASSWORD})
    assert counts(live, live.world.acme, dora) == (None, 1), "a manager's link opens teams, not roles"
    assert impostor.get(people_page).status == 404
    invite(ada, where=f"{people_page}/{dora}", role="owner")
    assert counts(live, live.world.acme, dora) == (None, 1)
    assert impostor.get(of_owner).status == 404, "a newer link of the owner's replaced it"


def test_an_owner_joins_by_a_link_of_an_owner(live: Live, ada: Visitor) -> None:
    link = invite(ada, where="/a/acme/company/people", role="owner")
    dora = visiting(live)
    dora.get(link)
    dora.post(link, {"name": "Dora", "password": PASSWORD})
    assert counts(live, live.world.acme, user(live)) == (Role.OWNER, 0)
    assert dora.get("/a/acme/company/people").status == 200


def test_a_declared_team_leaves_waiting_places_as_they_are(live: Live, ada: Visitor) -> None:
    invite(ada)
    with live.world.database.write() as tx:
        teams.set_users(tx, live.world.acme, live.world.team, [live.world.bob, user(live)])
    assert counts(live, live.world.acme, user(live)) == (None, 0)


def test_who_is_slower_gets_nothing(live: Live, ada: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    link = invite(ada)
    dora = visiting(live)
    dora.get(link)
    monkeypatch.setattr("ringback.store.people.spend_link", lambda *_: False)
    page = dora.post(link, {"name": "Dora", "password": PASSWORD})
    assert page.status == 404
    assert "This link was used or has expired." in page
    assert visiting(live).log_in(DORA).status == 401, "what was done so far is undone"
