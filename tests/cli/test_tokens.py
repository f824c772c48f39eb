from __future__ import annotations

from base64 import b64decode
from datetime import datetime, timedelta

import pytest

from ringback.domain.credentials import checksum_fits
from tests.cli.shell import Shell
from tests.live import Live

BOB = ("--email", "bob@bright.example", "--account", "acme", "--description", "From here")


def test_a_pair_is_shown_once_with_its_ready_value(at_acme: Shell) -> None:
    made = at_acme.ok("token", "create", *BOB, "--json").json
    assert list(made) == ["id", "public_key", "private_key", "basic"]
    assert checksum_fits(made["public_key"])
    assert checksum_fits(made["private_key"])
    assert b64decode(made["basic"]).decode() == f"{made['public_key']}:{made['private_key']}"
    listed = at_acme.ok("token", "list", "--json").json[-1]
    assert (listed["id"], listed["public_key"], listed["access_type"]) == (made["id"], made["public_key"], "calls")
    assert made["private_key"] not in at_acme.ok("token", "list").out


def test_a_developer_access_token_is_one_value(at_acme: Shell) -> None:
    made = at_acme.ok("token", "create", *BOB, "--kind", "developer", "--json").json
    assert list(made) == ["id", "token"]
    assert checksum_fits(made["token"])
    assert at_acme.ok("token", "list", "--json").json[-1]["public_key"] is None


def test_a_person_is_told_what_to_send_and_to_keep_it(at_acme: Shell) -> None:
    told = at_acme.ok("token", "create", *BOB).out
    assert "\nSend it as   Authorization: Basic " in told
    assert "it is not shown again" in told
    assert "Authorization: Token rbtok_" in at_acme.ok("token", "create", *BOB, "--kind", "developer").out


def test_everything_about_a_token_can_be_said(at_acme: Shell) -> None:
    more = ("--access-type", "calls-read", "--expires-in", "30", "--allow-ip", "192.0.2.0/24", "--allow-ip", "::1")
    at_acme.ok("token", "create", *BOB, *more)
    listed = at_acme.ok("token", "list", "--json").json[-1]
    assert (listed["access_type"], listed["allow_ip"]) == ("calls-read", ["192.0.2.0/24", "::1/128"])
    lifetime = datetime.fromisoformat(listed["expires_at"]) - datetime.fromisoformat(listed["created_at"])
    assert lifetime == timedelta(days=30)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        (("--email", "bob@bright"), "there is no user bob@bright; did you mean bob@bright.example?"),
        (("--account", "acm"), "there is no account acm; did you mean acme?"),
        (("--allow-ip", "1.2.3"), "--allow-ip: '1.2.3' does not appear to be an IPv4 or IPv6 network"),
    ],
)
def test_a_token_that_cannot_be_made_is_refused(at_acme: Shell, changed: tuple[str, str], reason: str) -> None:
    assert at_acme.fails("token", "create", *BOB, *changed) == reason


def test_the_list_tells_states(at_acme: Shell) -> None:
    made = at_acme.ok("token", "create", *BOB, "--json").json["id"]
    at_acme.ok("token", "rotate", made, "--overlap", "0")
    gone = at_acme.ok("token", "create", *BOB, "--json").json["id"]
    assert at_acme.ok("token", "revoke", gone).lines == ["The access token From here of bob@bright.example is revoked."]
    at_acme.ok("token", "revoke", gone)
    states = {line.split()[0]: line.split("  ")[-1].strip() for line in at_acme.ok("token", "list").lines[1:]}
    assert (states[made], states[gone]) == ("expired", "revoked")
    assert list(states.values()).count("never used") == 5
    assert len(at_acme.ok("token", "list", "--email", "ada@acme.example", "--json").json) == 1


def test_until_when_the_old_one_works_is_told(at_acme: Shell) -> None:
    made = at_acme.ok("token", "create", *BOB, "--json").json["id"]
    told = at_acme.ok("token", "rotate", made, "--overlap", "72").lines[-1]
    listed = next(each for each in at_acme.ok("token", "list", "--json").json if each["id"] == made)
    until = f"until {datetime.fromisoformat(listed['expires_at']):%Y-%m-%d %H:%M} UTC"
    assert told == f"The old one works {until}."
    line = next(line for line in at_acme.ok("token", "list").lines if line.startswith(made))
    assert line.endswith(f"  never used, {until}")
    assert at_acme.ok("token", "rotate", made, "--overlap", "0").lines[-1] == "The old one works no longer."


def test_a_revoked_token_has_no_successor(at_acme: Shell) -> None:
    made = at_acme.ok("token", "create", *BOB, "--json").json["id"]
    at_acme.ok("token", "revoke", made)
    assert at_acme.fails("token", "rotate", made).endswith("was revoked; make a new one: ringback token create")


@pytest.mark.parametrize("token_id", ["nonsense", "01a20a9b-0000-7000-8000-000000000000"])
def test_a_token_that_there_is_not_is_told(at_acme: Shell, token_id: str) -> None:
    assert at_acme.fails("token", "revoke", token_id) == f"there is no access token {token_id}"


def test_what_was_made_here_works_there(shell: Shell, live: Live, database_url: str) -> None:
    shell.database = database_url
    made = shell.ok("token", "create", *BOB, "--json").json
    call = live.world.call()
    assert live.update(call.uuid, {"revenue": "1"}, auth=f"Basic {made['basic']}").status == 200
    assert shell.ok("token", "list", "--json").json[-1]["last_used_ip"] == "127.0.0.1"
    rotated = shell.ok("token", "rotate", made["id"], "--json").json
    assert live.update(call.uuid, {"revenue": "2"}, auth=f"Basic {made['basic']}").status == 200
    assert live.update(call.uuid, {"revenue": "3"}, auth=f"Basic {rotated['basic']}").status == 200
    shell.ok("token", "revoke", rotated["id"])
    assert live.update(call.uuid, {"revenue": "4"}, auth=f"Basic {rotated['basic']}").json["code"] == "revoked"
