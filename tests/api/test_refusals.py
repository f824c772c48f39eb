"""Every refusal of RECEIVING's table: its status, its code, a hint, the headers that belong to it, and no change."""

from __future__ import annotations

import gzip
import re
import socket
import zlib
from base64 import b64encode
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from ringback import clock
from ringback.api import requests
from ringback.app import build
from ringback.domain.access import AccessType
from ringback.domain.bodies import BODY_LIMIT
from ringback.domain.calls import Call
from ringback.domain.decisions import CallRef, RefKind
from ringback.domain.errors import CODES
from ringback.services import tokens
from ringback.settings import read_settings
from ringback.store import accounts, calls, teams
from tests.api.rows import of_call
from tests.api.wire import basic, check_envelope, compose, exchange
from tests.live import Live, Reply, running
from tests.world import build_world

Way = Callable[[Live, Call], Reply]
"""Sends what is to be refused."""

GUIDE = {"buyer_converted": "true", "revenue": "42.50", "offer_converted": "true", "post_call_tokens": {}}
UNKNOWN = "3f2b8c1e-0000-4000-8000-000000000000"
LIMIT = BODY_LIMIT
KEY = "rbtok_" + "0" * 39
"""A Token value that was never made; its check digits don't fit."""


def post(stage: Live, call: Call, body: Any = GUIDE, **more: Any) -> Reply:  # noqa: ANN401
    """The guide's request with one thing changed."""
    path = more.pop("path", f"/api/v1/calls/update_call/{call.uuid}")
    auth = more.pop("auth", stage.world.bob_token.authorization)
    return stage.request(more.pop("method", "POST"), path, body=body, auth=auth, **more)


def auth(value: str) -> Way:
    """A way with this Authorization header."""
    return lambda stage, call: post(stage, call, auth=value)


def body(text: str, content_type: str = "application/json") -> Way:
    """A way with this body."""
    return lambda stage, call: post(stage, call, text, headers={"Content-Type": content_type})


def value(**fields: Any) -> Way:  # noqa: ANN401
    """A way with these fields."""
    return lambda stage, call: post(stage, call, fields)


def path(template: str, **more: Any) -> Way:  # noqa: ANN401
    """A way to this path."""
    return lambda stage, call: post(
        stage, call, path=template.format(uuid=call.uuid, number=call.number, unknown=UNKNOWN), **more
    )


def token(**form: Any) -> Way:  # noqa: ANN401
    """A way with a token of Bob's that was made so."""

    def send(stage: Live, call: Call) -> Reply:
        home = getattr(stage.world, form.get("home", "acme"))
        rest = {name: each(stage) if callable(each) else each for name, each in form.items() if name != "home"}
        return post(stage, call, auth=stage.world.token(stage.world.bob, home, **rest).authorization)

    return send


def with_pair(write: str) -> Way:
    """A way whose header is made of Bob's own keys."""

    def send(stage: Live, call: Call) -> Reply:
        made = stage.world.bob_token
        text = write.format(public=made.public_key, private=made.private_key, basic=made.basic)
        return post(
            stage,
            call,
            auth=text if text.startswith(("Basic", "Token")) else f"Basic {b64encode(text.encode()).decode()}",
        )

    return send


def revoked(stage: Live, call: Call) -> Reply:
    made = stage.world.token(stage.world.bob, stage.world.acme)
    with stage.world.database.write() as tx:
        tokens.revoke(tx, made.id, clock.now())
    return post(stage, call, auth=made.authorization)


def two_credentials(where: str) -> Way:
    """A way with Bob's pair and, elsewhere, another credential of his."""

    def send(stage: Live, call: Call) -> Reply:
        other = stage.world.bob_developer_token
        there = f"/api/v1/calls/update_call/{call.uuid}"
        if where == "query":
            return post(stage, call, path=f"{there}?auth_token={other.token}")
        if where == "body":
            return post(stage, call, {**GUIDE, "auth_token": other.token})
        if where == "query and body":
            third = stage.world.token(stage.world.bob, stage.world.acme, kind=tokens.DEVELOPER).token
            told = {**GUIDE, "auth_token": third}
            return post(stage, call, told, path=f"{there}?auth_token={other.token}", auth=None)
        first = f"Authorization: {stage.world.bob_token.authorization}"
        lines = ("Host: acme.localhost", first, f"Authorization: {other.authorization}")
        return exchange(stage.port, compose("POST", there, *lines, body=b'{"revenue": 1}'))

    return send


def account(**values: bool) -> Way:
    """A way with auth_token to an account with these switches."""

    def send(stage: Live, call: Call) -> Reply:
        with stage.world.database.write() as tx:
            accounts.change_account(tx, stage.world.acme, **values)
        return post(stage, call, {**GUIDE, "auth_token": stage.world.bob_developer_token.token}, auth=None)

    return send


def team(**changed: Any) -> Way:  # noqa: ANN401
    """A way after Bob's team was changed."""

    def send(stage: Live, call: Call) -> Reply:
        with stage.world.database.write() as tx:
            if "users" in changed:
                teams.set_users(tx, stage.world.acme, stage.world.team, changed["users"])
            if "buyers" in changed:
                teams.set_buyers(tx, stage.world.acme, stage.world.team, changed["buyers"])
            if "rights" in changed:
                teams.set_rights(tx, stage.world.acme, stage.world.team, changed["rights"])
            if "developer_api" in changed:
                teams.change(tx, stage.world.acme, stage.world.team, developer_api=changed["developer_api"])
        return post(stage, call, path=changed.get("path", "/api/v1/calls/{uuid}").format(uuid=call.uuid, n=call.number))

    return send


def chunked(size: int) -> Way:
    """A way with a body of this size that comes in pieces and never says how large it is."""

    def send(stage: Live, call: Call) -> Reply:
        lines = ("Host: acme.localhost", f"Authorization: {stage.world.bob_token.authorization}")
        head = compose("POST", f"/api/v1/calls/{call.uuid}", *lines, "Transfer-Encoding: chunked", sized=False)
        pieces = [b" " * 1000] * (size // 1000) + [b" " * (size % 1000)]
        return exchange(stage.port, head + b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in pieces if p) + b"0\r\n\r\n")

    return send


DEEP = '{"a":' * 9 + "1" + "}" * 9

TABLE: list[tuple[str, str, Way]] = [
    ("malformed_json", "cut off", body('{"revenue":')),
    ("malformed_json", "a list", body("[1]")),
    ("malformed_json", "no quotes", body('{"revenue": [Call:ConversionPayout]}')),
    ("malformed_json", "labelled as a form", body('{"revenue": }', "application/x-www-form-urlencoded")),
    ("duplicate_key", "json", body('{"revenue": 1, "revenue": 2}')),
    ("duplicate_key", "form", body("revenue=1&revenue=2", "application/x-www-form-urlencoded")),
    ("malformed_body", "multipart without boundary", body("nothing", "multipart/form-data")),
    ("malformed_body", "gzip", lambda stage, call: post(stage, call, gzip.compress(b'{"revenue": 1}'))),
    ("malformed_body", "deflate", lambda stage, call: post(stage, call, zlib.compress(b'{"revenue": 1}'))),
    ("too_deep", "json", body(DEEP)),
    ("too_deep", "form", body("a" + "[b]" * 9 + "=1", "application/x-www-form-urlencoded")),
    ("ambiguous_credentials", "header and query", two_credentials("query")),
    ("ambiguous_credentials", "header and body", two_credentials("body")),
    ("ambiguous_credentials", "query and body", two_credentials("query and body")),
    ("ambiguous_credentials", "two headers", two_credentials("headers")),
    ("doubled_path", "whole", path("/api/v1/calls/update_call/https://acme.localhost/api/v1/calls/update_call/{uuid}")),
    ("doubled_path", "end", path("/api/v1/calls/update_call/update_call/{uuid}")),
    ("doubled_path", "front", path("/api/v1/calls/api/v1/calls/update_call/{uuid}")),
    ("account_conflict", "path names another", path("/a/zeta/api/v1/calls/update_call/{uuid}")),
    ("missing_credentials", "none", lambda stage, call: post(stage, call, auth=None)),
    ("missing_credentials", "blank", auth("")),
    ("missing_credentials", "bare scheme", auth("Basic")),
    ("unsupported_scheme", "digest", auth('Digest username="bob"')),
    ("unsupported_scheme", "a bare key", auth(KEY)),
    ("basic_not_base64", "plain pair", with_pair("Basic {public}:{private}")),
    ("basic_malformed", "quotes", with_pair('Basic "{basic}"')),
    ("basic_malformed", "angle brackets", with_pair("Basic <{basic}>")),
    ("basic_malformed", "stray characters", auth("Basic ab!c")),
    ("basic_missing_secret", "no private key", with_pair("{public}:")),
    ("basic_missing_secret", "no public key", with_pair(":{private}")),
    ("basic_missing_secret", "halves swapped", with_pair("{private}:{public}")),
    ("token_malformed", "quotes", auth("Token 'abc def'")),
    ("token_is_pair", "base64", lambda s, c: post(s, c, auth=f"Token {s.world.bob_token.basic}")),
    ("token_is_pair", "plain", with_pair("Token {public}:{private}")),
    ("token_is_pair", "of TrackDrive", auth(basic("tdpub1234", "tdprv1234").replace("Basic", "Token"))),
    ("credential_placeholder", "undefined", auth("Bearer undefined")),
    ("credential_placeholder", "template token", auth("Token [td_token]")),
    ("credential_placeholder", "pair of undefined", with_pair("{public}:undefined")),
    ("credential_placeholder", "example", auth("Basic REPLACE_ME")),
    ("credential_mistyped", "token", auth(f"Token {KEY}")),
    ("credential_mistyped", "private key cut", with_pair("{public}:{private:.30}")),
    ("unknown_credentials", "foreign pair", auth(basic("tdpub1234", "tdprv1234"))),
    ("unknown_credentials", "foreign token", auth("Token abcdefghijklmnopqrst")),
    ("auth_token_off", "the account's switch", account(reads_auth_token=False)),
    ("expired", "a second ago", token(expires_at=clock.now() - timedelta(seconds=1))),
    ("revoked", "just now", revoked),
    ("permission_denied", "no right", team(rights={})),
    ("buyer_not_shared", "no buyer of the team", team(buyers=[])),
    ("no_team", "taken off", team(users=[])),
    ("no_team", "another company's owner", lambda s, c: post(s, c, auth=s.world.charlie_token.authorization)),
    ("api_access_off", "the team's switch", team(developer_api=False)),
    ("access_type", "reads only", token(access_type=AccessType.CALLS_READ)),
    ("access_type", "Everything abroad", token(home="zeta", access_type=AccessType.EVERYTHING)),
    ("account_not_allowed", "restricted to another", token(accounts=lambda stage: [stage.world.zeta])),
    ("ip_not_allowed", "another network", token(networks=["10.0.0.0/8", "2001:db8::/32"])),
    ("account_not_found", "host", path("/api/v1/calls/update_call/{uuid}", account="nobody")),
    ("account_not_found", "path", path("/a/nobody/api/v1/calls/update_call/{uuid}", account="")),
    ("call_not_found", "unknown UUID", path("/api/v1/calls/update_call/{unknown}")),
    ("call_not_found", "no UUID", path("/api/v1/calls/update_call/12345")),
    ("call_not_found", "none named", path("/api/v1/calls/update_call/")),
    ("call_not_found", "unknown number", path("/api/v1/calls/999999999")),
    ("call_not_found", "hidden number", team(buyers=[], path="/api/v1/calls/{n}")),
    ("method_not_allowed", "DELETE", path("/api/v1/calls/update_call/{uuid}", method="DELETE")),
    ("too_large", "a byte too much", body("{" + " " * (LIMIT - 1) + "}")),
    ("too_large", "a megabyte", body("x" * 2**20)),
    ("too_large", "in pieces, a byte too much", chunked(LIMIT + 1)),
    ("too_large", "in pieces, a megabyte", chunked(2**20)),
    ("head_too_large", "header", auth("Basic " + "A" * 32769)),
    ("head_too_large", "query", path("/api/v1/calls/{uuid}?revenue=" + "1" * 32769)),
    (
        "host_not_served",
        "another domain",
        path("/api/v1/calls/update_call/{uuid}", headers={"Host": "ringback.example"}),
    ),
    ("host_not_served", "two levels down", path("/api/v1/calls/{uuid}", headers={"Host": "a.acme.localhost"})),
    ("invalid_value", "amount", value(revenue="lots")),
    ("invalid_value", "boolean", value(buyer_converted="perhaps")),
    ("invalid_value", "contact fields are a list", value(post_call_tokens=["a"])),
    ("invalid_value", "contact field too long", value(post_call_tokens={"a": "x" * 4097})),
    ("invalid_value", "NUL in a contact field", value(post_call_tokens={"a": "b\0c"})),
    ("unreplaced_token", "amount", value(revenue="[Call:ConversionPayout]")),
    ("unreplaced_token", "encoded", value(revenue="%5BCall%3AConversionPayout%5D")),
    ("unreplaced_token", "contact field", value(post_call_tokens={"first_name": "{{first_name}}"})),
    ("unreplaced_token", "path", path("/api/v1/calls/update_call/[trackdrive_call_uuid]")),
    ("unreplaced_token", "path, encoded", path("/api/v1/calls/update_call/%7B%7Bcall_uuid%7D%7D")),
    ("unreplaced_token", "path, encoded twice", path("/api/v1/calls/%255Bcall_uuid%255D")),
    ("conflicting_values", "to set and to add", value(revenue=1, add_revenue=1)),
    ("conflicting_values", "two places", value(post_call_tokens={"a": "1"}, data={"a": "2"})),
    ("amount_out_of_range", "sum", value(revenue="1", add_payout="999999.999999", buyer_converted=1)),
    ("too_many_fields", "in one request", value(post_call_tokens={f"f{n}": n for n in range(201)})),
    ("too_many_fields", "too many bytes", value(data={f"f{n}": "x" * 4000 for n in range(17)})),
]


@pytest.mark.parametrize(("code", "how", "way"), TABLE, ids=[f"{code}: {how}" for code, how, _ in TABLE])
def test_what_can_not_be_done_is_refused_with_its_code_a_hint_and_no_change(
    stage: Live, code: str, how: str, way: Way
) -> None:
    call = stage.world.call(payout=Decimal(1))
    before = of_call(stage.world.database, call)
    told = check_envelope(way(stage, call))
    assert told["code"] == code, (how, told["message"])
    assert of_call(stage.world.database, call) == before
    assert not re.search(r"(?<!{){[a-z_]+}(?!})", told["hint"] + told["message"])


def test_who_asks_for_problem_details_gets_them(stage: Live) -> None:
    reply = post(stage, stage.world.call(), {"revenue": "1,25"}, headers={"Accept": "application/problem+json"})
    told = reply.json
    assert (reply.status, reply.headers["content-type"]) == (422, "application/problem+json")
    assert (told["type"], told["status"]) == ("/api/docs/errors#invalid_value", 422)
    assert told["title"] == f"revenue: {told['errors']['revenue']}"
    assert told["detail"]


class TestWhoIsThrottled:
    @pytest.fixture
    def strict(self, sqlite_url: str) -> Any:  # noqa: ANN401 - a generator for pytest
        app = build(read_settings(database_url=sqlite_url, wrong_credentials_per_minute=3))
        with running(app, build_world(app.database)) as server:
            yield server

    def test_wrong_credentials_soon_are_but_a_right_one_never(self, strict: Live) -> None:
        call = strict.world.call()
        wrong = auth("Token abcdefghijklmnopqrst")
        # A new minute may begin on the way, but not two.
        replies = [wrong(strict, call) for _ in range(8)]
        assert {reply.json["code"] for reply in replies[:3]} == {"unknown_credentials"}
        throttled = [reply for reply in replies if reply.status == 429]
        assert throttled
        for reply in throttled:
            assert check_envelope(reply)["code"] == "rate_limited"
            assert int(reply.headers["retry-after"]) > 0
        assert post(strict, call).status == 200

    @pytest.mark.parametrize(
        ("method", "path"), [("POST", "/api/v1/calls/x"), ("GET", "/api/v1/me"), ("POST", "/api/v1/calls")]
    )
    def test_asking_without_any_is_not_since_wget_does_it_every_time(
        self, strict: Live, method: str, path: str
    ) -> None:
        codes = {strict.request(method, path).json["code"] for _ in range(8)}
        assert codes == {"missing_credentials"}


class TestWhoIsTooBusy:
    def test_past_the_limit_of_the_queue_senders_are_told_to_come_again_and_nothing_is_lost(
        self, database_url: str
    ) -> None:
        app = build(read_settings(database_url=database_url, queue_limit=1))
        with running(app, build_world(app.database)) as server, ThreadPoolExecutor(8) as pool:
            call = server.world.call()
            with app.database.write() as tx:
                calls.lock(tx, [(call.account_id, CallRef(RefKind.UUID, call.uuid))])
                sent = [
                    pool.submit(post, server, call, {"add_revenue": "1"}, headers={"Idempotency-Key": str(n)})
                    for n in range(8)
                ]
                first = next(as_completed(sent)).result()
                assert check_envelope(first)["code"] == "busy"
            replies = [each.result() for each in sent]
            done = sum(reply.status == 200 for reply in replies)
            assert {reply.status for reply in replies} == {200, 503}
            assert server.world.state(call)["revenue"] == done


class TestWhoIsTooSlow:
    def test_a_body_that_does_not_arrive_is_not_waited_for(self, stage: Live, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(requests, "BODY_SECONDS", 0.1)
        call = stage.world.call()
        lines = ("Host: acme.localhost", f"Authorization: {stage.world.bob_token.authorization}", "Content-Length: 99")
        told = check_envelope(exchange(stage.port, compose("POST", f"/api/v1/calls/{call.uuid}", *lines, sized=False)))
        assert told["code"] == "timeout"

    def test_a_sender_who_goes_away_changes_nothing(self, stage: Live) -> None:
        call = stage.world.call()
        lines = ("Host: acme.localhost", f"Authorization: {stage.world.bob_token.authorization}", "Content-Length: 99")
        with socket.create_connection(("127.0.0.1", stage.port)) as connection:
            connection.sendall(compose("POST", f"/api/v1/calls/{call.uuid}?revenue=1", *lines, sized=False))
        assert post(stage, call, {}).json["call"]["revenue"] is None


OWN_TESTS: Mapping[str, object] = {
    "applied": "test_updates",
    "unchanged": "test_updates",
    "idempotency_conflict": "test_retries",
    "account_not_named": "test_places",
    "token_blocked": "tests/console/test_blocking",
    "rate_limited": TestWhoIsThrottled.test_wrong_credentials_soon_are_but_a_right_one_never,
    "busy": TestWhoIsTooBusy.test_past_the_limit_of_the_queue_senders_are_told_to_come_again_and_nothing_is_lost,
    "timeout": TestWhoIsTooSlow.test_a_body_that_does_not_arrive_is_not_waited_for,
}
"""Codes whose test needs more than one request."""

NOT_FOR_UPDATES: Mapping[str, str] = {
    "recorded": "POST /api/v1/calls alone answers it",
    "may_not_record": "the same",
    "unknown_partner": "the same; an update that reassigns a call has its tests in test_reassigning",
    "missing_value": "the same; an update must name nothing",
    "wrong_password": "the console's log-in alone answers it",
    "too_many_passwords": "the same",
    "link_spent": "a link of the console alone answers it",
    "may_not_read": "the console's list of calls alone answers it",
    "own_team": "the console's page of a team alone answers it",
    "nothing_waits": "the console's pages of what waits alone answer it",
    "processed": "bulk_update alone answers it",
    "made": "the routes of partners alone answer it",
    "not_there": "the same",
    "may_not_see": "the same, and outgoing webhooks",
    "may_not_change": "the same",
    "too_many_calls": "lists of calls alone answer it",
    "not_found": "a path that leads nowhere is no update",
    "no_reports": "the same",
    "unconfirmed": "the database must go away within a commit; the crash tests make it",
    "internal_error": "whoever gets it has found a bug",
}


def test_every_code_that_an_update_can_get_is_tested() -> None:
    tested = {code for code, _, _ in TABLE} | OWN_TESTS.keys()
    assert not tested & NOT_FOR_UPDATES.keys()
    assert tested <= CODES.keys()
    unaccounted = CODES.keys() - tested - NOT_FOR_UPDATES.keys()
    assert unaccounted == set(), "a code wants a row above, or the reason why no update gets it"


def test_every_refusal_says_something_of_its_own() -> None:
    refusals = [code for code in CODES.values() if code.status >= 400]
    assert len({code.title for code in refusals}) == len({code.hint for code in refusals}) == len(refusals)
