from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text, update

from ringback import clock, entropy
from ringback.domain.access import Level
from ringback.services import tokens
from ringback.store import receipt_search, teams
from ringback.store.receipt_search import Wanted
from ringback.store.schema import receipts
from ringback.store.values import to_moment
from tests.console.deeds import told
from tests.console.posting import LIST, SALE, another_buyer, post, rows
from tests.console.visitor import Visitor
from tests.live import Live


class TestTheList:
    def test_without_updates_it_teaches_how_to_send_one(self, live: Live, ada: Visitor) -> None:
        page = ada.get(LIST)
        assert "No updates yet" in page
        assert f"curl http://localhost:{live.port}/a/acme/api/v1/calls/update_call/<call_uuid>" in page.text

    def test_each_line_says_who_which_call_and_what_became_of_it(self, live: Live, ada: Visitor) -> None:
        call = live.world.call()
        post(live, call)
        post(live, call)
        post(live, call, {"revenue": "1,25"})
        post(live, call, b'{"revenue": ')
        post(live, entropy.new_call_uuid())
        live.world.grant(["revenue"])
        post(live, call)
        found = rows(ada.get(LIST))
        assert [each.split(" No. ")[0].split()[-1] for each in found[:1]] == ["denied"]
        assert "No right to update Buyer Converted?" in found[0]
        assert "early" in found[1]
        assert "The body is not readable JSON" in found[2]
        assert "refused" in found[3]
        assert "unchanged" in found[4]
        assert f"applied No. {call.number} Bright Roofing bob@bright.example Buyer Converted? no → yes" in found[5]
        assert "Buyer Revenue none → 42.00" in found[5]

    def test_a_dry_run_and_a_retry_are_told_as_such(self, live: Live, ada: Visitor) -> None:
        call = live.world.call()
        post(live, call, {**SALE, "dry_run": 1})
        post(live, call, headers={"Idempotency-Key": "k"})
        post(live, call, headers={"Idempotency-Key": "k"})
        found = rows(ada.get(LIST))
        assert "replayed" in found[0]
        assert "dry run" in found[2]
        assert "would be:" in found[2]

    def test_pages_follow_each_other(self, live: Live, ada: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("ringback.console.updates.PAGE_LENGTH", 2)
        made = [post(live, live.world.call())["receipt_id"] for _ in range(5)]
        shown, path = [], LIST
        while path:
            page = ada.get(path)
            shown += re.findall(rf'data-open class="fw-medium" href="{LIST}/([^"]+)"', page.html)
            older = re.search(r'href="([^"]+)" rel="next"', page.html)
            path = older[1].replace("&amp;", "&") if older else ""
        assert shown == made[::-1]


class TestOne:
    def test_it_is_told_in_four_blocks(self, live: Live, ada: Visitor) -> None:
        call = live.world.call()
        body = {**SALE, "offer_converted": 1, "post_call_tokens": {"last_name": "O'Neil <b>"}, "utm": "x"}
        page = ada.get(f"{LIST}/{post(live, call, body)['receipt_id']}")
        for words in (
            "What arrived",
            f"POST /api/v1/calls/update_call/{call.uuid}",
            "What we understood",
            "Contact field last_name : O'Neil <b>",
            "Ignored, since nothing here has these names: utm",
            "How it was decided",
            "The update was recorded.",
            "What changed",
            "TS Payout none 25.20 follows from the conversion",
        ):
            assert words in page, words
        assert "O'Neil <b>" not in page.html

    def test_the_request_can_be_copied_without_its_secret(self, live: Live, ada: Visitor) -> None:
        token = live.world.bob_token
        made = post(live, live.world.call(), {"post_call_tokens": {"name": "O'Neil"}})["receipt_id"]
        page = ada.get(f"{LIST}/{made}")
        assert f"curl -X POST http://localhost:{live.port}/a/acme/api/v1/calls/update_call/" in page
        assert "-H 'Authorization: Basic <your credential>'" in page
        assert """--data-binary '{"post_call_tokens":{"name":"O'"'"'Neil"}}'""" in page
        assert token.private_key is not None
        assert token.private_key not in page.html
        made = post(live, live.world.call(), b"")["receipt_id"]
        assert "-H 'Authorization: Basic <your credential>' Copy as curl" in ada.get(f"{LIST}/{made}")

    def test_a_refusal_names_values_rights_and_teams(self, live: Live, ada: Visitor) -> None:
        call = live.world.call()
        refused = post(live, call, {"revenue": "1,25", "payout": "[Call:Payout]"})["receipt_id"]
        page = ada.get(f"{LIST}/{refused}")
        assert "2 values can't be used." in page
        assert "payout : [Call:Payout] is a template token of Ringba" in page
        live.world.grant(["buyer_converted"])
        page = ada.get(f"{LIST}/{post(live, call)['receipt_id']}")
        assert "Buyer Converted? ✓ allowed Buyer Revenue ✗ missing on the team Bright Roofing" in page
        assert "/a/acme/company/teams/1" in page.html

    def test_what_could_not_be_read_is_shown_as_it_came(self, live: Live, ada: Visitor) -> None:
        made = post(live, live.world.call(), b'{"revenue": ')["receipt_id"]
        page = ada.get(f"{LIST}/{made}")
        assert "It asks for nothing that could be updated." in page
        assert "The body is not readable JSON" in page

    def test_a_dry_run_without_a_call_says_what_was_skipped(self, live: Live, ada: Visitor) -> None:
        made = post(live, entropy.new_call_uuid(), {**SALE, "dry_run": 1})["receipt_id"]
        page = ada.get(f"{LIST}/{made}")
        assert "Skipped, since there is no call to look at." in page
        assert "What would change" in page

    def test_a_replayed_one_says_so(self, live: Live, ada: Visitor) -> None:
        call = live.world.call()
        for _ in range(2):
            post(live, call, headers={"Idempotency-Key": "k"})
        with live.world.database.read() as tx:
            (newest,) = receipt_search.list_ids(tx, live.world.acme, Wanted(), limit=1).ids
        assert "the first answer was given again" in ada.get(f"{LIST}/{newest}")

    def test_its_token_is_shown_to_others_by_its_public_part_and_when_it_was_revoked(
        self, live: Live, ada: Visitor
    ) -> None:
        world = live.world
        token, value = world.token(world.bob, world.acme, description="Bob's secret plan"), world.bob_developer_token
        made = post(live, world.call(), auth=token.authorization)["receipt_id"]
        other = post(live, world.call(), auth=value.authorization)["receipt_id"]
        with world.database.write() as tx:
            tokens.revoke(tx, token.id, clock.now())
        page = ada.get(f"{LIST}/{made}")
        assert f"bob@bright.example: {(token.public_key or '')[:10]}… (revoked)" in page
        assert "secret plan" not in page
        assert "bob@bright.example: a token value" in ada.get(f"{LIST}/{other}")

    def test_what_is_not_there_is_not_found(self, ada: Visitor) -> None:
        assert ada.get(f"{LIST}/{entropy.new_id()}").status == 404
        assert ada.get(f"{LIST}/what").status == 404


class TestWhoSeesWhat:
    def test_a_member_sees_his_own_updates_and_nobody_else_s(self, live: Live, bob: Visitor) -> None:
        world, call = live.world, live.world.call()
        of_ada = post(live, call, {"revenue": "7"}, auth=world.ada_token.authorization)["receipt_id"]
        own = post(live, call)["receipt_id"]
        page = bob.get(LIST)
        assert len(rows(page)) == 1
        assert own in page.html
        assert "Waiting" not in page
        assert "ada@acme.example" not in page
        assert bob.get(f"{LIST}/{of_ada}").status == 404
        assert bob.get(f"{LIST}/{own}").status == 200
        assert rows(bob.get(f"{LIST}?call={call.uuid}&text=%22revenue%22:%227%22")) == []
        assert "There is no access token" in bob.get(f"{LIST}?token={world.ada_token.id}")

    def test_a_member_sees_only_what_his_teams_may_read(self, live: Live, bob: Visitor) -> None:
        live.world.grant(["buyer_converted", "offer_converted"])
        call = live.world.call()
        made = post(live, call, {"buyer_converted": 1, "offer_converted": 1})["receipt_id"]
        assert live.world.state(call)["payout"] == Decimal("25.20")
        for page in (bob.get(LIST), bob.get(f"{LIST}/{made}")):
            assert "Buyer Converted? no" in page
            assert "42.00" not in page
            assert "25.20" not in page
            assert "TS Payout" not in page
        live.world.grant({"buyer_converted": Level.UPDATE, "revenue": Level.READ}, developer_api=False)
        assert "Buyer Revenue none 42.00" in bob.get(f"{LIST}/{made}")
        with live.world.database.write() as tx:
            teams.set_buyers(tx, live.world.acme, live.world.team, [])
        page = bob.get(f"{LIST}/{made}")
        assert "42.00" not in page
        assert "that you may read" in page
        assert f"No. {call.number}" not in page

    def test_a_warning_that_tells_of_a_value_is_left_out_with_it(self, live: Live, bob: Visitor, ada: Visitor) -> None:
        live.world.grant(["offer_converted"])
        made = post(live, live.world.call(), {"offer_converted": 1})["receipt_id"]
        assert "there is no revenue yet" in ada.get(f"{LIST}/{made}")
        assert "there is no revenue yet" not in bob.get(f"{LIST}/{made}")

    def test_a_call_named_by_number_that_he_may_not_see_looks_like_none(
        self, live: Live, bob: Visitor, ada: Visitor
    ) -> None:
        hidden = live.world.call(buyer=another_buyer(live))
        made = post(live, hidden, path=f"/api/v1/calls/{hidden.number}")["receipt_id"]
        none = post(live, hidden, path="/api/v1/calls/999")["receipt_id"]
        shown, empty = (bob.get(f"{LIST}/{each}").text for each in (made, none))
        assert hidden.uuid not in shown
        assert shown.count("It stopped here") == empty.count("It stopped here") == 1
        stops = [text[: text.index("It stopped here")][-60:] for text in (shown, empty)]
        assert stops[0] == stops[1]
        assert "There is no call" in bob.get(f"{LIST}?call={hidden.number}")
        assert rows(bob.get(f"{LIST}?call={hidden.uuid}")) == []
        assert len(rows(ada.get(f"{LIST}?call={hidden.uuid}"))) == 1
        assert "There is no buyer" in bob.get(f"{LIST}?buyer=Cool+Air+%26+Sons")
        assert "Cool Air" not in bob.get(LIST).html

    def test_a_member_learns_how_long_what_was_refused_is_kept(self, live: Live, bob: Visitor) -> None:
        live.world.grant([])
        assert "by the owner of the account" in bob.get(f"{LIST}/{post(live, live.world.call())['receipt_id']}")
        early = post(live, entropy.new_call_uuid())["receipt_id"]
        assert "by itself, when its call is there" in bob.get(f"{LIST}/{early}")

    def test_a_member_can_do_nothing_to_it(self, live: Live, bob: Visitor) -> None:
        live.world.grant([])
        call = live.world.call()
        made = post(live, call)["receipt_id"]
        bob.get(LIST)
        assert bob.post(f"{LIST}/{made}", {"do": "apply"}).status == 404
        assert live.world.state(call)["revenue"] is None

    def test_another_company_sees_nothing(self, live: Live, charlie: Visitor) -> None:
        made = post(live, live.world.call())["receipt_id"]
        for path in (LIST, f"{LIST}/{made}", f"{LIST}/waiting", f"/a/zeta/updates/{made}"):
            assert charlie.get(path).status == 404
        assert rows(charlie.get("/a/zeta/updates")) == []


class TestDoneAllTheSame:
    def test_an_addition_that_was_taken_for_a_retry_is_added_once(self, live: Live, ada: Visitor) -> None:
        call = live.world.call()
        post(live, call, {"add_revenue": "5"})
        made = post(live, call, {"add_revenue": "5"})["receipt_id"]
        assert "taken for a retry" in ada.get(f"{LIST}/{made}")
        page = ada.post(f"{LIST}/{made}", {"do": "add"})
        assert "It was applied." in page
        assert "Buyer Revenue 5.00 10.00 named in the update, applied late" in page
        assert live.world.state(call)["revenue"] == 10
        assert "applied later" in ada.get(f"{LIST}/{made}")
        assert ada.post(f"{LIST}/{made}", {"do": "add"}).status == 404
        assert live.world.state(call)["revenue"] == 10
        assert [subject for subject, _ in told(live, "update.overridden")] == [f"update {made}"]

    def test_there_is_nothing_to_do_about_an_ordinary_one(self, live: Live, ada: Visitor) -> None:
        made = post(live, live.world.call())["receipt_id"]
        ada.get(LIST)
        for deed in ("apply", "apply_over", "overwrite", "add", ""):
            page = ada.post(f"{LIST}/{made}", {"do": deed})
            assert (page.status, "Nothing waits for that any more." in page) == (404, True)
            ada.get(LIST)

    def test_what_is_refused_is_not_done(self, live: Live, ada: Visitor) -> None:
        call = live.world.call()
        post(live, call, {"add_revenue": "5"})
        made = post(live, call, {"add_revenue": "5"})["receipt_id"]
        ada.get(LIST)
        live.world.grant([])
        page = ada.post(f"{LIST}/{made}", {"do": "add"})
        assert page.status == 403
        assert "taken for a retry" in ada.get(f"{LIST}/{made}")
        assert live.world.state(call)["revenue"] == 5

    def test_what_waits_for_a_call_has_no_changes_to_show_yet(self, live: Live, ada: Visitor) -> None:
        page = ada.get(f"{LIST}/{post(live, entropy.new_call_uuid())['receipt_id']}")
        assert "It waits, and nothing of it is lost" in page
        assert "Applied now" not in page

    def test_who_is_late_says_when_it_came(self, live: Live, ada: Visitor) -> None:
        live.world.grant([])
        made = post(live, live.world.call())["receipt_id"]
        live.world.grant(["buyer_converted", "revenue"])
        with live.world.database.write() as tx:
            then = to_moment(clock.now() - timedelta(days=3))
            tx.execute(update(receipts).where(receipts.c.id == made).values(received_at=then))
            tx.execute(text("UPDATE waiting_updates SET received_at = :then"), {"then": then})
        ada.get(LIST)
        page = ada.post(f"{LIST}/{made}", {"do": "apply"})
        assert "It was applied." in page
        assert "it arrived 3 d ago" in page
        assert "applied late" in rows(ada.get(LIST))[0]
        assert [subject for subject, _ in told(live, "update.applied")] == [f"update {made}"]
        assert ada.get(f"{LIST}/{made}").status == 200
        assert ada.post(f"{LIST}/{made}", {"do": "apply"}).status == 404
