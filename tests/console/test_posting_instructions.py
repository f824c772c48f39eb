"""Posting instructions: who sees which, and that what stands in them really converts a call."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from decimal import Decimal
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from ringback import clock
from ringback.domain.calls import Call
from ringback.store import teams
from tests.console.posting import another_buyer
from tests.console.visitor import Shown, Visitor
from tests.live import Live, Reply

LIST = "/a/acme/posting-instructions"
PAGE = f"{LIST}/1"
BODY = {"buyer_converted": "true", "revenue": "42.00", "offer_converted": "true", "post_call_tokens": {}}
CALL, CREDENTIAL = "<trackdrive_call_uuid>", "<base64_encoded_credentials>"
SOLD = {"buyer_converted": True, "offer_converted": True, "revenue": Decimal(42)}
FIELD = re.compile(r"<dt>([^<]*)</dt><dd>\s*<div[^>]*><code[^>]*>([^<]*)</code>")


def block(page: Shown, name: str) -> str:
    """What the button beside a text copies."""
    assert f'data-copy="{name}"' in page.html
    found = re.search(rf'id="{name}"[^>]*>([^<]*)<', page.html)
    assert found is not None, name
    return unescape(found[1])


def fields(page: Shown, platform: str) -> dict[str, str]:
    """What is to be typed into the fields of a platform."""
    part = page.html.partition(f"<summary>{platform}</summary>")[2].partition("</details>")[0]
    return {unescape(label): unescape(value) for label, value in FIELD.findall(part)}


def filled(live: Live, text: str, call: Call) -> str:
    """A text with a real call and a real credential in the place of its placeholders."""
    assert text.count(CALL) == text.count(CREDENTIAL) == 1
    return text.replace(CALL, call.uuid).replace(CREDENTIAL, str(live.world.bob_token.basic))


def run(*command: str) -> str:
    """What a program says, in an environment that knows nothing of this project."""
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=60, env={"PATH": "/usr/bin:/bin"}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def is_sold(live: Live, call: Call) -> bool:
    state = live.world.state(call)
    return {name: state[name] for name in SOLD} == SOLD


def endpoint(live: Live, call: str, *, by_host: bool = False) -> str:
    root = f"http://acme.localhost:{live.port}" if by_host else f"http://localhost:{live.port}/a/acme"
    return f"{root}/api/v1/calls/update_call/{call}"


class TestWhoSees:
    def test_the_instructions_of_every_buyer_who_runs_the_account(self, live: Live, ada: Visitor, meg: Visitor) -> None:
        other = another_buyer(live)
        for visitor in (ada, meg):
            page = visitor.get(LIST)
            assert "Bright Roofing" in page
            assert "Cool Air & Sons" in page
            assert visitor.get(f"{LIST}/{other}").status == 200

    def test_those_of_his_teams_buyers_who_is_on_a_team(self, live: Live, bob: Visitor) -> None:
        other = another_buyer(live)
        page = bob.get(LIST)
        assert "Bright Roofing" in page
        assert "Cool Air" not in page
        assert bob.get(f"{LIST}/{other}").status == 404
        assert bob.get(PAGE).status == 200

    def test_nothing_of_another_company(self, charlie: Visitor) -> None:
        assert charlie.get(LIST).status == 404
        assert charlie.get(PAGE).status == 404
        assert "No buyers yet" in charlie.get("/a/zeta/posting-instructions")
        assert charlie.get("/a/zeta/posting-instructions/1").status == 404

    def test_no_number_that_is_none(self, ada: Visitor) -> None:
        for number in ("99", "x", "0", "1" * 40):
            assert ada.get(f"{LIST}/{number}").status == 404

    def test_the_list_is_a_link_in_the_sidebar_and_the_page_one_on_the_buyer_s(
        self, ada: Visitor, bob: Visitor
    ) -> None:
        for visitor in (ada, bob):
            visitor.get("/a/acme/calls")
            assert f'<a class="nav-link" href="{LIST}">' in visitor.shown.html
        assert f'href="{PAGE}"' in ada.get("/a/acme/buyers/1").html

    def test_a_member_without_buyers_is_told_whom_to_ask(self, live: Live, bob: Visitor) -> None:
        with live.world.database.write() as tx:
            teams.set_buyers(tx, live.world.acme, live.world.team, [])
        assert "Ask who runs it to add your team under Team Access" in bob.get(LIST)

    def test_the_list_is_searched_and_paged(self, live: Live, ada: Visitor) -> None:
        for number in range(60):
            another_buyer(live, f"Buyer {number:02}")
        first = ada.get(LIST)
        assert "Buyer 48" in first
        assert "Buyer 49" not in first
        following = re.search(r'href="([^"]*)" rel="next"', first.html)
        assert following is not None
        assert "Buyer 49" in ada.get(unescape(following[1]))
        found = ada.get(f"{LIST}?q=buyer+07")
        assert "Buyer 07" in found
        assert "Buyer 08" not in found
        assert "No buyer has “nobody” in its name" in ada.get(f"{LIST}?q=nobody")


class TestRights:
    def test_what_a_team_lacks_is_said_to_who_can_grant_it(self, live: Live, ada: Visitor) -> None:
        live.world.grant(["buyer_converted", "revenue"])
        page = ada.get(PAGE)
        assert "Buyer Converted?, Buyer Revenue TS Converted, TS Payout, Contact Fields" in page
        assert f'href="/a/acme/company/teams/{live.world.team}"' in page.html
        assert "turn on Enable Developer API Access , and grant Update on what is missing" in page
        assert "not all granted" in ada.get(LIST)

    def test_that_nothing_is_missing_is_said_too(self, ada: Visitor) -> None:
        assert "To let postbacks through" not in ada.get(PAGE)
        assert "Bright Roofing granted" in ada.get(LIST)

    def test_contact_fields_may_be_missing(self, live: Live, ada: Visitor) -> None:
        live.world.grant(["buyer_converted", "revenue", "offer_converted", "payout"])
        assert "Contact Fields (only if it carries contact data)" in ada.get(PAGE)
        assert "granted" in ada.get(LIST)

    def test_without_a_team_the_way_to_team_access_is_shown(self, live: Live, ada: Visitor) -> None:
        other = another_buyer(live)
        page = ada.get(f"{LIST}/{other}")
        assert "No team sees the calls of Cool Air & Sons yet" in page
        assert f'href="/a/acme/buyers/{other}#team-access"' in page.html
        assert "Cool Air & Sons no team yet" in ada.get(LIST)

    def test_a_member_is_told_of_his_own_teams_alone(self, live: Live, bob: Visitor) -> None:
        with live.world.database.write() as tx:
            other = teams.add(tx, live.world.acme, "Night-Shift", clock.now())
            teams.change(tx, live.world.acme, other, every_buyer=True)
        page = bob.get(PAGE)
        assert "What your teams may update now" in page
        for secret in ("Night-Shift", "company/teams", "Share these instructions", "ada@acme.example", "Edit buyer"):
            assert secret not in page.html


class TestTheAddress:
    def test_is_that_of_the_account_in_both_forms(self, live: Live, ada: Visitor) -> None:
        page = ada.get(PAGE)
        assert block(page, "url") == endpoint(live, CALL)
        page = ada.get(f"{PAGE}?address=host")
        assert block(page, "url") == endpoint(live, CALL, by_host=True)
        assert block(ada.get(f"{PAGE}?address=elsewhere"), "url") == endpoint(live, CALL)

    def test_has_the_guide_s_tokens_where_one_postback_serves_every_account(self, live: Live, ada: Visitor) -> None:
        path = "/api/v1/calls/update_call/[trackdrive_call_uuid]"
        for form, root in (
            ("path", f"http://localhost:{live.port}/a/[trackdrive_subdomain]"),
            ("host", f"http://[trackdrive_subdomain].localhost:{live.port}"),
        ):
            assert block(ada.get(f"{PAGE}?address={form}"), "any-url") == root + path

    def test_is_chosen_for_the_code_and_the_platforms_too(self, live: Live, ada: Visitor) -> None:
        page = ada.get(f"{PAGE}?address=host")
        for name in ("curl", "python", "php", "javascript"):
            assert endpoint(live, CALL, by_host=True) in block(page, f"code-{name}")
        for platform in ("Ringba", "Retreaver", "Zapier", "n8n"):
            assert f"//acme.localhost:{live.port}/api" in str(fields(page, platform))


class TestTheRequest:
    def test_is_the_guide_s(self, ada: Visitor) -> None:
        page = ada.get(PAGE)
        assert block(page, "headers") == f"Content-Type: application/json\nAuthorization: Basic {CREDENTIAL}"
        assert json.loads(block(page, "body")) == BODY

    def test_converts_a_call_as_it_stands_there(self, live: Live, bob: Visitor) -> None:
        page, call = bob.get(PAGE), live.world.call()
        lines = filled(live, f"{block(page, 'url')}\n{block(page, 'headers')}", call).splitlines()
        headers = dict(line.split(": ") for line in lines[1:])
        reply = live.request("POST", urlsplit(lines[0]).path, body=block(page, "body"), headers=headers, account="")
        assert (reply.status, reply.json["warnings"]) == (200, [])
        assert is_sold(live, call)

    def test_a_dry_run_works_before_there_is_a_call(self, live: Live, bob: Visitor) -> None:
        page = bob.get(PAGE)
        url = urlsplit(block(page, "trial"))
        auth = live.world.bob_token.authorization
        reply = live.request("POST", f"{url.path}?{url.query}", body=block(page, "body"), auth=auth, account="")
        assert (reply.status, reply.json["dry_run"]) == (200, True)

    def test_the_credential_is_had_as_the_guide_says(self, bob: Visitor) -> None:
        page = bob.get(PAGE)
        assert (
            "Open Integrations > API & Access Tokens from the sidebar. Click New . "
            "Description : a descriptive label, for example Global Basic Auth for ops@buyer.example . "
            "Under Data Access , set Access Type to Calls ."
        ) in page
        for link in ("/a/acme/tokens", "/a/acme/tokens/new", "/a/acme/developer-tokens"):
            assert f'href="{link}"' in page.html
            assert bob.get(link).status == 200

    def test_the_answers_that_are_explained_are_those_that_come(self, live: Live, bob: Visitor) -> None:
        page, auth = bob.get(PAGE), live.world.bob_token.authorization
        call = live.world.call()
        unknown = "11111111-1111-4111-8111-111111111111"
        foreign = live.world.call(buyer=None)
        replies: list[Reply] = [
            live.update(call.uuid, BODY, auth=auth),
            live.update(call.uuid, BODY),
            live.update(foreign.uuid, BODY, auth=auth),
            live.update(unknown, BODY, auth=auth),
            live.update(call.uuid, {**BODY, "revenue": "1,25"}, auth=auth),
        ]
        assert [reply.status for reply in replies] == [200, 401, 403, 404, 422]
        for reply in replies:
            assert f"<strong>{reply.status}</strong>" in page.html
        assert replies[3].json["held_until"]


class TestCode:
    @pytest.mark.parametrize("form", ["path", "host"])
    def test_curl_converts_a_call(self, live: Live, bob: Visitor, form: str) -> None:
        call = live.world.call()
        line = filled(live, block(bob.get(f"{PAGE}?address={form}"), "code-curl"), call)
        bash = shutil.which("bash")
        assert bash is not None
        assert json.loads(run(bash, "-c", line))["code"] == "applied"
        assert is_sold(live, call)

    def test_python_converts_a_call(self, live: Live, bob: Visitor) -> None:
        call = live.world.call()
        program = filled(live, block(bob.get(PAGE), "code-python"), call)
        status, _, answer = run(sys.executable, "-I", "-c", program).partition(" ")
        assert (status, json.loads(answer)["code"]) == ("200", "applied")
        assert is_sold(live, call)

    def test_python_shows_why_it_was_refused(self, live: Live, bob: Visitor) -> None:
        live.world.grant([])
        program = filled(live, block(bob.get(PAGE), "code-python"), live.world.call())
        status, _, answer = run(sys.executable, "-I", "-c", program).partition(" ")
        assert (status, json.loads(answer)["code"]) == ("403", "permission_denied")

    def test_javascript_says_the_same(self, live: Live, bob: Visitor) -> None:
        text = block(bob.get(PAGE), "code-javascript")
        called = re.fullmatch(
            r'const answer = await fetch\("([^"]*)", \{\n  method: "POST",\n  headers: (\{.*?\}),\n'
            r"  body: JSON\.stringify\((\{.*?\})\),\n  signal: AbortSignal\.timeout\(10_000\),\n\}\);\n"
            r"console\.log\(answer\.status, await answer\.text\(\)\);\n",
            text,
            re.DOTALL,
        )
        assert called is not None
        assert called[1] == endpoint(live, CALL)
        assert without_last_commas(called[2]) == HEADERS
        assert without_last_commas(called[3]) == BODY

    def test_php_says_the_same(self, live: Live, bob: Visitor) -> None:
        text = block(bob.get(PAGE), "code-php")
        called = re.fullmatch(
            r"<\?php\n\$request = curl_init\('([^']*)'\);\ncurl_setopt_array\(\$request, \[\n"
            r"    CURLOPT_POST => true,\n    CURLOPT_HTTPHEADER => (\[.*?\]),\n"
            r"    CURLOPT_POSTFIELDS => json_encode\(\[(.*?)\]\),\n"
            r"    CURLOPT_RETURNTRANSFER => true,\n    CURLOPT_TIMEOUT => 10,\n\]\);\n"
            r"\$answer = curl_exec\(\$request\);\necho [^;]*;\n",
            text,
            re.DOTALL,
        )
        assert called is not None
        assert called[1] == endpoint(live, CALL)
        sent = without_last_commas(called[2].replace("'", '"'))
        assert dict(line.split(": ") for line in sent) == HEADERS
        body = called[3].replace("(object) []", "{}").replace("'", '"').replace(" =>", ":")
        assert without_last_commas(f"{{{body}}}") == BODY

    def test_what_was_left_standing_is_refused_with_a_reason(self, live: Live) -> None:
        call = live.world.call()
        reply = live.update(call.uuid, BODY, auth=f"Basic {CREDENTIAL}")
        assert (reply.status, reply.json["code"]) == (401, "basic_malformed")
        assert "no angle brackets" in reply.json["hint"]
        reply = live.update("%3Ctrackdrive_call_uuid%3E", BODY, auth=live.world.bob_token.authorization)
        assert (reply.status, reply.json["code"]) == (404, "call_not_found")


HEADERS = {"Content-Type": "application/json", "Authorization": f"Basic {CREDENTIAL}"}


def without_last_commas(text: str) -> Any:  # noqa: ANN401
    """Read what is JSON but for the commas after the last values."""
    return json.loads(re.sub(r",(\s*[}\]])", r"\1", text))


REPLACED: Mapping[str, Mapping[str, str]] = {
    "Ringba": {"[tag:user:trackdrive_call_uuid]": CALL, "[Call:ConversionPayout]": "42.00"},
    "Zapier": {"<revenue>": "42.00"},
    "n8n": {"{{ $json.trackdrive_call_uuid }}": CALL, "{{ $json.revenue }}": "42.00"},
}
"""What each platform puts in the place of its own tokens."""

PLACES = {
    "Ringba": ("URL", "HTTP Method", "Headers: value", "Body"),
    "Zapier": ("URL", "Method", "Headers: Authorization", "Data"),
    "n8n": ("URL", "Method", "Header Auth: Value", "JSON"),
}
"""The fields that make the request, on each platform."""


class TestPlatforms:
    @pytest.mark.parametrize("platform", REPLACED)
    def test_what_is_typed_there_makes_the_guide_s_request(self, live: Live, bob: Visitor, platform: str) -> None:
        typed = fields(bob.get(PAGE), platform)
        url, method, authorization, body = (typed[name] for name in PLACES[platform])
        for token, value in REPLACED[platform].items():
            assert (url + body).count(token) == 1
            url, body = url.replace(token, value), body.replace(token, value)
        assert (url, method, authorization) == (endpoint(live, CALL), "POST", f"Basic {CREDENTIAL}")
        assert json.loads(body) == BODY

    def test_retreaver_is_told_all_in_one_url(self, live: Live, bob: Visitor) -> None:
        typed = fields(bob.get(PAGE), "Retreaver")["Webhook URL"]
        token = str(live.world.bob_developer_token.token)
        told = parse_qs(urlsplit(typed.replace("<token_value>", token).replace("<payout>", "42.00")).query)
        assert told["ping_url"] == [endpoint(live, "[trackdrive_call_uuid]")]
        assert told["ping_method"] == ["POST"]
        headers = {"Content-Type": "application/json", "Authorization": f"Token {token}"}
        assert json.loads(told["ping_headers"][0]) == headers
        assert json.loads(told["ping_data"][0]) == BODY
        call = live.world.call()
        assert live.update(call.uuid, told["ping_data"][0], headers=headers).status == 200
        assert is_sold(live, call)

    @pytest.mark.parametrize(("platform", "field"), [("Ringba", "Body"), ("n8n", "JSON")])
    def test_tokens_that_were_not_replaced_are_recognised(
        self, live: Live, bob: Visitor, platform: str, field: str
    ) -> None:
        body = fields(bob.get(PAGE), platform)[field]
        headers = {"Content-Type": "application/json"}
        auth = live.world.bob_token.authorization
        reply = live.update(live.world.call().uuid, body, auth=auth, headers=headers)
        assert (reply.status, reply.json["code"]) == (422, "unreplaced_token")
        assert platform in reply.json["errors"]["revenue"]
