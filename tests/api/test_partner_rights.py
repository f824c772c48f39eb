"""Who may see and change which buyers, offers and traffic sources by the API."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from ringback import entropy
from ringback.domain.access import AccessType, Level
from ringback.services.partner_access import PLURALS
from ringback.store import teams
from tests.api.partnering import NOUNS, TYPES, WHO, Asking, fresh, token_of
from tests.live import Live, Reply


@pytest.fixture(params=NOUNS)
def ada(request: pytest.FixtureRequest, stage: Live) -> Asking:
    """Ada, who owns Acme, asking for each kind of partner in turn."""
    return Asking(stage, request.param, stage.world.ada_token.authorization)


@pytest.fixture
def buyers(stage: Live) -> Asking:
    """Ada, asking for buyers."""
    return Asking(stage, "buyer", stage.world.ada_token.authorization)


class TestWhoMay:
    @pytest.mark.parametrize("access_type", TYPES)
    @pytest.mark.parametrize("who", WHO)
    def test_do_what(self, ada: Asking, who: str, access_type: AccessType) -> None:
        stage, noun = ada.stage, ada.noun
        mine = stage.world.bright if noun == "buyer" else ada.make()["id"]
        asking = Asking(stage, noun, token_of(stage, who, access_type).authorization)
        before = ada.read(mine)

        def code(reply: Reply) -> str:
            return str(reply.json.get("code", reply.status))

        reading = {code(asking("GET")), code(asking("GET", f"/{mine}"))}
        writing = {code(asking("POST", "", {"name": fresh()}))} | {
            code(asking(method, f"/{where}", {"paused": False}))
            for method in ("POST", "PUT", "PATCH")
            for where in (mine, "nobody")
        }
        everything = access_type is AccessType.EVERYTHING
        if who in ("owner", "manager"):
            assert reading == {"200"}
            assert writing == ({"made", "unchanged", "not_there"} if everything else {"may_not_change"})
        elif who == "member":
            assert reading == ({"200"} if noun == "buyer" else {"may_not_see"})
            assert writing == {"may_not_change"}
        else:
            foreign = everything and who == "another company"
            assert reading == writing == {"access_type" if foreign else "no_team"}
        assert ada.read(mine) == before

    @pytest.mark.parametrize(
        ("noun", "more"), [("offer", ""), ("outgoing_webhook", " with the Access Type Everything")]
    )
    def test_is_told_with_what_else_would_do(self, stage: Live, noun: str, more: str) -> None:
        reply = stage.request("GET", f"/api/v1/{noun}s", auth=stage.world.bob_token.authorization)
        assert (reply.json["code"], reply.json["hint"]) == ("may_not_see", f"Use an owner's or manager's token{more}.")

    @pytest.mark.parametrize(
        ("rights", "told"),
        [
            ({"revenue": Level.UPDATE}, True),
            ({"revenue": Level.READ}, True),
            ({"revenue": Level.NONE}, False),
            ({"payout": Level.UPDATE}, False),
        ],
    )
    def test_a_member_sees_the_buyers_of_his_teams_and_of_these_what_he_may_read(
        self, stage: Live, buyers: Asking, rights: Mapping[str, Level], *, told: bool
    ) -> None:
        hidden = buyers.make(agreed_revenue="7777")
        stage.world.grant(rights)
        bob = Asking(stage, "buyer", stage.world.bob_token.authorization)
        (shown,) = bob("GET").json["buyers"]
        assert shown == bob.read(stage.world.bright)
        assert shown["name"] == "Bright Roofing"
        assert ("agreed_revenue" in shown) is told
        assert "email" not in shown
        for name in (hidden["id"], hidden["uuid"]):
            reply = bob("GET", f"/{name}")
            assert (reply.status, reply.json["code"]) == (404, "not_there")
            assert reply.json == bob("GET", f"/{name}").json

    def test_a_team_without_api_access_shows_nothing(self, stage: Live) -> None:
        stage.world.grant({}, developer_api=False)
        reply = Asking(stage, "buyer", stage.world.bob_token.authorization)("GET")
        assert (reply.status, reply.json["code"]) == (403, "api_access_off")

    def test_a_team_that_sees_every_buyer_shows_them_all(self, stage: Live, buyers: Asking) -> None:
        made = buyers.make()
        with stage.world.database.write() as tx:
            teams.change(tx, stage.world.acme, stage.world.team, every_buyer=True)
        bob = Asking(stage, "buyer", stage.world.bob_token.authorization)
        assert bob.read(made["id"])["name"] == made["name"]
        with stage.world.database.write() as tx:
            teams.change(tx, stage.world.acme, stage.world.team, every_buyer=False)
        assert bob("GET", f"/{made['id']}").status == 404

    def test_the_id_of_another_company_s_is_404(self, ada: Asking) -> None:
        made = ada.make(**{f"user_{ada.noun}_id": entropy.new_id()})
        auth = ada.stage.world.token(
            ada.stage.world.charlie, ada.stage.world.zeta, access_type=AccessType.EVERYTHING
        ).authorization
        charlie = Asking(ada.stage, ada.noun, auth, "zeta")
        for where in (made["id"], made["uuid"], made[f"user_{ada.noun}_id"]):
            assert charlie("GET", f"/{where}").status == 404
            assert charlie("PUT", f"/{where}", {"name": "Taken"}).status == 404
        assert charlie("GET").json[PLURALS[ada.noun]] == []
        assert ada.read(made["id"]) == made

    def test_nobody_is_401_before_anything_else(self, ada: Asking) -> None:
        for method, where in (("GET", "?per_page=x"), ("POST", ""), ("PUT", "/nobody"), ("GET", "/nobody")):
            reply = ada.stage.request(method, f"/api/v1/{PLURALS[ada.noun]}{where}")
            assert (reply.status, reply.json["code"]) == (401, "missing_credentials")
