"""Secrets are found nowhere but where they were shown once: not in the database, not in the log, not in an answer.

The real command serves; every form of every credential is sent to it, also wrong, misspelt and in the wrong place;
then everything that it kept and said is searched.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from json import dumps
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import text

from ringback.domain.calls import Call
from ringback.domain.details import NAMES as DETAIL_NAMES
from ringback.domain.recordings import NAMES as RECORDING_NAMES
from ringback.store import accounts
from ringback.store.engine import Database
from tests.api.rows import texts
from tests.api.wire import compose, exchange
from tests.world import World, build_world

JSON = "Content-Type: application/json"
FORM = "Content-Type: application/x-www-form-urlencoded"

SHOWN = 10
"""Characters of a key that may stay: its prefix, and four more to tell it from others."""


@dataclass(frozen=True)
class Secret:
    """One secret, and how it may be written; ``public`` is the other half of a pair."""

    value: str
    public: str = ""
    looks_like_a_key: bool = True

    @cached_property
    def basic(self) -> str:
        """The value behind Basic."""
        return b64encode(f"{self.public}:{self.value}".encode()).decode()

    @cached_property
    def traces(self) -> frozenset[bytes]:
        """What must be found nowhere: every piece of it, as it is and in base64 at each of the three places."""
        hidden = self.value[SHOWN:].encode()
        forms = [hidden]
        for before in range(3):
            first, end = -(-before * 8 // 6), (before + len(hidden)) * 8 // 6
            forms.append(b64encode(bytes(before) + hidden)[first:end])
        return frozenset(form[at : at + 9] for form in forms for at in range(max(1, len(form) - 8)))


@dataclass
class Served:
    """The command that serves, and all that it has said."""

    port: int
    said: Path
    answers: list[bytes] = field(default_factory=list)

    def send(self, data: bytes) -> int:
        """Send bytes and keep the answer."""
        reply = exchange(self.port, data)
        # A redirection repeats the path that it was asked for; it can lead nowhere else.
        head = "\n".join(f"{name}: {value}" for name, value in reply.headers.items() if name != "location")
        self.answers.append(head.encode() + b"\n\n" + reply.body)
        return reply.status


@contextmanager
def serving(database_url: str, folder: Path, log_format: str) -> Iterator[Served]:
    """Run ``ringback serve`` as a process of its own."""
    said = folder / "said"
    environment = {
        **os.environ,
        "RINGBACK_LOG_FORMAT": log_format,
        "RINGBACK_WRONG_CREDENTIALS_PER_MINUTE": "1000000",
        "PYTHONUNBUFFERED": "1",
    }
    command = [sys.executable, "-m", "ringback", "serve", "--port", "0", "--database", database_url]
    with said.open("wb") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env=environment, text=True, cwd=folder)
    with process:
        assert process.stdout is not None
        introduction = process.stdout.readline()
        port = re.search(r"port (\d+)", introduction)
        assert port, said.read_text()
        try:
            yield Served(int(port[1]), said)
        finally:
            process.send_signal(signal.SIGTERM)
            rest, _ = process.communicate(timeout=30)
    with said.open("a") as log_again:
        log_again.write(introduction + rest)


def in_headers(secret: Secret) -> Iterator[tuple[str, ...]]:
    """The secret as it stands in headers, rightly and wrongly."""
    own, pair = secret.value, f"{secret.public}:{secret.value}"
    for value in (
        *(f"{scheme} {secret.basic}" for scheme in ("Basic", "basic", "BASIC", "Basic Basic", "Token", "Bearer")),
        *(f"{scheme} {own}" for scheme in ("Token", "Bearer", "Basic", "Token Token", "Digest", "Key:")),
        *(f"{scheme} {pair}" for scheme in ("Basic", "Token")),
        *(
            f"{quoted.format(each)}"
            for each in (own, secret.basic)
            for quoted in ('Basic "{}"', "Token <{}>", "{}", "'{}'")
        ),
        f"Token token={own}",
        f'Token token="{own}", nonce="x"',
        f"Basic {secret.basic.rstrip('=')}",
        f"Basic {urlsafe_b64encode(pair.encode()).decode()}!",
        f"Basic {quote(secret.basic, safe='')}",
        f"Token {own[:-1]}",
        f"Token {own}x",
        f"Basic {b64encode(f'{secret.public}:{own[:-1]}'.encode()).decode()}",
        f"Basic {b64encode(f'{own}:'.encode()).decode()}",
        f"Basic {b64encode(f':{own}'.encode()).decode()}",
        f"Basic {b64encode((pair + chr(10)).encode()).decode()}",
    ):
        yield (f"Authorization: {value}",)
    yield f"Authorization: Basic {secret.basic}", f"Authorization: Token {own}"


def in_other_headers(secret: Secret) -> Iterator[tuple[str, ...]]:
    """The secret in headers where none belongs."""
    for name in ("X-Api-Key", "Idempotency-Key", "webhook-id", "Cookie", "User-Agent", "X-Authorization", "Accept"):
        yield (f"{name}: Token {secret.value}",)
    yield (f"Content-Type: application/json; auth_token={secret.value}",)


def in_bodies(secret: Secret) -> Iterator[tuple[str, bytes]]:
    """The secret as auth_token, in bodies of every kind, some of them broken."""
    own = secret.value
    for value in (own, secret.basic, f"Token {own}", f'"{own}"', own[:-1], [own], {"value": own}):
        yield JSON, dumps({"auth_token": value, "revenue": "1"}).encode()
    for broken in (
        f'{{"auth_token": "{own}"',
        f'{{"auth_token": {own}}}',
        f'{{"auth_token": "{own}", "auth_token": 1}}',
    ):
        yield JSON, broken.encode()
    yield FORM, f"auth_token={own}&revenue=1".encode()
    yield FORM, f"auth_token={quote(secret.basic, safe='')}&revenue=[x]".encode()
    yield FORM, f"%61uth_token={own}".encode()
    part = f'--b\r\nContent-Disposition: form-data; name="auth_token"\r\n\r\n{own}\r\n--b--\r\n'
    yield "Content-Type: multipart/form-data; boundary=b", part.encode()


def in_fields(secret: Secret) -> Iterator[tuple[str, bytes]]:
    """The secret in fields where none belongs."""
    for value in (secret.value, secret.basic, f"[{secret.value}]", f"{{{{{secret.value}}}}}", f"Basic {secret.basic}"):
        for body in (
            *({name: value} for name in ("revenue", "add_payout", "buyer_converted", "api_key", "event_id", "dry_run")),
            {"post_call_tokens": {"first_name": value}},
            {"post_call_tokens": {value: "Jane"}},
            {"data": {"a": {value: value}}},
            {value: "1"},
            {"Authorization": value},
        ):
            yield JSON, dumps(body).encode()
        yield JSON, f'{{"{value}": 1, "{value}": 2}}'.encode()
        yield FORM, value.encode()


def in_recordings(secret: Secret) -> Iterator[bytes]:
    """The secret in the fields that only a recording has."""
    for value in (secret.value, secret.basic, f"[{secret.value}]"):
        for name in (*sorted(RECORDING_NAMES), "post_call_tokens", value):
            yield dumps({"caller_number": "+17195550123", name: value}).encode()


def in_bulk(secret: Secret, call: Call) -> Iterator[bytes]:
    """The secret in and beside the updates of one request."""
    for value in (secret.value, secret.basic, f"[{secret.value}]"):
        names = ("uuid", "id", "caller_id", "idempotency_key", "offer_token", "trackdrive_buyer_id", value)
        told = [{"uuid": call.uuid, name: value} for name in (*sorted(DETAIL_NAMES), *names)]
        yield dumps({"updates": [*told, value], value: value, f"auth_token {value}": 1}).encode()
        yield dumps({"updates": value}).encode()


def in_paths(secret: Secret, call: Call) -> Iterator[str]:
    """The secret in the path and in the query string."""
    here, own = f"/api/v1/calls/update_call/{call.uuid}", secret.value
    for value in (own, quote(secret.basic, safe=""), f"%5B{own}%5D", quote(quote(f"{secret.public}:{own}"))):
        yield from (f"{here}?auth_token={value}", f"{here}?revenue={value}", f"{here}?{value}=1", f"{here}/{value}")
        yield from (f"/api/v1/calls/update_call/{value}", f"/api/v1/calls/{value}", f"/a/{value}/api/v1/calls/x")
        yield from (f"/api/v1/secure/{value}/calls/{call.uuid}", f"/{value}")


def play(server: Served, world: World, call: Call, secrets: Iterable[Secret]) -> list[int]:
    """Send each secret in every form to every place."""
    good = f"Authorization: {world.bob_token.authorization}"
    here, host = f"/api/v1/calls/{call.uuid}", "Host: acme.localhost"
    body = b'{"revenue": "1"}'
    statuses = []
    for secret in secrets:
        sent = [compose("POST", here, host, JSON, *lines, body=body) for lines in in_headers(secret)]
        sent += [compose("POST", here, host, good, *lines, body=body) for lines in in_other_headers(secret)]
        bodies = [*in_bodies(secret), *(in_fields(secret) if secret.looks_like_a_key else ())]
        for who in ((), (good,)):
            sent += [compose("POST", here, host, *who, line, body=each) for line, each in bodies]
        if secret.looks_like_a_key:
            paths = list(in_paths(secret, call))
            sent += [compose("POST", path, host, good, body=body) for path in paths]
            sent += [compose("GET", path, host) for path in paths]
            owner = f"Authorization: {world.ada_token.authorization}"
            sent += [compose("POST", "/api/v1/calls", host, owner, JSON, body=each) for each in in_recordings(secret)]
            for each in in_bulk(secret, call):
                sent += [
                    compose("POST", "/api/v1/calls/bulk_update", host, who, JSON, body=each) for who in (owner, good)
                ]
        else:
            sent += [compose("POST", f"{here}?auth_token={secret.value}", host, body=body)]
        statuses += [server.send(each) for each in sent]
    return statuses


def in_trouble(secret: Secret, call: Call) -> Iterator[bytes]:
    """Requests with the secret that a server in trouble can't answer, and says so in its log."""
    path, good = f"/api/v1/calls/{call.uuid}", f"Authorization: Basic {secret.basic}"
    for lines in in_headers(secret):
        yield compose("POST", f"{path}?auth_token={secret.value}", "Host: acme.localhost", *lines, body=b"{}")
    for line, body in in_bodies(secret):
        yield compose("POST", path, "Host: acme.localhost", good, line, body=body)


def found_in(traces: Mapping[bytes, str], places: Iterable[tuple[str, bytes]]) -> list[tuple[str, str, bytes]]:
    """Where a trace of a secret stands: the place, whose secret, and what is around it."""
    pattern = re.compile(b"|".join(map(re.escape, sorted(traces))))
    return [
        (place, traces[hit[0]], held[max(0, hit.start() - 40) : hit.end() + 20])
        for place, held in places
        for hit in pattern.finditer(held)
    ]


def files_of(database: Database) -> Iterator[tuple[str, bytes]]:
    """The files of a SQLite database, byte for byte."""
    path = Path(str(database.url.database))
    for file in sorted(path.parent.glob(f"{path.name}*")):
        yield file.name, file.read_bytes()


@pytest.mark.parametrize("keeps_unknown_fields", [True, False], ids=["kept", "ignored"])
def test_no_secret_is_kept_said_or_told(database: Database, tmp_path: Path, *, keeps_unknown_fields: bool) -> None:
    world = build_world(database)
    with database.write() as tx:
        accounts.change_account(tx, world.acme, keeps_unknown_fields=keeps_unknown_fields)
    pair, token = world.token(world.bob, world.acme), world.bob_developer_token
    secrets = {
        "private key": Secret(str(pair.private_key), str(pair.public_key)),
        "Token value": Secret(str(token.token)),
        "TrackDrive's key": Secret("tdprv" + "0123456789abcdef0123456789abcdef01234567", "tdpub" + "89abcdef" * 4),
        "old auth_token": Secret("Zq7-_pLr2vKx9sWn4tBd", looks_like_a_key=False),
    }
    call = world.call()
    url = database.url.set(drivername=database.url.get_backend_name()).render_as_string(hide_password=False)
    with serving(url, tmp_path, "pretty" if keeps_unknown_fields else "json") as server:
        statuses = play(server, world, call, secrets.values())
        assert {200, 400, 401, 404, 422} <= set(statuses)
        assert max(statuses) < 500
        rename(database, "receipts", "elsewhere")  # so that what fails is logged with its traceback
        broken = [server.send(each) for each in in_trouble(secrets["private key"], call)]
        rename(database, "elsewhere", "receipts")
        assert {500, 503} & set(broken)
    log = server.said.read_bytes()
    places = [
        *texts(database),
        *files_of(database),
        ("the log", log),
        *(("an answer", each) for each in server.answers),
    ]
    traces = {trace: name for name, secret in secrets.items() for trace in secret.traces}
    assert re.search(rb"Traceback|no such table", log)
    assert found_in(traces, places) == []


def rename(database: Database, before: str, after: str) -> None:
    """Take a table away, or bring it back."""
    with database.write() as tx:
        tx.execute(text(f"ALTER TABLE {before} RENAME TO {after}"))


def test_the_search_itself_finds_a_secret_however_it_is_written() -> None:
    secret = Secret("rbtok_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabc", "rbpub_x")
    traces = dict.fromkeys(secret.traces, "it")
    for plain in (secret.value, secret.value[:-6], f"{secret.public}:{secret.value}"):
        encoded = [b64encode(b"x" * before + plain.encode()).decode() for before in range(3)]
        for written in (plain, *encoded, *map(quote, encoded)):
            assert found_in(traces, [("there", written.encode())])
    assert found_in(traces, [("there", secret.value[:SHOWN].encode() + b"[masked]")]) == []
