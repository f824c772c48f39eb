from __future__ import annotations

from ringback import clock
from ringback.domain.access import Role
from ringback.store import accounts
from ringback.store.memberships import list_people
from tests.console.deeds import told
from tests.console.visitor import Visitor
from tests.live import Live

PEOPLE = "/a/acme/company/people"


def roles(live: Live) -> dict[str, Role | None]:
    with live.world.database.read() as tx:
        return {person.email: person.role for person in list_people(tx, live.world.acme)}


def test_everybody_is_listed_with_role_and_teams(ada: Visitor, meg: Visitor) -> None:
    page = ada.get(PEOPLE)
    assert "ada@acme.example (you) Ada" in page
    assert "bob@bright.example Bob" in page
    assert 'href="/a/acme/company/teams/1"' in page.html
    assert "charlie@zeta.example" not in page
    page = meg.get(PEOPLE)
    assert "ada@acme.example Ada Owner none" in page
    assert "bob@bright.example Bob Member Bright Roofing" in page
    assert "Change" not in page
    assert "Remove" not in page


def test_an_owner_makes_a_manager(live: Live, ada: Visitor) -> None:
    page = ada.post(PEOPLE, {"email": "nora@acme.example", "role": "manager"})
    assert "nora@acme.example is manager of Acme Media." in page
    assert "Give this link to nora@acme.example" in page
    assert roles(live)["nora@acme.example"] is Role.MANAGER
    assert told(live, "person.role") == [
        ("user nora@acme.example", {"before": {"role": None}, "after": {"role": "manager"}})
    ]
    assert "invited, link not opened yet" in ada.get(PEOPLE)


def test_a_role_is_changed(live: Live, ada: Visitor, meg: Visitor) -> None:
    assert meg.get(PEOPLE).status == 200
    assert "meg@acme.example is owner now." in ada.post(f"{PEOPLE}/4", {"role": "owner"})
    assert roles(live)["meg@acme.example"] is Role.OWNER
    assert told(live, "person.role") == [
        ("user meg@acme.example", {"before": {"role": "manager"}, "after": {"role": "owner"}})
    ]
    assert "ada@acme.example is member now." in ada.post(f"{PEOPLE}/{live.world.ada}", {"role": "member"})
    assert ada.get(PEOPLE).status == 404


def test_who_is_only_on_teams_gets_a_link_with_a_role(live: Live, ada: Visitor) -> None:
    with live.world.database.write() as tx:
        dora = accounts.add_user(tx, "dora@bright.example", "Dora", clock.now(), verified=True)
    ada.post("/a/acme/company/teams/1", {"do": "add", "email": "dora@bright.example"})
    assert "Give this link to dora@bright.example" in ada.post(f"{PEOPLE}/{dora}", {"role": "manager"})
    assert roles(live)["dora@bright.example"] is Role.MANAGER


def test_the_last_owner_stays(live: Live, ada: Visitor) -> None:
    ada.post(PEOPLE, {"email": "heir@acme.example", "role": "owner"})
    for path, form in (
        (f"{PEOPLE}/{live.world.ada}", {"role": "manager"}),
        (f"{PEOPLE}/{live.world.ada}/remove", {}),
        (PEOPLE, {"email": "ada@acme.example", "role": "manager"}),
    ):
        page = ada.post(path, form)
        assert page.status == 422
        assert "would be left without an owner" in page
    assert roles(live)["ada@acme.example"] is Role.OWNER, "an heir who hasn't come yet is no owner"


def test_a_person_is_removed_with_his_teams(live: Live, ada: Visitor, bob: Visitor) -> None:
    assert bob.get("/a/acme/company/teams").status == 404
    page = ada.post(f"{PEOPLE}/{live.world.bob}/remove")
    assert "bob@bright.example has no access to Acme Media any more." in page
    assert "bob@bright.example" not in roles(live)
    assert told(live, "person.removed") == [
        ("user bob@bright.example", {"before": {"role": "member", "teams": ["Bright Roofing"]}})
    ]
    assert "No company yet" in bob.get("/")


def test_somebody_of_another_company_is_nobody_here(live: Live, ada: Visitor) -> None:
    for path in (f"{PEOPLE}/{live.world.charlie}", f"{PEOPLE}/{live.world.charlie}/remove", f"{PEOPLE}/x"):
        assert ada.post(path, {"role": "owner"}).status == 404


def test_an_unknown_role_is_member(live: Live, ada: Visitor, meg: Visitor) -> None:
    assert meg.get(PEOPLE).status == 200
    ada.post(f"{PEOPLE}/4", {"role": "emperor"})
    assert roles(live)["meg@acme.example"] is Role.MEMBER


def test_what_is_no_address_is_said(ada: Visitor) -> None:
    page = ada.post(PEOPLE, {"email": "nobody", "role": "owner"})
    assert page.status == 422
    assert "nobody is not an e-mail address." in page


def test_the_list_is_paged_by_address(live: Live, ada: Visitor) -> None:
    with live.world.database.write() as tx:
        for number in range(55):
            user = accounts.add_user(tx, f"p{number:02}@acme.example", "", clock.now(), verified=True)
            accounts.set_role(tx, live.world.acme, user, Role.MANAGER)
    page = ada.get(PEOPLE)
    assert "p47@acme.example" in page
    assert "p48@acme.example" not in page
    assert "after=p47%40acme.example" in page.html
    assert "p54@acme.example" in ada.get(f"{PEOPLE}?after=p47%40acme.example")


def test_only_owners_change_people(live: Live, meg: Visitor, bob: Visitor, charlie: Visitor) -> None:
    assert bob.get(PEOPLE).status == 404
    assert charlie.get(PEOPLE).status == 404
    for visitor in (meg, bob, charlie):
        for path in (PEOPLE, f"{PEOPLE}/{live.world.bob}", f"{PEOPLE}/{live.world.bob}/remove"):
            assert visitor.post(path, {"email": "me@mine.example", "role": "owner"}).status == 404
    assert roles(live)["bob@bright.example"] is Role.MEMBER
