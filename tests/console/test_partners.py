from __future__ import annotations

from collections.abc import Mapping

import pytest

from ringback import clock, entropy
from ringback.store import partners
from tests.console.deeds import told
from tests.console.visitor import Visitor, visiting
from tests.live import Live

BUYERS, SOURCES, OFFERS = "/a/acme/buyers", "/a/acme/traffic-sources", "/a/acme/offers"


def kept(live: Live, noun: str, name: str) -> Mapping[str, object]:
    with live.world.database.read() as tx:
        return next(row for row in partners.list_partners(tx, live.world.acme, noun) if row["name"] == name)


def fill(live: Live, noun: str, names: list[str]) -> None:
    with live.world.database.write() as tx:
        for name in names:
            partners.add(tx, live.world.acme, noun, name, entropy.new_id(), clock.now())


@pytest.mark.parametrize(
    ("path", "heading", "lesson"),
    [
        (SOURCES, "Traffic Sources", "A traffic source (TS) sends calls"),
        (OFFERS, "Offers", "An offer is the campaign that calls belong to"),
    ],
)
def test_an_empty_list_teaches(charlie: Visitor, path: str, heading: str, lesson: str) -> None:
    page = charlie.get(path.replace("acme", "zeta"))
    assert page.status == 200
    assert heading in page
    assert lesson in page


def test_a_buyer_is_made_and_changed(live: Live, ada: Visitor) -> None:
    page = ada.post(
        f"{BUYERS}/new", {"name": "  Clear   Windows ", "email": "ops@clear.example", "agreed_revenue": "$1,250.5"}
    )
    assert page.path == f"{BUYERS}/2"
    assert "Buyer Clear Windows was made." in page
    assert 'value="1250.50"' in page.html
    assert kept(live, "buyer", "Clear Windows")["agreed_revenue"] == 1_250_500_000

    page = ada.post(f"{BUYERS}/2", {"name": "Clearer Windows", "email": "", "agreed_revenue": "40"})
    assert "Saved." in page
    row = kept(live, "buyer", "Clearer Windows")
    assert (row["email"], row["agreed_revenue"], row["name_key"]) == (None, 40_000_000, "clearer windows")
    made, changed = told(live, "buyer.made"), told(live, "buyer.changed")
    assert made == [
        (
            "buyer Clear Windows",
            {
                "before": {"name": None, "email": None, "agreed_revenue": None},
                "after": {"name": "Clear Windows", "email": "ops@clear.example", "agreed_revenue": "1250.50"},
            },
        )
    ]
    assert changed[0][1]["before"] == {
        "name": "Clear Windows",
        "email": "ops@clear.example",
        "agreed_revenue": "1250.50",
    }
    assert changed[0][1]["after"] == {"name": "Clearer Windows", "email": "", "agreed_revenue": "40.00"}


def test_what_is_not_different_leaves_no_line(live: Live, ada: Visitor) -> None:
    page = ada.post(f"{BUYERS}/1", {"name": "Bright Roofing", "email": "", "agreed_revenue": "42"})
    assert "Nothing was different." in page
    assert told(live, "buyer.changed") == []


@pytest.mark.parametrize(
    ("form", "complaint"),
    [
        ({"name": ""}, "A name is empty."),
        ({"name": "BRIGHT  roofing"}, "There is a buyer of this name already."),
        ({"name": "New", "agreed_revenue": "1.250,00"}, "is ambiguous"),
        ({"name": "New", "agreed_revenue": "-5"}, "-5 is negative."),
        ({"name": "New", "email": "nobody"}, "nobody is not an e-mail address."),
    ],
)
def test_what_can_t_be_taken_is_said_at_its_field(
    live: Live, ada: Visitor, form: Mapping[str, str], complaint: str
) -> None:
    page = ada.post(f"{BUYERS}/new", form)
    assert page.status == 422
    assert complaint in page
    assert 'aria-invalid="true"' in page.html
    with live.world.database.read() as tx:
        assert len(partners.list_partners(tx, live.world.acme, "buyer")) == 1


def test_what_was_typed_stays_when_it_is_refused(ada: Visitor) -> None:
    page = ada.post(f"{BUYERS}/1", {"name": "Bright & <b>", "email": "x", "agreed_revenue": "a lot"})
    assert page.status == 422
    assert 'value="Bright &amp; &lt;b&gt;"' in page.html
    assert 'value="a lot"' in page.html


@pytest.mark.parametrize(
    ("typed", "stored", "shown"),
    [
        ({"payout_rule": "none", "payout": "9"}, None, 'value="none" selected'),
        ({"payout_rule": "fixed", "payout": "9"}, "9.00", 'value="fixed" selected'),
        ({"payout_rule": "percent", "payout": "60"}, "60%", 'value="percent" selected'),
        ({"payout_rule": "percent", "payout": "12.5 %"}, "12.5%", 'value="percent" selected'),
    ],
)
def test_an_offer_has_a_payout_rule(
    live: Live, ada: Visitor, typed: Mapping[str, str], stored: str | None, shown: str
) -> None:
    page = ada.post(f"{OFFERS}/new", {"name": "Gutters", **typed})
    assert page.path == f"{OFFERS}/2"
    assert kept(live, "offer", "Gutters")["payout"] == stored
    assert shown in page.html


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        ({"payout_rule": "fixed", "payout": ""}, "The amount is empty."),
        ({"payout_rule": "percent", "payout": "101"}, "101% is not a percentage"),
        ({"payout_rule": "percent", "payout": ""}, "% is not a percentage"),
    ],
)
def test_a_payout_rule_needs_its_amount(ada: Visitor, typed: Mapping[str, str], complaint: str) -> None:
    page = ada.post(f"{OFFERS}/new", {"name": "Gutters", **typed})
    assert page.status == 422
    assert complaint in page
    assert f'value="{typed["payout_rule"]}" selected' in page.html


def test_a_traffic_source_has_a_name(live: Live, ada: Visitor) -> None:
    page = ada.post(f"{SOURCES}/new", {"name": "Orbit Media"})
    assert "Traffic source Orbit Media was made." in page
    assert [subject for subject, _ in told(live, "traffic_source.made")] == ["traffic source Orbit Media"]
    assert "Orbit Media" in ada.get(SOURCES)


def test_a_list_is_paged_by_name(live: Live, ada: Visitor) -> None:
    fill(live, "offer", [f"Offer {number:03}" for number in range(60)])
    first = ada.get(OFFERS)
    assert "Offer 049" in first
    assert "Offer 050" not in first
    following = first.html.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0].replace("&amp;", "&")
    second = ada.get(following)
    assert "Offer 050" in second
    assert "Roofing" in second
    assert "Offer 049" not in second
    assert "First" in second
    assert 'rel="next"' not in second.html


def test_a_list_is_searched_by_part_of_a_name(live: Live, ada: Visitor) -> None:
    fill(live, "offer", ["100% Solar", "Solar Roofs", "Windows"])
    assert "Solar Roofs" in ada.get(f"{OFFERS}?q=SOLAR")
    page = ada.get(f"{OFFERS}?q=0%25")
    assert "100% Solar" in page
    assert "Solar Roofs" not in page, "% is no wildcard"
    assert "No offer has “xyz” in its name." in ada.get(f"{OFFERS}?q=xyz")


def test_the_list_says_which_teams_see_a_buyer(ada: Visitor) -> None:
    fill(ada.live, "buyer", ["Clear Windows"])
    page = ada.get(BUYERS)
    assert "Bright Roofing 1 Bright Roofing 42.00" in page
    assert "Clear Windows 2 none yet -" in page


@pytest.mark.parametrize(("path", "noun"), [(BUYERS, "buyer"), (OFFERS, "offer")])
def test_who_is_paused_is_shown_as_paused_until_that_is_ended(live: Live, ada: Visitor, path: str, noun: str) -> None:
    assert "paused" not in ada.get(path)
    page = ada.post(f"{path}/1/pause", {"paused": "1"})
    assert "is paused. Calls of it that are reported are recorded all the same" in page
    assert "paused" in ada.get(path)
    page = ada.post(f"{path}/1/pause", {})
    assert "is not paused any more." in page
    assert "Calls of it" not in page
    assert len(told(live, f"{noun}.paused")) == len(told(live, f"{noun}.resumed")) == 1


def test_an_id_of_one_s_own_is_kept_and_taken_once(live: Live, ada: Visitor) -> None:
    ada.post(f"{BUYERS}/1", {"name": "Bright Roofing", "external_id": " BR-7 "})
    assert kept(live, "buyer", "Bright Roofing")["external_id"] == "BR-7"
    assert 'value="BR-7"' in ada.get(f"{BUYERS}/1").html
    page = ada.post(f"{BUYERS}/new", {"name": "Clear Windows", "external_id": "BR-7"})
    assert page.status == 422
    assert "There is a buyer with this id already." in page


def test_there_is_no_page_of_what_is_not_there(ada: Visitor) -> None:
    for number in ("99", "0", "1e3", "9" * 19, "9" * 5000):
        assert ada.get(f"{BUYERS}/{number}").status == 404
        assert ada.post(f"{BUYERS}/{number}", {"name": "x"}).status == 404


def test_only_who_runs_the_account_sees_them(
    live: Live, ada: Visitor, meg: Visitor, bob: Visitor, charlie: Visitor
) -> None:
    for path in (BUYERS, f"{BUYERS}/new", f"{BUYERS}/1", SOURCES, OFFERS, f"{OFFERS}/1"):
        assert ada.get(path).status == 200
        assert meg.get(path).status == 200
        assert bob.get(path).status == 404
        assert charlie.get(path).status == 404
        assert visiting(live).get(path).path.startswith("/login")


def test_only_who_runs_the_account_changes_them(live: Live, bob: Visitor, charlie: Visitor) -> None:
    for path in (f"{BUYERS}/new", f"{BUYERS}/1", f"{BUYERS}/1/team-access", f"{BUYERS}/1/pause", f"{OFFERS}/1"):
        for visitor in (bob, charlie):
            page = visitor.post(path, {"name": "Mine", "email": "me@mine.example"})
            assert page.status == 404
    assert kept(live, "buyer", "Bright Roofing")["email"] is None


def test_a_form_from_elsewhere_changes_nothing(live: Live, ada: Visitor) -> None:
    assert ada.post(f"{BUYERS}/1", {"name": "Mine"}, site="cross-site").status == 403
    assert ada.post(f"{BUYERS}/1", {"name": "Mine"}, csrf="made up").status == 403
    assert kept(live, "buyer", "Bright Roofing")


def test_a_buyer_of_another_company_is_not_there(live: Live, charlie: Visitor) -> None:
    assert charlie.get("/a/zeta/buyers/1").status == 404
    assert charlie.post("/a/zeta/buyers/1/team-access", {"email": "charlie@zeta.example"}).status == 404
    assert charlie.post("/a/zeta/buyers/1/teams", {"team": str(live.world.team)}).status == 404
