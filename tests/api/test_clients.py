"""What generic clients really send, byte for byte, as it was captured from them, and what Ringback makes of it.

One row for each finding about bodies and requests, and one for each way to write a credential.
"""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest

from ringback.domain.calls import Call
from ringback.services.tokens import NewToken
from tests.api.wire import check_envelope, compose, exchange
from tests.live import Live, Reply

GUIDE = b'{"buyer_converted": "true", "revenue": "42.50", "offer_converted": "true", "post_call_tokens": {}}'
WORTH = {
    "buyer_converted": True,
    "revenue": Decimal("42.50"),
    "offer_converted": True,
    "payout": Decimal("25.50"),
    "contact_fields": {},
}
CONVERTED = {**WORTH, "offer_converted": False, "payout": None}
BLANK: Mapping[str, Any] = {
    "buyer_converted": False,
    "revenue": None,
    "offer_converted": False,
    "payout": None,
    "contact_fields": {},
}

FORM = "Content-Type: application/x-www-form-urlencoded"
JSON = "Content-Type: application/json"
CURL = ("User-Agent: curl/7.88.1", "Accept: */*")
BOUNDARY = "------------------------d74496d66958873e"


def parts(*fields: tuple[str, str], boundary: str = BOUNDARY) -> bytes:
    """A multipart body as curl, axios and PHP write it."""
    written = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields
    )
    return "".join([*written, f"--{boundary}--\r\n"]).encode()


def chunks(*pieces: bytes) -> bytes:
    """A body in pieces."""
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


@dataclass(frozen=True)
class Sent:
    """One request of a client: header lines and body as captured, and what must come of it."""

    client: str
    lines: tuple[str, ...] = ()
    body: bytes = b""
    code: str = "applied"
    worth: Mapping[str, Any] = field(default_factory=lambda: WORTH)
    warnings: tuple[str, ...] = ()
    query: str = ""
    named: str = "{uuid}"
    method: str = "POST"
    sized: bool = True


REQUESTS = [
    Sent("curl -d with JSON", (*CURL, FORM), GUIDE, warnings=("content_type_mismatch",)),
    Sent("curl --json", ("User-Agent: curl/7.88.1", JSON, "Accept: application/json"), GUIDE),
    Sent(
        "curl -X POST with a query alone",
        CURL,
        query="?buyer_converted=true&revenue=42.50&offer_converted=true",
        sized=False,
    ),
    Sent(
        "curl -F with nested names",
        (*CURL, f"Content-Type: multipart/form-data; boundary={BOUNDARY}"),
        parts(("buyer_converted", "true"), ("revenue", "42.50"), ("post_call_tokens[first_name]", "Jane")),
        worth={**CONVERTED, "contact_fields": {"first_name": "Jane"}},
    ),
    Sent("curl globbing drops braces", (*CURL, JSON), GUIDE, "call_not_found", BLANK, named="call_uuid"),
    Sent("wget --post-data", ("User-Agent: Wget/1.21.3", FORM), b"buyer_converted=true&revenue=42.50", worth=CONVERTED),
    Sent(
        "requests data= with True and a float",
        ("User-Agent: python-requests/2.33.0", FORM),
        b"buyer_converted=True&revenue=10.1",
        worth={**CONVERTED, "revenue": Decimal("10.1")},
    ),
    Sent(
        "requests data= flattens a nested dict",
        (FORM,),
        b"buyer_converted=True&revenue=10.1&post_call_tokens=a",
        "invalid_value",
        BLANK,
    ),
    Sent(
        "httpx2 data= with True and None",
        (FORM,),
        b"buyer_converted=true&revenue=",
        worth={**CONVERTED, "revenue": Decimal(42)},  # the agreed revenue: a blank one names none
        warnings=("blank_ignored",),
    ),
    Sent(
        "node fetch with a string",
        ("Content-Type: text/plain;charset=UTF-8", "User-Agent: node"),
        GUIDE,
        warnings=("content_type_mismatch",),
    ),
    Sent(
        "node URLSearchParams of undefined",
        ("Content-Type: application/x-www-form-urlencoded;charset=UTF-8",),
        b"buyer_converted=true&revenue=undefined",
        "invalid_value",
        BLANK,
    ),
    Sent("axios post(url, null)", (JSON, "User-Agent: axios/1.13.2"), b"null", "unchanged", BLANK),
    Sent(
        "axios postForm",
        ("Content-Type: multipart/form-data; boundary=axios-1.13.2-boundary-x7Y",),
        parts(("buyer_converted", "true"), ("revenue", "42.50"), boundary="axios-1.13.2-boundary-x7Y"),
        worth=CONVERTED,
    ),
    Sent(
        "PHP curl with an array",
        ("Accept: */*", f"Content-Type: multipart/form-data; boundary={BOUNDARY}"),
        parts(("buyer_converted", "1"), ("revenue", "42.5")),
        worth=CONVERTED,
    ),
    Sent("PHP curl with a JSON string", ("Accept: */*", FORM), GUIDE, warnings=("content_type_mismatch",)),
    Sent(
        "Guzzle json with an empty array",
        ("User-Agent: GuzzleHttp/7", JSON),
        b'{"buyer_converted":true,"revenue":42.5,"offer_converted":true,"post_call_tokens":[]}',
    ),
    Sent(
        "Guzzle form_params",
        ("User-Agent: GuzzleHttp/7", FORM),
        b"buyer_converted=1&offer_converted=0&revenue=42.5&post_call_tokens%5Bfirst_name%5D=Jane+R%C3%B6e",
        worth={**CONVERTED, "contact_fields": {"first_name": "Jane Röe"}},
    ),
    Sent("PHP http_build_query", (FORM,), b"buyer_converted=1&offer_converted=0&revenue=42.5", worth=CONVERTED),
    Sent(
        "HTTPie k=v and k:=v",
        ("User-Agent: HTTPie/3.2.4", "Accept: application/json, */*;q=0.5", JSON),
        b'{"buyer_converted": "true", "revenue": 42.50, "post_call_tokens": {"age": 41}}',
        worth={**CONVERTED, "contact_fields": {"age": 41}},
    ),
    Sent(
        "HTTPie -f",
        ("Content-Type: application/x-www-form-urlencoded; charset=utf-8",),
        b"buyer_converted=true&revenue=42.50",
        worth=CONVERTED,
    ),
    Sent(
        "newman with an unset variable",
        ("User-Agent: PostmanRuntime/7.39.1", JSON),
        GUIDE,
        "unreplaced_token",
        BLANK,
        named="%7B%7Bcall_uuid%7D%7D",
    ),
    Sent(
        "node http.request with write",
        (JSON, "Transfer-Encoding: chunked"),
        chunks(GUIDE[:10], GUIDE[10:]),
        sized=False,
    ),
    Sent(
        "a pixel by GET, with more than we know",
        ("User-Agent: Go-http-client/1.1",),
        query="?buyer_converted=1&revenue=42.50&sub_id=7",
        method="GET",
        worth=CONVERTED,
    ),
    Sent("a BOM before the JSON", (JSON,), b"\xef\xbb\xbf" + GUIDE),
]


def send(stage: Live, call: Call, sent: Sent, *credentials: str | bytes) -> Reply:
    """Send a client's bytes."""
    path = f"/api/v1/calls/update_call/{sent.named.format(uuid=call.uuid)}{sent.query}"
    lines = ("Host: acme.localhost", *credentials, *sent.lines)
    return exchange(stage.port, compose(sent.method, path, *lines, body=sent.body, sized=sent.sized))


@pytest.mark.parametrize("sent", REQUESTS, ids=lambda sent: sent.client)
def test_what_a_client_sends_is_understood_as_it_is_meant(stage: Live, sent: Sent) -> None:
    call = stage.world.call()
    told = check_envelope(send(stage, call, sent, f"Authorization: {stage.world.bob_token.authorization}"))
    assert (told["code"], stage.world.state(call)) == (sent.code, sent.worth), told[
        "message" if told["errors"] else "changed"
    ]
    assert tuple(warning["code"] for warning in told["warnings"]) == sent.warnings
    assert told["ignored"] == (["sub_id"] if "sub_id" in sent.query else [])


def test_wget_gets_the_challenge_that_it_waits_for(stage: Live) -> None:
    call = stage.world.call()
    asks = Sent("wget --user --password", (FORM,), b"buyer_converted=true&revenue=42.50")
    first = send(stage, call, asks)
    assert (first.status, check_envelope(first)["code"]) == (401, "missing_credentials")
    assert send(stage, call, asks, f"Authorization: {stage.world.bob_token.authorization}").status == 200
    assert stage.world.state(call) == CONVERTED


NEWLINE, CARRIAGE_RETURN = "\n", "\r"


def plain(pair: NewToken) -> str:
    """A pair before it is encoded."""
    return f"{pair.public_key}:{pair.private_key}"


def encoded(text: str | bytes) -> str:
    """The ordinary base64 of a text."""
    return b64encode(text if isinstance(text, bytes) else text.encode()).decode()


Header = Callable[[NewToken, NewToken], str | bytes]
"""Writes a header of Bob's pair and his Token value."""

ACCEPTED: list[tuple[str, Header, tuple[str, ...]]] = [
    ("Basic", lambda pair, _: f"Authorization: Basic {pair.basic}", ()),
    ("basic", lambda pair, _: f"Authorization: basic {pair.basic}", ()),
    ("BASIC", lambda pair, _: f"AUTHORIZATION: BASIC {pair.basic}", ()),
    ("spaces between and behind, as curl keeps them", lambda pair, _: f"authorization: basic   {pair.basic}  ", ()),
    ("a trailing space, as Postman keeps it", lambda pair, _: f"Authorization: Basic {pair.basic} ", ()),
    ("a tab between", lambda pair, _: f"Authorization: Basic\t{pair.basic}", ()),
    ("no padding", lambda pair, _: f"Authorization: Basic {(pair.basic or '').rstrip('=')}", ()),
    (
        "the URL-safe alphabet",
        lambda pair, _: f"Authorization: Basic {urlsafe_b64encode(plain(pair).encode()).decode()}",
        (),
    ),
    (
        "a line break behind the secret, as from echo",
        lambda pair, _: f"Authorization: Basic {encoded(plain(pair) + NEWLINE)}",
        ("credential_whitespace",),
    ),
    (
        "a carriage return and a space behind the secret",
        lambda pair, _: f"Authorization: Basic {encoded(plain(pair) + ' ' + CARRIAGE_RETURN + NEWLINE)}",
        ("credential_whitespace",),
    ),
    ("the scheme twice", lambda pair, _: f"Authorization: Basic Basic {pair.basic}", ("doubled_scheme",)),
    (
        "a token as user without password",
        lambda _, token: f"Authorization: Basic {encoded(f'{token.token}:')}",
        ("basic_bare_token",),
    ),
    (
        "a token as password without user",
        lambda _, token: f"Authorization: Basic {encoded(f':{token.token}')}",
        ("basic_bare_token",),
    ),
    (
        "a token without colon",
        lambda _, token: f"Authorization: Basic {encoded(token.token or '')}",
        ("basic_bare_token",),
    ),
    ("Token", lambda _, token: f"Authorization: Token {token.token}", ()),
    ("token", lambda _, token: f"authorization: token {token.token}", ()),
    ("Token with parameter", lambda _, token: f"Authorization: Token token={token.token}", ()),
    ("Token as Rails writes it", lambda _, token: f'Authorization: Token token="{token.token}"', ()),
    ("Bearer", lambda _, token: f"Authorization: Bearer {token.token}", ()),
    (
        "the same header twice",
        lambda pair, _: f"Authorization: Basic {pair.basic}\r\nAuthorization: Basic {pair.basic}",
        (),
    ),
]

REJECTED: list[tuple[str, Header, str]] = [
    ("UTF-8", lambda *_: f"Authorization: Basic {encoded('ü:ä')}", "unknown_credentials"),
    ("Latin-1", lambda *_: f"Authorization: Basic {encoded('ü:ä'.encode('latin-1'))}", "unknown_credentials"),
    (
        "the URL-safe alphabet where it shows",
        lambda *_: f"Authorization: Basic {urlsafe_b64encode(b'ab~cd?:hunter2').decode()}",
        "unknown_credentials",
    ),
    ("no password", lambda pair, _: f"Authorization: Basic {encoded(f'{pair.public_key}:')}", "basic_missing_secret"),
    ("no user", lambda pair, _: f"Authorization: Basic {encoded(f':{pair.private_key}')}", "basic_missing_secret"),
    (
        "not encoded",
        lambda pair, _: f"Authorization: Basic {plain(pair)}",
        "basic_not_base64",
    ),
    ("quotes", lambda pair, _: f'Authorization: Basic "{pair.basic}"', "basic_malformed"),
    ("angle brackets", lambda pair, _: f"Authorization: Basic <{pair.basic}>", "basic_malformed"),
    ("stray characters", lambda pair, _: f"Authorization: Basic {pair.basic}!", "basic_malformed"),
    (
        "an undefined password",
        lambda pair, _: f"Authorization: Basic {encoded(f'{pair.public_key}:undefined')}",
        "credential_placeholder",
    ),
    ("a template token", lambda *_: "Authorization: Basic [token]", "credential_placeholder"),
    ("an example", lambda *_: f"Authorization: Basic {encoded('REPLACE_ME:REPLACE_ME')}", "credential_placeholder"),
    (
        "two headers that differ",
        lambda pair, token: f"Authorization: Basic {pair.basic}\r\nAuthorization: Token {token.token}",
        "ambiguous_credentials",
    ),
    ("raw Latin-1 bytes", lambda *_: b"Authorization: Basic \xfc\xe4", "basic_malformed"),
]


@pytest.mark.parametrize(("how", "header", "warnings"), ACCEPTED, ids=[row[0] for row in ACCEPTED])
def test_a_credential_is_accepted_in_every_spelling_that_can_not_be_mistaken(
    stage: Live, how: str, header: Header, warnings: tuple[str, ...]
) -> None:
    call, world = stage.world.call(), stage.world
    line = header(world.bob_token, world.bob_developer_token)
    told = check_envelope(send(stage, call, Sent(how, (JSON,), GUIDE), line))
    assert stage.world.state(call) == WORTH
    assert tuple(warning["code"] for warning in told["warnings"]) == warnings


@pytest.mark.parametrize(("how", "header", "code"), REJECTED, ids=[row[0] for row in REJECTED])
def test_a_credential_that_is_none_is_refused_with_what_is_wrong_with_it(
    stage: Live, how: str, header: Header, code: str
) -> None:
    call, world = stage.world.call(), stage.world
    reply = send(stage, call, Sent(how, (JSON,), GUIDE), header(world.bob_token, world.bob_developer_token))
    assert check_envelope(reply)["code"] == code
    assert stage.world.state(call) == BLANK
    for made in (world.bob_token, world.bob_developer_token):
        for secret in filter(None, (made.private_key, made.token, made.basic)):
            assert secret.encode() not in reply.body


@pytest.mark.parametrize("where", ["query", "form", "multipart", "JSON"])
def test_the_old_auth_token_is_read_wherever_it_stands(stage: Live, where: str) -> None:
    call, token = stage.world.call(), stage.world.bob_developer_token.token
    boundary = f"Content-Type: multipart/form-data; boundary={BOUNDARY}"
    ways = {
        "query": Sent("", query=f"?auth_token={token}&revenue=42.50&buyer_converted=1"),
        "form": Sent("", (FORM,), f"auth_token={token}&revenue=42.50&buyer_converted=1".encode()),
        "multipart": Sent(
            "", (boundary,), parts(("auth_token", str(token)), ("revenue", "42.50"), ("buyer_converted", "1"))
        ),
        "JSON": Sent("", (JSON,), f'{{"auth_token": "{token}", "revenue": "42.50", "buyer_converted": 1}}'.encode()),
    }
    told = check_envelope(send(stage, call, ways[where]))
    assert (told["code"], told["ignored"]) == ("applied", [])
    assert stage.world.state(call) == CONVERTED
