from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from ringback import entropy
from ringback.cli import http
from ringback.domain.attributes import ATTRIBUTES
from tests.cli.shell import Shell
from tests.live import Live

LABELS = [attribute.label for attribute in ATTRIBUTES]
CREDENTIAL = ("--token", "rbtok_whatever")


class Foreign(BaseHTTPRequestHandler):
    """A system that is no Ringback, and converts whatever it is sent."""

    asked: list[str]
    answer: bytes

    def do_GET(self) -> None:
        self.asked.append(f"GET {self.path}")
        self._say(self.answer)

    def do_POST(self) -> None:
        self.asked.append(f"POST {self.path}")
        self._say(b"converted!")

    def _say(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing is told."""


@contextmanager
def foreign(answer: bytes = b'{"name": "other"}') -> Iterator[tuple[str, list[str]]]:
    """Where such a system is, and what it was asked."""
    asked: list[str] = []
    handler = type("Handler", (Foreign,), {"asked": asked, "answer": answer})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", asked
        finally:
            server.shutdown()
            thread.join()


def secret(live: Live, account: str = "bob") -> str:
    """The Basic value of somebody."""
    return getattr(live.world, f"{account}_token").authorization.partition(" ")[2]  # type: ignore[no-any-return]


def test_a_receiver_is_asked_by_host_and_by_path(shell: Shell, live: Live) -> None:
    by_host, by_path = f"http://acme.localhost:{live.port}", f"http://127.0.0.1:{live.port}/a/acme/"
    found = shell.ok("check", by_host, by_path, "--basic", secret(live), "--json").json
    assert [each["granted"] for each in found] == [True, True]
    assert found[0]["verdicts"] == {attribute.name: "allowed" for attribute in ATTRIBUTES}
    assert found[0]["receiver"] == f"acme.localhost:{live.port}"
    table = shell.ok("check", by_host, "--basic", secret(live)).lines
    assert all(label in table[0] for label in LABELS)
    assert table[1].split("  ")[0] == f"acme.localhost:{live.port}"
    assert table[1].count("allowed") == len(LABELS)


def test_what_is_denied_is_told_with_its_cure_and_an_exit_code(shell: Shell, live: Live) -> None:
    live.world.grant(["buyer_converted", "revenue", "offer_converted", "contact_fields"])
    url = f"http://acme.localhost:{live.port}/api/v1/calls/update_call/[trackdrive_call_uuid]"
    ran = shell.run("check", url, "--basic", secret(live))
    assert ran.code == 1
    assert ran.lines[1].count("allowed") == 4
    assert "denied" in ran.lines[1]
    assert "The owner of the account grants Update" in ran.lines[2]
    assert ran.lines[3] == "  TS Payout: team Bright Roofing, /company/teams/1"


def test_nothing_is_changed_and_no_update_waits(shell: Shell, live: Live, database_url: str) -> None:
    call = live.world.call()
    live.world.grant([])
    url = f"http://acme.localhost:{live.port}/api/v1/calls/update_call/{call.uuid}"
    assert shell.run("check", url, "--basic", secret(live)).code == 1
    assert live.world.state(call)["revenue"] is None
    shell.database = database_url
    assert shell.ok("updates", "list", "--account", "acme", "--outcome", "denied", "--json").json == []


def test_a_body_of_ones_own_is_checked(shell: Shell, live: Live) -> None:
    live.world.grant(["revenue"])
    (shell.folder / "body.json").write_text('{"revenue": "1"}')
    url = f"http://acme.localhost:{live.port}"
    assert shell.ok("check", url, "--basic", secret(live), "--body", "body.json", "--json").json[0]["verdicts"] == {
        "revenue": "allowed"
    }
    (shell.folder / "body.json").write_text('{"revenue": "[Call:ConversionPayout]"}')
    ran = shell.run("check", url, "--basic", secret(live), "--body", "body.json")
    assert ran.code == 1
    assert "422 unreplaced_token" in ran.out


def test_who_is_not_known_has_no_verdicts(shell: Shell, live: Live) -> None:
    ran = shell.run("check", f"http://acme.localhost:{live.port}", *CREDENTIAL)
    assert ran.code == 1
    assert ran.lines[1].split()[1:6] == ["-"] * 5
    assert "its check digits don't fit" in ran.lines[2]


@pytest.mark.parametrize("answer", [b'{"name": "other"}', b"<html>", b""])
def test_a_system_that_is_no_ringback_is_sent_nothing(shell: Shell, answer: bytes) -> None:
    with foreign(answer) as (url, asked):
        ran = shell.run("check", url, *CREDENTIAL)
    assert ran.code == 1
    assert "This is no Ringback, so nothing was sent to it." in ran.out
    assert asked == ["GET /version"]


def test_a_ringback_that_does_not_speak_of_a_dry_run_is_an_alarm(shell: Shell) -> None:
    with foreign(b'{"name": "ringback"}') as (url, asked):
        ran = shell.run("check", url, *CREDENTIAL)
    assert ran.code == 1
    assert "look whether it was applied" in ran.out
    assert len(asked) == 2


def test_a_receiver_that_cannot_be_reached_is_told_beside_the_others(shell: Shell, live: Live) -> None:
    ran = shell.run("check", "http://127.0.0.1:9", f"http://acme.localhost:{live.port}", "--basic", secret(live))
    assert ran.code == 1
    assert ran.lines[2].count("allowed") == len(LABELS)
    assert ran.lines[3] == "127.0.0.1:9: can't reach 127.0.0.1:9: Connection refused"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("http://x.localhost",), "give one credential: --basic or --token"),
        (("http://x.localhost", "--basic", "a:b", "--token", "c"), "give one credential: --basic or --token"),
        (("ftp://x.localhost", *CREDENTIAL), "ftp://x.localhost is not a URL: it must begin with http:// or https://"),
        (("acme", *CREDENTIAL), "acme is not a URL: it must begin with http:// or https:// and a host"),
        (("http://x.localhost:99999", *CREDENTIAL), "http://x.localhost:99999 is not a URL: Port out of range 0-65535"),
        (("http://x.localhost", "--basic", "@nowhere"), "can't read nowhere: No such file or directory"),
        (("http://x.localhost", *CREDENTIAL, "--body", "nowhere"), "can't read nowhere: No such file or directory"),
    ],
)
@pytest.mark.parametrize("command", ["check", "send"])
def test_what_cannot_be_asked_is_told(shell: Shell, command: str, arguments: tuple[str, ...], reason: str) -> None:
    assert shell.fails(command, *arguments).startswith(reason)


def test_a_postback_by_hand_shows_the_exchange_without_its_secret(shell: Shell, live: Live) -> None:
    call = live.world.call()
    url = f"http://acme.localhost:{live.port}/api/v1/calls/update_call/{call.uuid}"
    told = shell.ok("send", url, "--basic", secret(live), "--revenue", "42.00")
    assert told.lines[:3] == [f"> POST {url}", "> Authorization: Basic [masked]", "> Content-Type: application/json"]
    assert json.loads(told.lines[4]) == {
        "buyer_converted": "true",
        "revenue": "42.00",
        "offer_converted": "true",
        "post_call_tokens": {},
    }
    assert "< 200 OK" in told.lines
    assert secret(live) not in told.out
    assert live.world.state(call)["revenue"] == 42


def test_a_pair_may_be_given_as_it_is_and_in_a_file(shell: Shell, live: Live) -> None:
    call = live.world.call()
    url = f"http://127.0.0.1:{live.port}/a/acme/api/v1/calls/update_call/{call.uuid}"
    token = live.world.bob_token
    pair = f"{token.public_key}:{token.private_key}"
    ran = shell.ok("send", url, "--basic", pair, "--json")
    assert ran.json["status"] == 200
    assert token.private_key is not None
    assert token.private_key not in ran.out
    (shell.folder / "secret").write_text(f"{live.world.bob_developer_token.token}\n")
    assert shell.ok("send", url, "--token", "@secret", "--json").json["status"] == 200


def test_a_secret_that_comes_back_is_masked_too(shell: Shell) -> None:
    with foreign() as (url, _):
        ran = shell.ok("send", f"{url}/x?auth_token=s3cr3t-value", "--token", "converted!", "--json")
    assert "s3cr3t-value" not in ran.out
    assert ran.json["body"] == "[masked]"


def test_a_refused_postback_has_an_exit_code(shell: Shell, live: Live) -> None:
    live.world.grant([])
    url = f"http://acme.localhost:{live.port}/api/v1/calls/update_call/{live.world.call().uuid}"
    ran = shell.run("send", url, "--basic", secret(live))
    assert ran.code == 1
    assert "< 403 Forbidden" in ran.lines


def test_a_dry_run_by_hand_changes_nothing(shell: Shell, live: Live) -> None:
    call = live.world.call()
    (shell.folder / "body.json").write_text('{"revenue": "1"}')
    url = f"http://acme.localhost:{live.port}/api/v1/calls/update_call/{call.uuid}"
    ran = shell.ok("send", url, "--basic", secret(live), "--body", "body.json", "--dry-run", "--json")
    assert json.loads(ran.json["body"])["dry_run"] is True
    assert live.world.state(call)["revenue"] is None
    assert shell.fails("send", url, "--basic", "x", "--body", "body.json", "--revenue", "1").startswith(
        "give either --body"
    )


def test_who_never_answers_is_told(shell: Shell) -> None:
    assert shell.fails("send", f"http://127.0.0.1:9/{entropy.new_id()}", *CREDENTIAL).startswith(
        "can't reach 127.0.0.1"
    )
    assert shell.fails("send", "http://nowhere.invalid/", *CREDENTIAL).startswith("can't reach nowhere.invalid:80: ")


def test_an_answer_that_is_no_json_is_shown_as_it_is(shell: Shell) -> None:
    with foreign(b"") as (url, _):
        assert shell.ok("send", f"{url}/x", *CREDENTIAL).lines[-1] == "converted!"


def test_of_an_endless_answer_only_the_beginning_is_read(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "LARGEST_ANSWER", 4)
    with foreign(b"") as (url, _):
        assert shell.ok("send", f"{url}/x", *CREDENTIAL, "--json").json["body"] == "conv"
