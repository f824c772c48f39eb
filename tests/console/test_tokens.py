"""API & Access Tokens and Developer Access Tokens: one's own, told once, rotated, revoked."""

from __future__ import annotations

import re
import shlex
from html import unescape
from itertools import pairwise
from urllib.parse import urlsplit

import pytest

from ringback.domain.access import AccessType, Role
from ringback.domain.credentials import basic_value
from ringback.services import tokens
from ringback.store import accounts, teams
from ringback.store.accounts import TokenRow
from tests.console.deeds import told
from tests.console.visitor import Shown, Visitor, visiting
from tests.live import Live, Reply

BASIC = "/a/acme/tokens"
DEVELOPER = "/a/acme/developer-tokens"
KINDS = [BASIC, DEVELOPER]
FORM = {"description": "Global Basic Auth for ops@buyer.example", "access_type": "calls", "lasts": "never"}


def rows(live: Live, user: int) -> list[TokenRow]:
    with live.world.database.read() as tx:
        return accounts.list_tokens(tx, user_id=user)


def newest(live: Live, user: int) -> TokenRow:
    return rows(live, user)[-1]


def copied(page: Shown, name: str) -> str:
    """What the button beside it copies."""
    assert f'data-copy="{name}"' in page.html
    found = re.search(rf'id="{name}"[^>]*>([^<]*)<', page.html)
    assert found is not None
    return unescape(found[1])


def pasted(live: Live, line: str) -> Reply:
    """What the server answers to a line with curl, pasted into a shell."""
    program, *arguments = shlex.split(line)
    options = {option: value for option, value in pairwise(arguments) if option[0] == "-"}
    url = urlsplit(arguments[-1])
    name, _, value = options["-H"].partition(": ")
    assert (program, name, url.port) == ("curl", "Authorization", live.port)
    headers = {"Content-Type": "application/x-www-form-urlencoded"} if "-d" in options else {}
    path = f"{url.path}?{url.query}" if url.query else url.path
    method = options.get("-X", "GET")
    return live.request(method, path, body=options.get("-d"), auth=value, headers=headers, account="")


class TestTheList:
    def test_shows_only_ones_own_of_the_kind(self, live: Live, bob: Visitor) -> None:
        live.world.token(live.world.bob, live.world.acme, description="Bob's pair")
        live.world.token(live.world.bob, live.world.acme, description="Bob's value", kind=tokens.DEVELOPER)
        live.world.token(live.world.ada, live.world.acme, description="Ada's pair")
        pairs, values = bob.get(BASIC), bob.get(DEVELOPER)
        assert "Bob's pair" in pairs
        assert "Bob's value" not in pairs
        assert "Bob's value" in values
        assert "Ada's" not in f"{pairs.text}{values.text}"

    @pytest.mark.parametrize(("path", "button"), [(BASIC, "New"), (DEVELOPER, "New Developer Access Token")])
    def test_teaches_while_it_is_empty(self, live: Live, path: str, button: str) -> None:
        world = live.world
        with world.database.write() as tx:
            teams.set_users(tx, world.acme, world.team, [world.bob, world.charlie])
        with world.database.write() as tx:
            for row in accounts.list_tokens(tx, user_id=world.charlie):
                accounts.change_token(tx, row.id, user_id=world.ada)
        page = visiting(live, world.charlie).get(path)
        assert "It may do what your teams may." in page
        assert f">{button}</a>" in page.html

    def test_says_what_each_may_update_here(self, live: Live, bob: Visitor, ada: Visitor) -> None:
        world = live.world
        world.grant(["revenue", "payout"])
        world.token(world.bob, world.acme, description="reader", access_type=AccessType.CALLS_READ)
        page = bob.get(BASIC)
        assert "Calls Buyer Revenue, TS Payout never never active" in page
        assert "Calls, read only nothing, it only reads" in page
        assert "Everything all 9 attributes" in ada.get(BASIC)
        world.grant(["revenue"], developer_api=False)
        assert "Calls nothing yet" in bob.get(BASIC)

    def test_says_when_and_from_where_it_was_used(self, live: Live, bob: Visitor) -> None:
        live.request("GET", "/api/v1/me", auth=live.world.bob_token.authorization)
        live.update(live.world.call().uuid, {"revenue": "1"}, auth=live.world.bob_token.authorization)
        assert "just now from 127.0.0.1" in bob.get(BASIC)

    def test_goes_on_page_by_page(self, live: Live, bob: Visitor) -> None:
        for number in range(51):
            live.world.token(live.world.bob, live.world.acme, description=f"token {number}!")
        page = bob.get(BASIC)
        assert "token 50!" in page
        assert "token 0!" not in page
        older = re.search(r'href="([^"]*)" rel="next"', page.html)
        assert older is not None
        page = bob.get(unescape(older[1]))
        assert "token 0!" in page
        assert "token 50!" not in page
        assert bob.get(f"{BASIC}?before=nonsense").status == 200
        assert "No older ones" in bob.get(f"{BASIC}?before={rows(live, live.world.bob)[0].id}")


class TestANewOne:
    def test_is_asked_for_as_the_guide_has_it(self, bob: Visitor) -> None:
        page = bob.get(f"{BASIC}/new")
        assert 'placeholder="Global Basic Auth for ops@buyer.example"' in page.html
        for words in ("Description", "Data Access", "Access Type", "IP allow-list", "Expires"):
            assert words in page
        assert [
            unescape(label) for label in re.findall(r'<option value="(?:calls|every)[^>]*>([^<]*)<', page.html)
        ] == [
            "Calls",
            "Calls, read only",
            "Everything",
        ]
        assert "Restricted to" not in page
        assert ">Save</button>" in page.html

    def test_is_shown_once_with_a_line_that_tries_it_out(self, live: Live, bob: Visitor) -> None:
        page = bob.post(f"{BASIC}/new", FORM)
        assert (page.status, page.path) == (200, f"{BASIC}/new")
        assert "it can't be shown again" in page
        public, private = copied(page, "public-key"), copied(page, "private-key")
        assert copied(page, "authorization") == f"Basic {basic_value(public, private)}"
        answer = pasted(live, copied(page, "trial"))
        assert (answer.status, answer.json["dry_run"]) == (200, True)
        assert set(answer.json["verdicts"].values()) == {"allowed"}
        token = newest(live, live.world.bob)
        for path in (BASIC, f"{BASIC}/{token.id}"):
            assert private not in bob.get(path).html
            assert token.description in bob.shown
        ((subject, details),) = told(live, "token.made")
        assert subject == "an access token of his own"
        assert private not in str(details)

    def test_of_the_other_kind_is_one_value(self, live: Live, bob: Visitor) -> None:
        page = bob.post(f"{DEVELOPER}/new", FORM)
        assert copied(page, "authorization") == f"Token {copied(page, 'token-value')}"
        assert "Private key" not in page
        assert pasted(live, copied(page, "trial")).json["dry_run"] is True

    def test_that_only_reads_is_tried_out_by_reading(self, live: Live, bob: Visitor) -> None:
        page = bob.post(f"{BASIC}/new", {**FORM, "access_type": "calls-read"})
        answer = pasted(live, copied(page, "trial"))
        assert answer.json["me"]["user"]["email"] == "bob@bright.example"

    def test_is_never_kept_by_the_browser(self, bob: Visitor) -> None:
        assert bob.post(f"{BASIC}/new", FORM).headers["cache-control"] == "no-store"

    def test_keeps_what_was_typed_when_something_is_wrong(self, live: Live, bob: Visitor) -> None:
        before = len(rows(live, live.world.bob))
        wrong = {
            **FORM,
            "access_type": "calls-read",
            "networks": "203.0.113.0/24\n<b>",
            "lasts": "day",
            "day": "2020-01-01",
        }
        page = bob.post(f"{BASIC}/new", wrong)
        assert page.status == 422
        assert "This is no address and no CIDR, as 203.0.113.0/24 is: <b>." in page.text
        assert "Choose a day from today on" in page
        assert '<option value="calls-read" selected>' in page.html
        assert "203.0.113.0/24\n&lt;b&gt;</textarea>" in page.html
        assert 'value="2020-01-01"' in page.html
        assert len(rows(live, live.world.bob)) == before
        assert told(live, "token.made") == []

    def test_is_refused_elsewhere_as_it_was_asked(self, live: Live, bob: Visitor) -> None:
        page = bob.post(f"{BASIC}/new", {**FORM, "networks": "203.0.113.0/24", "lasts": "30"})
        assert pasted(live, copied(page, "trial")).json["code"] == "ip_not_allowed"
        token = newest(live, live.world.bob)
        assert token.networks == ("203.0.113.0/24",)
        assert token.expires_at is not None

    def test_says_what_ones_teams_may(self, live: Live, ada: Visitor, bob: Visitor, meg: Visitor) -> None:
        live.world.grant(["revenue"])
        link = f'href="/a/acme/company/teams/{live.world.team}"'
        page = bob.get(f"{BASIC}/new")
        assert "Bright Roofing on 1 buyer Buyer Revenue" in page
        assert link not in page.html
        live.world.grant(["revenue"], developer_api=False)
        assert "nothing while Developer API access is off" in bob.get(f"{BASIC}/new")
        assert "You are owner of Acme Media: your tokens may update every attribute" in ada.get(f"{BASIC}/new")
        with live.world.database.write() as tx:
            (manager,) = (
                number for number, role in accounts.list_roles(tx, live.world.acme).items() if role == "manager"
            )
            teams.set_users(tx, live.world.acme, live.world.team, [manager])
        assert link in meg.get(f"{BASIC}/new").html
        assert "You are manager of Acme Media" in meg.shown
        with live.world.database.write() as tx:
            accounts.set_role(tx, live.world.acme, live.world.bob, Role.MEMBER)
        assert "Nothing yet: you are on no team here." in bob.get(f"{BASIC}/new")


class TestInSeveralAccounts:
    @pytest.fixture
    def bob(self, live: Live) -> Visitor:
        """Bob, who belongs to Zeta too."""
        with live.world.database.write() as tx:
            accounts.set_role(tx, live.world.zeta, live.world.bob, Role.MEMBER)
        return visiting(live, live.world.bob)

    def test_it_may_be_restricted_to_some(self, live: Live, bob: Visitor) -> None:
        zeta = str(live.world.zeta)
        page = bob.get(f"{BASIC}/new")
        assert "Acme Media acme Zeta Leads zeta" in page
        page = bob.post(f"{BASIC}/new", {**FORM, "account": [zeta, "999"]})
        assert newest(live, live.world.bob).accounts == (live.world.zeta,)
        assert "/a/zeta/api/v1/" in copied(page, "trial")
        assert "Zeta" not in str(told(live, "token.made"))

    def test_it_is_there_in_each(self, live: Live, bob: Visitor) -> None:
        bob.post(f"{BASIC}/new", {**FORM, "access_type": "everything"})
        page = bob.get("/a/zeta/tokens")
        assert "in acme" in page
        token = newest(live, live.world.bob)
        page = bob.post(f"/a/zeta/tokens/{token.id}/rotate", {"overlap": "0", "lasts": "never"})
        assert "/a/acme/api/v1/" in copied(page, "trial")
        bob.post(f"/a/zeta/tokens/{newest(live, live.world.bob).id}/revoke")
        assert [len(told(live, f"token.{what}")) for what in ("made", "rotated", "revoked")] == [1, 1, 1]


class TestAToken:
    def test_is_changed(self, live: Live, bob: Visitor) -> None:
        url = f"{BASIC}/{live.world.bob_token.id}"
        assert f"{live.world.bob_token.public_key}" in bob.get(url).html
        page = bob.post(url, {"description": "Zapier", "access_type": "calls-read", "networks": "10.0.0.1"})
        assert "Saved." in page
        assert "10.0.0.1/32</textarea>" in page.html
        ((_, details),) = told(live, "token.changed")
        assert (details["before"]["access_type"], details["after"]["access_type"]) == ("Calls", "Calls, read only")
        page = bob.post(url, {"description": "Zapier", "access_type": "calls-read", "networks": "10.0.0.1"})
        assert "Nothing was different." in page
        page = bob.post(url, {"description": "", "access_type": "calls"})
        assert (page.status, "A name is empty." in page) == (422, True)

    def test_is_rotated_with_an_overlap(self, live: Live, bob: Visitor) -> None:
        old = live.world.bob_token
        page = bob.get(f"{BASIC}/{old.id}/rotate")
        assert '<option value="24" selected>' in page.html
        assert '<option value="never" selected>' in page.html
        page = bob.post(f"{BASIC}/{old.id}/rotate", {"overlap": "24", "lasts": "90"})
        assert "The old one works until" in page
        new = copied(page, "authorization")
        for auth in (old.authorization, new):
            assert live.request("GET", "/api/v1/me", auth=auth).status == 200
        assert "expires soon" in bob.get(BASIC)
        page = bob.post(f"{BASIC}/{old.id}/rotate", {"overlap": "2", "lasts": "never"})
        assert (page.status, "Choose how long the old one goes on working." in page) == (422, True)

    def test_is_rotated_without_one(self, live: Live, bob: Visitor) -> None:
        old = live.world.bob_developer_token
        bob.post(f"{DEVELOPER}/{old.id}/rotate", {"overlap": "0", "lasts": "never"})
        assert live.request("GET", "/api/v1/me", auth=old.authorization).json["code"] == "expired"
        assert "nothing any more" in bob.get(f"{DEVELOPER}/{old.id}")

    def test_is_revoked_after_a_question(self, live: Live, bob: Visitor) -> None:
        token = live.world.bob_token
        assert "This can't be undone" in bob.get(f"{BASIC}/{token.id}/revoke")
        assert live.request("GET", "/api/v1/me", auth=token.authorization).status == 200
        page = bob.post(f"{BASIC}/{token.id}/revoke")
        assert "a test's is revoked: from now on it is refused." in page
        assert live.request("GET", "/api/v1/me", auth=token.authorization).json["code"] == "revoked"
        page = bob.get(f"{BASIC}/{token.id}")
        assert "revoked" in page
        assert "Save" not in page
        for action in ("", "/rotate", "/revoke"):
            assert bob.post(f"{BASIC}/{token.id}{action}", {**FORM, "overlap": "0"}).status == 404
        assert len(told(live, "token.revoked")) == 1


class TestOthers:
    @pytest.mark.parametrize("action", ["", "/rotate", "/revoke"])
    @pytest.mark.parametrize("path", KINDS)
    def test_reach_none_of_ones_tokens(
        self, live: Live, ada: Visitor, charlie: Visitor, path: str, action: str
    ) -> None:
        token = live.world.bob_token if path == BASIC else live.world.bob_developer_token
        for visitor, account in ((ada, "acme"), (charlie, "zeta"), (charlie, "acme")):
            url = f"{path.replace('acme', account)}/{token.id}{action}"
            assert visitor.get(url).status == 404
            assert visitor.post(url, {**FORM, "overlap": "0"}).status == 404
        row = next(row for row in rows(live, live.world.bob) if row.id == token.id)
        assert (row.revoked_at, row.expires_at, row.description) == (None, None, "a test's")

    @pytest.mark.parametrize("path", KINDS)
    def test_see_no_page_of_an_account_that_is_not_theirs(self, charlie: Visitor, path: str) -> None:
        for page in (path, f"{path}/new"):
            assert charlie.get(page).status == 404
        assert charlie.post(f"{path}/new", FORM).status == 404

    def test_the_other_kind_is_elsewhere(self, live: Live, bob: Visitor) -> None:
        assert bob.get(f"{DEVELOPER}/{live.world.bob_token.id}").status == 404
        assert bob.get(f"{BASIC}/no-id").status == 404

    def test_a_form_from_elsewhere_makes_none(self, live: Live, bob: Visitor) -> None:
        bob.get(f"{BASIC}/new")
        assert bob.post(f"{BASIC}/new", FORM, site="cross-site").status == 403
        assert bob.post(f"{BASIC}/new", FORM, csrf="x").status == 403
        assert len(rows(live, live.world.bob)) == 2
