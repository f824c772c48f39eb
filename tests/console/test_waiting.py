from __future__ import annotations

import re

import pytest
from sqlalchemy import text, update

from ringback import clock, entropy
from ringback.domain.access import AccessType, Level
from ringback.domain.calls import Call
from ringback.domain.money import format_amount
from ringback.services import runs, tokens
from ringback.store import teams
from ringback.store.schema import waiting_updates
from tests.console.deeds import told
from tests.console.posting import SALE, another_buyer, post, rows
from tests.console.visitor import Shown, Visitor
from tests.live import Live

WAITING = "/a/acme/updates/waiting"
LACKS_REVENUE = f"{WAITING}/permission_denied-team-1-revenue"


def denied(live: Live, count: int = 1, body: dict[str, str] | None = None) -> list[Call]:
    """Calls with an update each that waits since Bob's team may not update the revenue."""
    live.world.grant(["buyer_converted"])
    made = [live.world.call() for _ in range(count)]
    for call in made:
        assert post(live, call, body or SALE)["code"] == "permission_denied"
    return made


def revenues(live: Live, made: list[Call]) -> list[str]:
    found = [live.world.state(call)["revenue"] for call in made]
    return ["None" if each is None else format_amount(each) for each in found]


def rights(live: Live) -> dict[str, Level]:
    with live.world.database.read() as tx:
        (team,) = teams.list_teams(tx, live.world.acme)
    return dict(team.rights)


def links(page: Shown) -> list[str]:
    return re.findall(rf'href="({WAITING}/[^"]+)"', page.html)


class TestCauses:
    def test_without_any_it_says_what_would_be_here(self, ada: Visitor) -> None:
        assert "Nothing waits" in ada.get(WAITING)

    def test_they_are_gathered_by_what_cures_them(self, live: Live, ada: Visitor) -> None:
        denied(live, 2)
        world = live.world
        cool = another_buyer(live)
        post(live, world.call(buyer=cool), {"buyer_converted": 1})
        post(live, entropy.new_call_uuid())
        post(live, world.call(), auth=world.charlie_token.authorization)
        reader = world.token(world.bob, world.acme, access_type=AccessType.CALLS_READ)
        post(live, world.call(), {"buyer_converted": 1}, auth=reader.authorization)
        page = ada.get(WAITING)
        assert links(page) == [
            LACKS_REVENUE,
            f"{WAITING}/access_type",
            f"{WAITING}/buyer_not_shared-team-1-buyer-{cool}",
            f"{WAITING}/call_not_found",
            f"{WAITING}/no_team-user-{world.charlie}-of-1",
        ]
        for words in (
            "The team Bright Roofing lacks a right 2 updates wait",
            "Update on Buyer Revenue Grant and apply…",
            "doesn't see the calls of Cool Air & Sons",
            "it sees the calls of Cool Air & Sons Give the team access to this buyer and apply…",
            "charlie@zeta.example is on no team",
            "open the buyer's page and add a team with this e-mail address under Team Access",
            "The access token was of the wrong type",
            "The call isn't here yet",
        ):
            assert words in page, words
        assert 'href="/a/acme/buyers/1"' in page.html

    def test_the_badge_counts_what_waits_for_a_person(self, live: Live, ada: Visitor) -> None:
        denied(live, 2)
        post(live, entropy.new_call_uuid())
        post(live, live.world.call(), auth=live.world.charlie_token.authorization)
        assert 'title="2 waiting"' in ada.get(WAITING).html
        assert "Waiting 2 waiting" in ada.get("/a/acme/updates")

    def test_a_token_that_was_revoked_since_is_told(self, live: Live, ada: Visitor) -> None:
        (call,) = denied(live)
        with live.world.database.write() as tx:
            tokens.revoke(tx, live.world.bob_token.id, clock.now())
        assert "1 came with an access token that was revoked since" in ada.get(WAITING)
        newest = ada.get(f"/a/acme/updates?call={call.uuid}")
        one = re.search(r'data-open class="fw-medium" href="([^"]+)"', newest.html)
        assert one is not None
        assert "Its access token was revoked since" in ada.get(one[1])

    def test_a_call_without_a_buyer_is_cured_elsewhere(self, live: Live, ada: Visitor) -> None:
        post(live, live.world.call(buyer=None))
        page = ada.get(WAITING)
        assert "The call has no buyer yet" in page
        assert "Look at them" in page
        assert "Give the call its buyer" in ada.get(links(page)[0])
        live.world.grant([*SALE], developer_api=False)
        assert "Developer API Access is off, and the call has no buyer yet" in ada.get(WAITING)

    def test_only_who_runs_the_account_sees_them(self, live: Live, bob: Visitor, charlie: Visitor) -> None:
        denied(live)
        for visitor in (bob, charlie):
            assert visitor.get(WAITING).status == 404
            assert visitor.get(LACKS_REVENUE).status == 404
            visitor.get("/login")
            assert visitor.post(LACKS_REVENUE).status == 404
        assert "revenue" not in rights(live)


class TestGrantAndApply:
    def test_it_shows_what_is_granted_and_each_change_first_and_changes_nothing(self, live: Live, ada: Visitor) -> None:
        made = denied(live, 2)
        page = ada.get(LACKS_REVENUE)
        assert "What would be granted to the team Bright Roofing : Update on Buyer Revenue It holds for 1 user" in page
        assert [each.split("Buyer Converted?")[1] for each in rows(page)] == [
            " no → yes Buyer Revenue none → 42.00"
        ] * 2
        assert revenues(live, made) == ["None", "None"]
        assert "revenue" not in rights(live)

    def test_it_grants_exactly_that_and_applies_all_in_one_go(self, live: Live, ada: Visitor) -> None:
        made = denied(live, 3)
        others = another_buyer(live)
        hidden = live.world.call(buyer=others)
        post(live, hidden)
        ada.get(LACKS_REVENUE)
        page = ada.post(LACKS_REVENUE)
        assert "3 of 3 waiting updates were applied." in page
        assert "3 of 3 handled: 3 applied. Done." in page
        assert revenues(live, made) == ["42.00"] * 3
        assert rights(live) == {"buyer_converted": Level.UPDATE, "revenue": Level.UPDATE}
        assert revenues(live, [hidden]) == ["None"]
        ((subject, details),) = told(live, "team.changed")
        assert subject == "team Bright Roofing"
        assert details["after"] == {"rights": {"buyer_converted": "update", "revenue": "update"}}
        ((subject, details),) = told(live, "updates.applied")
        assert (subject, details["cause"]) == ("3 waiting updates", "permission_denied-team-1-revenue")

    def test_what_was_shown_is_not_there_any_more(self, live: Live, ada: Visitor) -> None:
        denied(live)
        ada.get(LACKS_REVENUE)
        live.world.grant(["payout"])
        page = ada.post(LACKS_REVENUE)
        assert (page.status, "Nothing waits for that any more." in page) == (404, True)
        assert rights(live) == {"payout": Level.UPDATE}
        assert ada.get(LACKS_REVENUE).status == 404

    def test_the_order_is_that_of_receiving(self, live: Live, ada: Visitor) -> None:
        (call,) = denied(live)
        for amount in ("50", "60"):
            post(live, call, {"revenue": amount})
        ada.get(WAITING)
        ada.post(LACKS_REVENUE)
        assert revenues(live, [call]) == ["60.00"]
        assert "Nothing waits" in ada.get(WAITING)

    def test_the_buyer_is_shared_and_rights_granted_at_once(self, live: Live, ada: Visitor) -> None:
        live.world.grant(["buyer_converted"])
        cool = another_buyer(live)
        call = live.world.call(buyer=cool)
        post(live, call)
        name = f"{WAITING}/buyer_not_shared-team-1-revenue-buyer-{cool}"
        assert "Give the team access to this buyer and apply the update" in ada.get(name)
        ada.post(name)
        assert revenues(live, [call]) == ["42.00"]
        with live.world.database.read() as tx:
            (team,) = teams.list_teams(tx, live.world.acme)
        assert team.buyers == {live.world.bright, cool}

    def test_api_access_is_turned_on(self, live: Live, ada: Visitor) -> None:
        live.world.grant([*SALE], developer_api=False)
        call = live.world.call()
        assert post(live, call)["code"] == "api_access_off"
        name = f"{WAITING}/api_access_off-team-1-api"
        assert "Enable Developer API Access is turned on" in ada.get(name)
        ada.post(name)
        assert revenues(live, [call]) == ["42.00"]
        assert post(live, live.world.call())["code"] == "applied"

    def test_what_was_refused_for_the_type_of_its_token_may_be_applied(self, live: Live, ada: Visitor) -> None:
        world, call = live.world, live.world.call()
        reader = world.token(world.bob, world.acme, access_type=AccessType.CALLS_READ)
        post(live, call, auth=reader.authorization)
        assert "What came can be applied if you trust it" in ada.get(f"{WAITING}/access_type")
        ada.post(f"{WAITING}/access_type")
        assert revenues(live, [call]) == ["42.00"]

    def test_what_only_something_elsewhere_cures_is_not_applied(self, live: Live, ada: Visitor) -> None:
        post(live, entropy.new_call_uuid())
        page = ada.get(f"{WAITING}/call_not_found")
        assert "The call isn't there yet" in page
        assert '<button class="btn btn-primary btn-long">' not in page.html
        assert ada.post(f"{WAITING}/call_not_found").status == 404

    def test_a_manager_grants_but_not_to_his_own_team(self, live: Live, meg: Visitor) -> None:
        made = denied(live)
        with live.world.database.write() as tx:
            user = tx.execute(text("SELECT id FROM users WHERE email_key = 'meg@acme.example'")).scalar_one()
            teams.set_users(tx, live.world.acme, live.world.team, [live.world.bob, user])
        page = meg.get(LACKS_REVENUE)
        assert "You sit on this team, so an owner has to grant it." in page
        assert "Grant and apply" not in page
        assert meg.post(LACKS_REVENUE).status == 403
        assert (revenues(live, made), "revenue" in rights(live)) == (["None"], False)
        with live.world.database.write() as tx:
            teams.set_users(tx, live.world.acme, live.world.team, [live.world.bob])
        meg.get(LACKS_REVENUE)
        meg.post(LACKS_REVENUE)
        assert revenues(live, made) == ["42.00"]

    def test_later_pages_of_the_changes(self, live: Live, ada: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("ringback.console.waiting.PAGE_LENGTH", 2)
        made = denied(live, 3)
        first = ada.get(LACKS_REVENUE)
        later = re.search(r'href="([^"]+)" rel="next"', first.html)
        assert later is not None
        found = [re.findall(r"No. (\d+)", row) for row in (*rows(first), *rows(ada.get(later[1])))]
        assert found == [[str(call.number)] for call in made]


class TestSingly:
    def receipt(self, visitor: Visitor, call: Call) -> str:
        page = visitor.get(f"/a/acme/updates?call={call.uuid}")
        found = re.search(r'data-open class="fw-medium" href="([^"]+)"', page.html)
        assert found is not None
        return found[1]

    def test_a_refused_one_leads_to_its_cause(self, live: Live, ada: Visitor) -> None:
        made = denied(live, 3)
        page = ada.get(self.receipt(ada, made[0]))
        assert "It waits, and nothing of it is lost" in page
        assert "Grant and apply, with 2 more…" in page
        assert LACKS_REVENUE in page.html

    def test_what_has_the_right_now_is_applied_alone(self, live: Live, ada: Visitor) -> None:
        made = denied(live, 2)
        live.world.grant([*SALE])
        one = self.receipt(ada, made[0])
        assert (
            "it would change: What would change What From To Buyer Converted? no yes Buyer Revenue none 42.00"
            in ada.get(one)
        )
        assert "It was applied." in ada.post(one, {"do": "apply"})
        assert revenues(live, made) == ["42.00", "None"]
        assert "Nothing is in the way any more 1 update waits" in ada.get(WAITING)

    def test_a_later_value_is_kept_unless_somebody_says_otherwise(self, live: Live, ada: Visitor) -> None:
        made = denied(live, 2)
        live.world.grant([*SALE])
        for call in made:
            post(live, call, {"revenue": "99"}, auth=live.world.ada_token.authorization)
        first, second = (self.receipt_of_bob(ada, call) for call in made)
        page = ada.get(first)
        assert (
            "Buyer Revenue: changed since it was sent, so the newer value is kept unless you apply it anyway." in page
        )
        page = ada.post(first, {"do": "apply"})
        assert "It was applied, but newer values were kept" in page
        assert "Buyer Revenue was changed since this update was sent; the newer value was kept." in page
        assert revenues(live, made[:1]) == ["99.00"]
        ada.post(page.path, {"do": "overwrite"})
        ada.get(second)
        ada.post(second, {"do": "apply_over"})
        assert revenues(live, made) == ["42.00", "42.00"]

    def receipt_of_bob(self, visitor: Visitor, call: Call) -> str:
        page = visitor.get(f"/a/acme/updates?call={call.uuid}&outcome=denied")
        found = re.search(r'data-open class="fw-medium" href="([^"]+)"', page.html)
        assert found is not None
        return found[1]

    def test_what_can_t_be_kept_is_refused_again_and_goes_on_waiting(self, live: Live, ada: Visitor) -> None:
        (call,) = denied(live, body={"add_revenue": "600000"})
        post(live, call, {"revenue": "500000"}, auth=live.world.ada_token.authorization)
        live.world.grant(["revenue"])
        one = self.receipt_of_bob(ada, call)
        assert "It can't be applied as it is: The result would be 1100000.00" in ada.get(one)
        assert "It was refused again, and goes on waiting" in ada.post(one, {"do": "apply"})
        page = ada.get(f"{WAITING}/amount_out_of_range")
        assert "Refused again: Amount out of range" in page
        assert "Can't be kept: The result would be" in page
        page = ada.post(f"{WAITING}/amount_out_of_range")
        assert "1 refused again" in page
        assert "They go on waiting; nothing of them is lost. 1: Amount out of range. Check the amount." in page

    def test_what_was_settled_otherwise_says_so(self, live: Live, ada: Visitor) -> None:
        first, second = denied(live, 2)
        live.world.grant([*SALE])
        post(live, first)
        assert "then its sender sent it again, and that was applied" in ada.get(self.receipt_of_bob(ada, first))
        with live.world.database.write() as tx:
            tx.execute(update(waiting_updates).where(waiting_updates.c.state == "waiting").values(state="expired"))
        assert "was then given up" in ada.get(self.receipt_of_bob(ada, second))


class TestManyAtATime:
    @pytest.fixture(autouse=True)
    def _few_at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(runs, "AT_ONCE", 2)

    def test_a_run_goes_on_chunk_by_chunk_and_says_how_far_it_is(self, live: Live, ada: Visitor) -> None:
        made = denied(live, 5)
        ada.get(LACKS_REVENUE)
        page = ada.post(LACKS_REVENUE)
        assert "2 of 5 handled: 2 applied." in page
        assert f'hx-post="{page.path}"' in page.html
        assert revenues(live, made) == ["42.00"] * 2 + ["None"] * 3
        assert "4 of 5 handled" in ada.post(page.path)
        page = ada.post(page.path)
        assert "5 of 5 handled: 5 applied. Done." in page
        assert "5 of 5 waiting updates were applied." in page
        assert revenues(live, made) == ["42.00"] * 5
        assert "hx-post" not in page.html
        assert "5 of 5 handled" in ada.post(page.path)

    def test_another_who_runs_the_account_can_go_on_with_it(self, live: Live, ada: Visitor, meg: Visitor) -> None:
        made = denied(live, 3)
        ada.get(LACKS_REVENUE)
        path = ada.post(LACKS_REVENUE).path
        assert "Begun just now by ada@acme.example" in meg.get(path)
        meg.post(path)
        assert revenues(live, made) == ["42.00"] * 3

    def test_what_comes_meanwhile_is_not_part_of_it(self, live: Live, ada: Visitor) -> None:
        denied(live, 3)
        ada.get(LACKS_REVENUE)
        page = ada.post(LACKS_REVENUE)
        made = denied(live)
        live.world.grant([*SALE])
        ada.get(page.path)
        assert "3 of 3 handled: 3 applied. Done." in ada.post(page.path)
        assert revenues(live, made) == ["None"]

    def test_what_was_settled_meanwhile_is_passed_over(self, live: Live, ada: Visitor) -> None:
        made = denied(live, 4)
        ada.get(LACKS_REVENUE)
        path = ada.post(LACKS_REVENUE).path
        post(live, made[3])
        page = ada.post(path)
        assert "3 of 4 handled: 3 applied. Done." in page
        assert "1 did not wait any more when it was their turn" in page

    def test_newer_values_that_were_kept_are_listed(self, live: Live, ada: Visitor) -> None:
        made = denied(live, 2)
        post(live, made[1], {"revenue": "99"}, auth=live.world.ada_token.authorization)
        assert "Buyer Revenue: changed since, so the newer value is kept" in ada.get(LACKS_REVENUE)
        page = ada.post(LACKS_REVENUE)
        assert "Newer values were kept" in page
        assert f"Call {made[1].number}, sent" in page
        assert revenues(live, made) == ["42.00", "99.00"]

    def test_a_right_that_is_taken_away_meanwhile_refuses_the_rest(self, live: Live, ada: Visitor) -> None:
        made = denied(live, 3)
        ada.get(LACKS_REVENUE)
        path = ada.post(LACKS_REVENUE).path
        live.world.grant(["buyer_converted"])
        assert "2 applied, 1 refused again. Done." in ada.post(path)
        assert revenues(live, made) == ["42.00", "42.00", "None"]
        assert links(ada.get(WAITING)) == [LACKS_REVENUE]

    def test_there_is_no_run_of_another_account(self, live: Live, ada: Visitor, charlie: Visitor, bob: Visitor) -> None:
        denied(live, 3)
        ada.get(LACKS_REVENUE)
        path = ada.post(LACKS_REVENUE).path
        for visitor, there in ((charlie, path), (charlie, path.replace("acme", "zeta")), (bob, path)):
            assert visitor.get(there).status == 404
            visitor.get("/login")
            assert visitor.post(there).status == 404
        assert ada.get(f"/a/acme/updates/runs/{entropy.new_id()}").status == 404
