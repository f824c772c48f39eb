"""Postbacks as outgoing webhooks by the API: what is shown of them, and to whom."""

from __future__ import annotations

import pytest

from ringback import clock, entropy
from ringback.domain.access import AccessType
from ringback.domain.postbacks import Definition, Owner, Postback, Trigger
from ringback.domain.vault import Kind
from ringback.store import postbacks, vault
from ringback.store.vault import Sealed
from tests.api.partnering import TYPES, WHO, fresh, token_of
from tests.live import Live, Reply


class TestOutgoingWebhooks:
    def fill(self, stage: Live) -> list[Postback]:
        """Two postbacks, one with a credential of the vault."""
        world, now = stage.world, clock.now()
        with world.database.write() as tx:
            number = vault.new_number(tx, world.acme)
            name, sealed = f"Summit {number}", b"sealed-secret"
            vault.add(tx, Sealed(world.acme, number, name, Kind.BEARER, "summit.example", sealed, "key", now, now))
            plain = Definition("GET", "https://summit.example/x?auth_token=SUPERSECRETVALUE12", body_kind="none")
            rich = Definition(
                "POST",
                "https://summit.example/y",
                headers=(("X-Source", "[source]"),),
                body='{"revenue": "[revenue]"}',
                credential=str(number),
                timeout=12,
                conditions=(("revenue", ">", "5"),),
            )
            made = []
            for trigger, definition in ((Trigger.CALL_RECORDED, plain), (Trigger.BUYER_CONVERTED, rich)):
                number, uuid = postbacks.new_number(tx, world.acme), entropy.new_id()
                owner, owner_id = (Owner.ACCOUNT, None) if definition is plain else (Owner.BUYER, world.bright)
                kept = (world.acme, number, uuid, fresh(), owner, owner_id, trigger, 1, definition, None, now, now)
                made.append(Postback(*kept))
                postbacks.add(tx, made[-1], world.ada)
        return made

    def ask(self, stage: Live, where: str = "", auth: str = "", account: str = "acme") -> Reply:
        auth = auth or stage.world.ada_token.authorization
        return stage.request("GET", f"/api/v1/outgoing_webhooks{where}", auth=auth, account=account)

    def test_are_shown_under_trackdrive_s_names_without_secrets(self, live: Live) -> None:
        plain, rich = self.fill(live)
        reply = self.ask(live, ".json")
        first, second = reply.json["outgoing_webhooks"]
        assert (first["trigger_type"], first["owner"], first["remote_method"]) == (
            "new_call_started",
            "global_company_id",
            "get",
        )
        assert "SUPERSECRET" not in reply.body.decode()
        assert "sealed" not in reply.body.decode()
        expected = {
            "name": rich.name,
            "trigger_type": "buyer_converted",
            "owner": "buyer_id",
            "owner_id": live.world.bright,
            "remote_url": "https://summit.example/y",
            "remote_method": "post_body",
            "post_headers": "X-Source: [source]",
            "post_body": '{"revenue": "[revenue]"}',
            "webhook_read_timeout": 12,
            "conditions": ["revenue > 5"],
            "credential": "Summit 1",
            "paused": False,
        }
        assert {name: second[name] for name in expected} == expected
        for where in (f"/{rich.id}", f"/{rich.uuid}.json"):
            assert self.ask(live, where).json["outgoing_webhook"] == second
        assert self.ask(live, f"/{plain.id}?root=false").json == first

    def test_are_paged(self, live: Live) -> None:
        made = [each.id for each in (*self.fill(live), *self.fill(live))]
        found, cursor = list[int](), -1
        while cursor != 0:
            answer = self.ask(live, f"?per_page=3&cursor={cursor}").json
            found += [row["id"] for row in answer["outgoing_webhooks"]]
            cursor = answer["metadata"]["next_cursor"]
        assert found == made
        assert [row["id"] for row in self.ask(live, "?per_page=3&page=2").json["outgoing_webhooks"]] == made[3:]

    @pytest.mark.parametrize("access_type", TYPES)
    @pytest.mark.parametrize("who", WHO)
    def test_are_shown_to_whom(self, stage: Live, who: str, access_type: AccessType) -> None:
        auth = token_of(stage, who, access_type).authorization
        everything = access_type is AccessType.EVERYTHING
        for where in ("", "/1"):
            reply = self.ask(stage, where, auth)
            if who in ("owner", "manager"):
                assert reply.status == (403 if not everything else 404 if where else 200)
            else:
                assert reply.status == 403

    def test_of_another_company_are_404(self, live: Live) -> None:
        made, world = self.fill(live), live.world
        auth = world.token(world.charlie, world.zeta, access_type=AccessType.EVERYTHING).authorization
        assert self.ask(live, "", auth, "zeta").json["outgoing_webhooks"] == []
        for each in made:
            assert self.ask(live, f"/{each.id}", auth, "zeta").status == 404
            assert self.ask(live, f"/{each.uuid}", auth, "zeta").status == 404

    @pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
    def test_are_not_changed_here(self, stage: Live, method: str) -> None:
        path = "/api/v1/outgoing_webhooks/1"
        assert stage.request(method, path, auth=stage.world.ada_token.authorization).status == 405
