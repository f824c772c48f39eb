"""Whatever is sent, somebody answers: no 5xx, no hang, nothing in the log, and always an answer in our own words.

Run with ``HYPOTHESIS_PROFILE=fuzz`` for many more inputs than an ordinary run has time for.
"""

from __future__ import annotations

import json
import logging
import socket
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException
from urllib.parse import quote, urlsplit

import pytest
import structlog
from hypothesis import example, given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from ringback.domain.attributes import BY_WIRE_NAME
from ringback.domain.calls import Call
from ringback.domain.errors import CODES
from tests.api.wire import PATIENCE, compose, read_all, read_reply
from tests.live import Live, Reply

PARSER = b"Invalid HTTP request received."
"""What the HTTP parser says to what is no HTTP."""

HOSTS = st.one_of(
    st.just("acme.localhost"),
    st.just("acme.localhost"),
    st.sampled_from(
        ["localhost", "", "zeta.localhost:80", "ACME.localhost.", "[::1]:8080", "[::1", "a.b.localhost", ":"]
    ),
    st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=40),
)
METHODS = st.sampled_from(["POST", "POST", "PUT", "PATCH", "GET", "GET", "HEAD", "DELETE", "OPTIONS", "TRACE"])
WIRE_NAMES = st.sampled_from([*BY_WIRE_NAME, "auth_token", "dry_run", "event_id", "uuid", "updates", "caller_number"])
ESCAPED = st.binary(max_size=12).map(quote)
SEGMENTS = st.one_of(
    st.sampled_from(
        ["api", "v1", "calls", "update_call", "bulk_update", "update_by_caller_id", "me", "buyers", "events"]
    ),
    st.sampled_from(
        ["{uuid}", "{uuid}", "{number}", "{uuid}.json", "a", "acme", "zeta", "..", ".json", "", "%00", "%2F"]
    ),
    st.sampled_from(["%5Bx%5D", "9" * 21]),
    ESCAPED,
)
PATHS = st.builds(
    lambda start, rest: start + "/".join(rest),
    st.sampled_from(
        ["/", "/api/v1/", "/api/v1/calls/", "/api/v1/calls/", "/api/v1/calls/update_call/", "/a/acme/api/v1/"]
    ),
    st.lists(SEGMENTS, max_size=4),
)
QUERIES = st.lists(
    st.builds(lambda name, value: f"{name}={value}", st.one_of(WIRE_NAMES, ESCAPED), ESCAPED), max_size=3
).map(lambda pairs: f"?{'&'.join(pairs)}" if pairs else "")

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.sampled_from(["1", "true", "[x]"])
)
DOCUMENTS = st.dictionaries(
    st.one_of(WIRE_NAMES, st.text(max_size=8)),
    st.recursive(
        SCALARS,
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
        max_leaves=8,
    ),
    max_size=5,
)
JSON = DOCUMENTS.map(lambda document: json.dumps(document).encode())
FORMS = st.lists(
    st.builds(
        lambda name, nested, value: f"{name}{nested}={value}",
        st.one_of(WIRE_NAMES, ESCAPED),
        st.sampled_from(["", "[a]", "[]", "[a][b]", "[", "%5Ba%5D"]),
        ESCAPED,
    ),
    max_size=5,
).map(lambda pairs: "&".join(pairs).encode())
PARTS = st.lists(st.tuples(st.binary(max_size=30), st.binary(max_size=30)), max_size=3).map(
    lambda parts: (
        b"".join(
            b"--b\r\nContent-Disposition: form-data; name=" + name + b"\r\n\r\n" + value + b"\r\n"
            for name, value in parts
        )
        + b"--b--\r\n"
    )
)
WHOLE = st.one_of(JSON, FORMS, PARTS)
BODIES = st.one_of(
    WHOLE,
    st.binary(max_size=200),
    st.builds(lambda body, at: body[:at], WHOLE, st.integers(0, 200)),
    st.builds(lambda body, at, junk: body[:at] + junk + body[at:], WHOLE, st.integers(0, 200), st.binary(max_size=5)),
    JSON.map(lambda body: body.decode().encode("utf-16")),
    st.integers(2, 60).map(lambda depth: b'{"a":' * depth + b"1" + b"}" * depth),
)

VISIBLE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=40)
CREDENTIALS = st.one_of(
    st.just("{bob}"),
    st.just("{bob}"),
    st.sampled_from(["", "Basic", "Token", "Basic Basic", "Bearer undefined", "Token [x]", "Digest a=b"]),
    st.builds(lambda scheme, rest: f"{scheme} {rest}", st.sampled_from(["Basic", "Token", "Bearer", "basic"]), VISIBLE),
    st.binary(max_size=40).map(lambda data: f"Basic {b64encode(data).decode()}"),
    VISIBLE,
)
NAMES = [
    *("Content-Type", "Content-Encoding", "Idempotency-Key", "webhook-id", "Ringback-Dry-Run", "Accept", "Cookie"),
    *("X-Forwarded-For", "Origin", "Range", "If-None-Match", "X-HTTP-Method-Override", "Authorization"),
]
TYPES = [
    *(
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=b",
        "multipart/form-data",
    ),
    *("text/plain", "application/problem+json", "gzip", "application/json; charset=x"),
]
HEADERS = st.lists(
    st.builds("{}: {}".format, st.sampled_from(NAMES), st.one_of(VISIBLE, st.sampled_from(TYPES))), max_size=3
)


@dataclass(frozen=True)
class Sent:
    """A generated request; ``{uuid}``, ``{number}`` and ``{bob}`` stand for a call and a credential that are there."""

    path: str
    body: bytes = b"{}"
    query: str = ""
    method: str = "POST"
    host: str = "acme.localhost"
    authorization: str = "{bob}"
    headers: Sequence[str] = ()

    def compose(self, served: Live, call: Call) -> bytes:
        """The request as bytes."""
        lines = [f"Host: {self.host}", f"Authorization: {filled(self.authorization, served, call)}", *self.headers]
        target = filled(self.path, served, call) + self.query
        return compose(self.method, target, *(line.encode("latin-1") for line in lines), body=self.body)


def filled(text: str, served: Live, call: Call) -> str:
    """A generated text with the call and Bob's credential in it."""
    bob = served.world.bob_token.authorization
    return text.replace("{uuid}", call.uuid).replace("{number}", str(call.number)).replace("{bob}", bob)


REQUESTS = st.builds(Sent, PATHS, BODIES, QUERIES, METHODS, HOSTS, CREDENTIALS, HEADERS)


class _Heard(logging.Handler):
    """Keeps what is logged as an error."""

    def __init__(self, records: list[logging.LogRecord]) -> None:
        super().__init__(logging.ERROR)
        self._records = records

    def emit(self, record: logging.LogRecord) -> None:
        self._records.append(record)


@contextmanager
def quiet() -> Iterator[None]:
    """Demand that nothing goes wrong in the server meanwhile, by its own log and by that of the HTTP server."""
    complaints: list[logging.LogRecord] = []
    handler = _Heard(complaints)
    logging.getLogger().addHandler(handler)
    try:
        with capture_logs() as said:
            yield
    finally:
        logging.getLogger().removeHandler(handler)
    assert [record.getMessage() for record in complaints] == []
    assert [line for line in said if line["log_level"] in {"error", "critical"} or "exc_info" in line] == []


def provoke(port: int, data: bytes, *, patience: float = PATIENCE) -> bytes:
    """Send bytes, and read all that comes back until the server closes; what is no whole request is ended by us."""
    with socket.create_connection(("127.0.0.1", port), timeout=patience) as connection:
        received = b""
        with suppress(ConnectionError):
            connection.sendall(data)
            with suppress(TimeoutError):
                received = read_all(connection)
            if not received:
                connection.shutdown(socket.SHUT_WR)
            connection.settimeout(PATIENCE)
            received += read_all(connection)
    return received


def check(reply: Reply, method: str, path: str) -> None:
    """Check that an answer is in our words; pages and their redirections are the console's."""
    assert reply.status < 500
    if method == "HEAD" or reply.body == PARSER:
        return
    if not path.startswith(("/api/v1/", "/a/acme/api/v1/")) and "json" not in reply.headers.get("content-type", ""):
        return
    document = reply.json
    if reply.status < 300 and "status" not in document:
        return  # somebody asked for root=false, or for the document of the API
    assert document["status"] == reply.status
    assert CODES[document["code"]].status == reply.status if "code" in document else reply.status == 200


@pytest.fixture(scope="module")
def call(served: Live) -> Call:
    """A call that generated requests may name."""
    return served.world.call()


@given(sent=REQUESTS)
@example(Sent("/a/%00/api/v1/calls/update_call/{uuid}"))
@example(Sent("/api/v1/calls/update_call/%00", b'{"revenue": "1"}'))
@example(Sent("/api/v1/calls/{uuid}", b'{"buyer_converted": [true]}'))
@example(Sent("/api/v1/calls/{uuid}", b'{"data": {"a": "\\ud800"}, "\\ud800": 1, "revenue": "\\ud800"}'))
@example(Sent("/api/v1/calls/{uuid}", b'{"auth_token": "\\ud800"}', "?auth_token=%ED%A0%80", authorization=""))
def test_a_request_is_answered_in_our_words_whatever_it_says(served: Live, call: Call, sent: Sent) -> None:
    with quiet():
        answered = provoke(served.port, sent.compose(served, call))
        assert answered
    check(read_reply_to(sent.method, answered), sent.method, urlsplit(sent.path).path)


@given(body=BODIES, content_type=st.one_of(VISIBLE, st.sampled_from(["application/json", "multipart/form-data"])))
def test_a_body_is_either_understood_or_refused_with_what_is_wrong_with_it(
    served: Live, call: Call, body: bytes, content_type: str
) -> None:
    auth = f"Authorization: {served.world.bob_token.authorization}"
    typed = f"Content-Type: {content_type}".encode("latin-1")
    request = compose("POST", f"/api/v1/calls/{call.uuid}", "Host: acme.localhost", auth, typed, body=body)
    with quiet():
        reply = read_reply(provoke(served.port, request))
    assert reply.json["code"] in {
        *("applied", "unchanged", "malformed_json", "malformed_body", "duplicate_key", "too_deep", "too_many_fields"),
        *("invalid_value", "unreplaced_token", "conflicting_values", "amount_out_of_range", "permission_denied"),
        *("ambiguous_credentials", "credential_placeholder", "token_malformed", "credential_mistyped"),
    }


PIECES = st.one_of(
    st.sampled_from([b"POST ", b"GET ", b"CONNECT localhost:1 ", b"OPTIONS * ", b"/api/v1/calls/x ", b"HTTP/1.1"]),
    st.sampled_from([b"HTTP/1.0", b"HTTP/9.9", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\r\n", b"\r\n\r\n", b"\n", b" "]),
    st.sampled_from(
        [b"Host: acme.localhost", b"Host:", b"Content-Length: 5", b"Content-Length: -1", b"X" * 300, b": "]
    ),
    st.sampled_from([b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip, chunked", b"Content-Length: 99999999"]),
    st.sampled_from([b"5\r\nhello\r\n", b"0\r\n\r\n", b"ffff\r\n", b"Expect: 100-continue", b"Upgrade: websocket"]),
    st.sampled_from([b"Connection: Upgrade", b"Authorization: Basic ", b"\x00", b"\xff\xfe"]),
    st.binary(max_size=40),
)


@given(pieces=st.lists(PIECES, max_size=10))
@example(
    [b"POST /api/v1/calls/x HTTP/1.1\r\nHost: acme.localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello"]
)
@example([b"GET /api/v1/me HTTP/1.1\r\nHost: acme.localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"])
def test_bytes_that_are_hardly_http_neither_hang_the_server_nor_break_it(served: Live, pieces: Sequence[bytes]) -> None:
    with quiet():
        answered = provoke(served.port, b"".join(pieces), patience=0.05)
        with suppress(HTTPException):
            assert read_reply(answered).status < 500
        assert served.request("GET", "/healthz").status == 200


def read_reply_to(method: str, answered: bytes) -> Reply:
    """The answer to a method; that to HEAD has no body."""
    if method == "HEAD":
        head, _, rest = answered.partition(b"\r\n\r\n")
        assert rest == b""
        return Reply(int(head.split()[1]), {}, b"")
    return read_reply(answered)


def test_an_error_in_a_log_would_be_found() -> None:
    with pytest.raises(AssertionError, match="Exception in ASGI"), quiet():
        logging.getLogger("uvicorn.error").error("Exception in ASGI application")
    with pytest.raises(AssertionError, match="request failed"), quiet():
        structlog.get_logger().error("request failed")
