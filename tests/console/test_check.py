from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

import msgspec

from ringback import clock, entropy
from ringback.domain.access import AccessType
from ringback.services import tokens
from ringback.store import receipts
from tests.api.rows import of_account
from tests.console.visitor import Shown, Visitor
from tests.live import Live

CHECK = "/a/acme/check"
SALE = '{"buyer_converted": "true", "revenue": "42.00", "offer_converted": "true", "post_call_tokens": {}}'
ANSWER = re.compile(r'<pre class="body">(.*?)</pre>', re.DOTALL)


def ask(visitor: Visitor, sender: str, **more: str) -> Shown:
    """Check the guide's smallest body, unless another is given."""
    visitor.get(CHECK)
    return visitor.post(CHECK, {"as": sender, "type": "calls", "call": "", "ip": "", "body": SALE, **more})


def answer(page: Shown) -> dict[str, Any]:
    found = ANSWER.search(page.html)
    assert found is not None
    told: dict[str, Any] = msgspec.json.decode(unescape(found[1]))
    return told


class TestTheDecision:
    def test_it_is_that_of_the_dry_run_of_the_api(self, live: Live, ada: Visitor, bob: Visitor) -> None:
        world, call = live.world, live.world.call()
        own, person = f"token-{world.bob_token.id}", f"user-{world.bob}"
        for rights in (["buyer_converted", "revenue", "offer_converted"], ["revenue"]):
            world.grant(rights)
            for body in (
                SALE,
                '{"revenue": "1,25"}',
                '{"add_revenue": "5", "utm": 1}',
                "revenue=7&payout=[Payout]",
                "{",
            ):
                for named in (call.uuid, entropy.new_call_uuid()):
                    reply = live.update(
                        named, body, auth=world.bob_token.authorization, headers={"Ringback-Dry-Run": "1"}
                    )
                    expected = {name: value for name, value in reply.json.items() if name != "receipt_id"}
                    for page in (ask(bob, own, call=named, body=body), ask(ada, person, call=named, body=body)):
                        told = answer(page)
                        assert (page.status, told["code"], told["status"]) == (200, expected["code"], reply.status)
                        assert told["errors"] == expected["errors"]
                        assert told.get("changed") == expected.get("changed")
                        assert f"It would be answered {reply.status}" in page

    def test_it_leaves_nothing(self, live: Live, ada: Visitor) -> None:
        world, call = live.world, live.world.call()
        before = of_account(world.database, world.acme)
        for sender in (f"user-{world.bob}", f"token-{world.ada_token.id}"):
            for body in (SALE, '{"add_revenue": "5"}', "{"):
                ask(ada, sender, call=call.uuid, body=body)
                ask(ada, sender, call=entropy.new_call_uuid(), body=body)
        assert of_account(world.database, world.acme) == before
        with world.database.read() as tx:
            assert receipts.list_receipts(tx, world.acme) == []

    def test_the_steps_are_told_with_what_would_change(self, live: Live, ada: Visitor) -> None:
        call = live.world.call()
        page = ask(ada, f"user-{live.world.bob}", call=str(call.number))
        assert f"applied applied for call No. {call.number}" in page
        assert "What would change" in page
        assert "TS Payout none 25.20 follows from the conversion" in page
        assert "Buyer Revenue ✓ allowed" in page

    def test_without_a_call_its_step_is_skipped(self, live: Live, bob: Visitor) -> None:
        page = ask(bob, f"token-{live.world.bob_token.id}")
        assert "Skipped, since there is no call to look at." in page
        assert answer(page)["code"] == "applied"

    def test_a_template_token_in_place_of_the_call_is_named(self, live: Live, bob: Visitor) -> None:
        page = ask(bob, f"token-{live.world.bob_token.id}", call="[trackdrive_call_uuid]")
        assert "A value can't be used. uuid : [trackdrive_call_uuid] is a template token" in page

    def test_a_body_that_is_too_large_is_refused(self, live: Live, bob: Visitor) -> None:
        page = ask(bob, f"token-{live.world.bob_token.id}", body="x" * 300_000)
        assert "It would be answered 413" in page


class TestTokens:
    def test_a_token_is_checked_for_its_type_expiry_and_addresses(self, live: Live, bob: Visitor) -> None:
        world = live.world
        made = {
            "access_type": world.token(world.bob, world.acme, access_type=AccessType.CALLS_READ),
            "expired": world.token(world.bob, world.acme, expires_at=clock.now() - timedelta(days=1)),
            "account_not_allowed": world.token(world.bob, world.acme, accounts=[world.zeta]),
        }
        for code, token in made.items():
            assert answer(ask(bob, f"token-{token.id}"))["code"] == code
        limited = world.token(world.bob, world.acme, networks=["192.0.2.0/24"])
        assert answer(ask(bob, f"token-{limited.id}"))["code"] == "applied"
        assert answer(ask(bob, f"token-{limited.id}", ip="192.0.2.9"))["code"] == "applied"
        assert answer(ask(bob, f"token-{limited.id}", ip="203.0.113.9"))["code"] == "ip_not_allowed"

    def test_for_others_a_type_is_chosen(self, live: Live, ada: Visitor) -> None:
        sender = f"user-{live.world.bob}"
        assert answer(ask(ada, sender, type="calls-read"))["code"] == "access_type"
        assert answer(ask(ada, sender, type="everything"))["code"] == "applied"
        assert answer(ask(ada, sender, type="what"))["code"] == "applied"

    def test_a_revoked_one_is_not_offered(self, live: Live, bob: Visitor) -> None:
        with live.world.database.write() as tx:
            tokens.revoke(tx, live.world.bob_token.id, clock.now())
        assert ask(bob, f"token-{live.world.bob_token.id}").status == 422

    def test_who_has_none_is_told_to_make_one(self, live: Live, bob: Visitor) -> None:
        with live.world.database.write() as tx:
            for token in (live.world.bob_token, live.world.bob_developer_token):
                tokens.revoke(tx, token.id, clock.now())
        assert "You have no access token yet" in bob.get(CHECK)


class TestRights:
    def test_a_member_checks_as_himself_alone(self, live: Live, bob: Visitor) -> None:
        world = live.world
        page = bob.get(CHECK)
        assert "ada@acme.example" not in page
        for sender in (f"user-{world.bob}", f"user-{world.ada}", f"token-{world.ada_token.id}", ""):
            page = ask(bob, sender)
            assert (page.status, "Choose whose postback it is." in page) == (422, True)

    def test_a_member_is_told_no_more_than_the_api_tells_him(self, live: Live, bob: Visitor) -> None:
        live.world.grant(["buyer_converted"])
        page = ask(bob, f"token-{live.world.bob_token.id}", call=live.world.call().uuid, body='{"buyer_converted": 1}')
        assert "Buyer Converted? no yes" in page
        assert "42.00" not in page.text.replace("revenue=42.00", "")

    def test_a_manager_checks_as_anybody_of_the_account_but_with_no_token_of_theirs(
        self, live: Live, meg: Visitor
    ) -> None:
        world = live.world
        assert "bob@bright.example (type as below)" in meg.get(CHECK)
        assert answer(ask(meg, f"user-{world.bob}"))["code"] == "applied"
        assert ask(meg, f"token-{world.bob_token.id}").status == 422
        assert ask(meg, f"user-{world.charlie}").status == 422

    def test_another_company_checks_nothing(self, charlie: Visitor) -> None:
        assert charlie.get(CHECK).status == 404
