"""Access tokens of others, blocked by an owner: refused here and nowhere else, until he lets them count again."""

from __future__ import annotations

from typing import Any

import pytest

from ringback import entropy
from ringback.domain.decisions import read_uuid
from ringback.store import waiting
from tests.api.calling import record
from tests.console.deeds import told
from tests.console.visitor import Visitor
from tests.live import Live, Reply

PAGE = "/a/acme/settings/tokens"


def post(live: Live, uuid: str | None = None, body: Any = None, **more: Any) -> Reply:  # noqa: ANN401
    """An update of Bob's."""
    more.setdefault("auth", live.world.bob_token.authorization)
    return live.update(uuid or live.world.call().uuid, body or {"revenue": "1"}, **more)


def act(visitor: Visitor, token: str, do: str) -> str:
    """Block a token, or let it count again; returns what is shown then."""
    page = visitor.post(f"{PAGE}/{token}", {"do": do})
    assert page.status == 200
    return page.text


class TestABlockedToken:
    def test_is_refused_with_what_to_do_and_nothing_of_it_waits(self, live: Live, ada: Visitor) -> None:
        world, call = live.world, live.world.call()
        assert post(live, call.uuid).status == 200
        act(ada, world.bob_token.id, "block")
        refused = post(live, call.uuid, {"revenue": "2"})
        assert (refused.status, refused.json["code"]) == (403, "token_blocked")
        assert "owner" in refused.json["hint"]
        assert "held_until" not in post(live, entropy.new_call_uuid()).json
        with world.database.read() as tx:
            assert waiting.list_waiting(tx, world.acme) == []
        assert live.request("GET", "/api/v1/me", auth=world.bob_token.authorization).json["code"] == "token_blocked"
        bulk = {"updates": [{"uuid": call.uuid, "revenue": "3"}]}
        answered = live.request("POST", "/api/v1/calls/bulk_update", body=bulk, auth=world.bob_token.authorization).json
        assert [each["code"] for each in answered["results"]] == ["token_blocked"]
        assert world.state(call)["revenue"] == 1

    def test_is_so_here_alone_and_no_other_token_is(self, live: Live, ada: Visitor) -> None:
        world = live.world
        post(live)
        act(ada, world.bob_token.id, "block")
        assert post(live, auth=world.bob_developer_token.authorization).status == 200
        assert post(live, account="zeta").json["code"] == "no_team"

    def test_counts_again_once_it_is_let(self, live: Live, ada: Visitor) -> None:
        post(live)
        assert "counts here again" not in act(ada, live.world.bob_token.id, "block")
        assert post(live).json["code"] == "token_blocked"
        assert "counts here again" in act(ada, live.world.bob_token.id, "unblock")
        assert post(live).status == 200

    def test_has_what_came_early_wait_for_a_person(self, live: Live, ada: Visitor) -> None:
        uuid = entropy.new_call_uuid()
        assert "held_until" in post(live, uuid, {"buyer_converted": "true"}).json
        act(ada, live.world.bob_token.id, "block")
        assert record(live, {"uuid": uuid, "caller_number": "+17195550123", "buyer": "Bright Roofing"}).status == 201
        call = live.request("GET", f"/api/v1/calls/{uuid}", auth=live.world.ada_token.authorization).json["call"]
        assert call["buyer_converted"] is None
        with live.world.database.read() as tx:
            (held,) = waiting.list_waiting(tx, live.world.acme, call_uuid=read_uuid(uuid))
        assert held.code == "token_blocked"
        assert ada.get("/a/acme/updates/waiting").status == 200
        assert ada.get(f"/a/acme/updates/{held.id}").status == 200


class TestThePage:
    def test_lists_tokens_of_others_that_were_used_here(self, live: Live, ada: Visitor) -> None:
        world = live.world
        assert "None yet" in ada.get(PAGE)
        unused = world.token(world.bob, world.acme, description="unused").id
        post(live)
        post(live, auth=world.ada_token.authorization)
        post(live, auth=world.charlie_token.authorization)
        shown = ada.get(PAGE)
        assert world.bob_token.id in shown.html
        for token in (unused, world.ada_token.id, world.charlie_token.id):
            assert token not in shown.html
        assert "a test's" not in shown
        assert str(world.bob_token.public_key) not in shown.html

    def test_leads_to_a_stranger_s_token_from_his_update(self, live: Live, ada: Visitor) -> None:
        receipt = post(live, auth=live.world.charlie_token.authorization).json["receipt_id"]
        page = ada.get(f"/a/acme/updates/{receipt}")
        assert "Block it here" in page
        act(ada, live.world.charlie_token.id, "block")
        assert live.world.charlie_token.id in ada.get(PAGE).html
        assert "Block it here" not in ada.get(f"/a/acme/updates/{receipt}")

    def test_is_audited_once(self, live: Live, ada: Visitor) -> None:
        post(live)
        for do in ("block", "block", "unblock", "unblock"):
            act(ada, live.world.bob_token.id, do)
        key = str(live.world.bob_token.public_key)[:10]
        for action in ("token.blocked", "token.unblocked"):
            assert told(live, action) == [(f"access token of bob@bright.example: {key}…", {})]

    @pytest.mark.parametrize("whose", ["ada", "nobody"])
    def test_blocks_none_of_those_who_run_the_account_nor_what_is_not_there(
        self, live: Live, ada: Visitor, whose: str
    ) -> None:
        token = live.world.ada_token.id if whose == "ada" else entropy.new_id()
        assert ada.post(f"{PAGE}/{token}", {"do": "block"}).status == 404
        assert post(live, auth=live.world.ada_token.authorization).status == 200

    def test_is_for_owners(self, live: Live, meg: Visitor, bob: Visitor) -> None:
        receipt = post(live).json["receipt_id"]
        for visitor in (meg, bob):
            assert visitor.get(PAGE).status in {403, 404}
            assert visitor.post(f"{PAGE}/{live.world.bob_token.id}", {"do": "block"}).status in {403, 404}
            assert "Block it here" not in visitor.get(f"/a/acme/updates/{receipt}")
        assert post(live).status == 200
