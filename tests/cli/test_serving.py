from __future__ import annotations

import http.client
import json
import re
import socket
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from ringback.cli.serving import listening
from ringback.domain.errors import Mistake
from tests.api.rows import ledger_sum
from tests.cli.shell import Running, Shell, environment, run, running
from tests.reliability.clients import Post, post_together, wait_until
from tests.world import World

READY = "An account is at"
CROWD = 200
"""Updates that are sent at once."""


def ask(port: int, path: str, host: str = "localhost") -> tuple[int, str]:
    """The status and body of what is at a path."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path, headers={"Host": f"{host}:{port}"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def port_of(server: Running) -> int:
    found = re.search(r"port (\d+)", server.read_until("listens on"))
    assert found is not None
    return int(found[1])


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody listens on already."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_it_serves_at_once_and_stops_in_good_order(tmp_path: Path) -> None:
    with running("serve", "--port", "0", "--database", "sqlite:///x.db", folder=tmp_path) as server:
        port = port_of(server)
        assert json.loads(ask(port, "/readyz")[1]) == {"status": "ready"}
        assert json.loads(ask(port, "/version", "acme.localhost")[1])["name"] == "ringback"
        assert server.stop() == 0


def test_where_there_is_nobody_it_says_how_to_begin(tmp_path: Path) -> None:
    where = ("--database", "sqlite:///x.db")
    with running("serve", "--port", "0", *where, folder=tmp_path) as server:
        port = port_of(server)
        link = server.read_until("Open this within 60 minutes").rsplit(" ", 1)[-1]
        assert link.startswith(f"http://localhost:{port}/first-run/")
        assert ask(port, link.removeprefix(f"http://localhost:{port}"))[0] == 200
        assert server.read_until("Or make it here").endswith("account create SUBDOMAIN --name NAME --owner EMAIL")
        assert server.stop() == 0
    assert run("account", "create", "acme", "--owner", "ada@acme.example", *where, folder=tmp_path).code == 0
    with running("serve", "--port", "0", *where, folder=tmp_path) as server:
        server.read_until(READY)
        server.stop()
        assert server.process.stdout is not None
        assert server.process.stdout.read() == ""


def test_an_interrupted_server_ends_quietly(tmp_path: Path) -> None:
    with running("serve", "--port", "0", "--database", "sqlite:///x.db", folder=tmp_path) as server:
        port = port_of(server)
        ask(port, "/healthz")
        server.process.send_signal(2)
        assert server.process.wait(timeout=30) == 0
        assert server.process.stderr is not None
        assert server.process.stderr.read() == ""


def test_several_workers_share_a_database(tmp_path: Path, world: World, database_url: str) -> None:
    call = world.call()
    with running("serve", "--port", "0", "--workers", "2", "--database", database_url, folder=tmp_path) as server:
        port = port_of(server)
        sent, by_worker = 0, dict[str, int]()
        while len(by_worker) < 2:  # who takes a connection is up to the system
            posts = [Post(call.uuid, {"add_revenue": "1.00"}, f"key {sent + number}") for number in range(CROWD)]
            replies = post_together([port], world.bob_token.authorization, posts)
            assert [reply.status for reply in replies] == [200] * CROWD
            sent += CROWD
            by_worker = count_answered(port, sent)
        assert server.stop() == 0
    assert world.state(call)["revenue"] == Decimal(sent)
    assert ledger_sum(world.database, call)["revenue"] == Decimal(sent)


def count_answered(port: int, total: int) -> dict[str, int]:
    """How many updates each worker has answered; workers are told apart by the time that they took for all of these."""
    answered: dict[str, int] = {}

    def ask_one() -> bool:
        counts = dict(re.findall(r"^ringback_update_seconds_(sum|count) (\S+)", ask(port, "/metrics")[1], re.MULTILINE))
        answered[counts["sum"]] = int(float(counts["count"]))
        return sum(answered.values()) == total

    wait_until(ask_one)
    return {key: count for key, count in answered.items() if count}


@pytest.mark.parametrize(
    ("key", "reason"), [("", "set RINGBACK_SECRET_KEY"), ("short", "RINGBACK_SECRET_KEY: a secret key is 32 random")]
)
def test_several_workers_without_a_key_end_in_one_line(
    tmp_path: Path, postgresql_url: str, monkeypatch: pytest.MonkeyPatch, key: str, reason: str
) -> None:
    monkeypatch.setenv("RINGBACK_SECRET_KEY", key)
    command = ("serve", "--port", "0", "--workers", "2", "--database", postgresql_url)
    with running(*command, folder=tmp_path) as server:
        out, err = server.process.communicate(timeout=30)
    assert (server.process.returncode, out, err.count("\n")) == (1, "", 1)
    assert err.startswith(f"ringback: {reason}")


def test_a_port_in_use_is_told_with_another(shell: Shell, taken: int) -> None:
    reason = f"port {taken} is in use; take another: --port {taken + 1}"
    assert shell.fails("demo", "--port", str(taken)) == reason
    shell.database = "sqlite:///x.db"
    assert shell.fails("serve", "--port", str(taken)) == reason


def test_an_address_that_is_not_ours_is_told() -> None:
    with pytest.raises(Mistake, match=r"can't listen on 192\.0\.2\.1, port 0: "):
        listening("192.0.2.1", 0)


def test_it_listens_on_the_newer_protocol_too() -> None:
    with listening("::1", 0) as listener:
        assert listener.family is socket.AF_INET6


def test_a_database_that_is_away_is_told_in_one_line(tmp_path: Path) -> None:
    ran = run("serve", "--port", "0", "--database", "postgresql://u:secret@127.0.0.1:9/d", folder=tmp_path)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("ringback: postgresql://u:***@127.0.0.1:9/d: connection failed")
    assert "secret" not in ran.err


def test_a_server_that_leaves_migrating_to_others_waits_for_its_database(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("RINGBACK_AUTO_MIGRATE=0\n")
    with running("serve", "--port", "0", "--database", "sqlite:///x.db", folder=tmp_path) as server:
        port = port_of(server)
        assert ask(port, "/readyz")[0] == 503
        assert run("migrate", "--database", "sqlite:///x.db", folder=tmp_path).code == 0
        assert ask(port, "/readyz")[0] == 200
        assert server.stop() == 0


def test_tests_run_without_settings_of_the_machine() -> None:
    assert [name for name in environment() if name.startswith("RINGBACK_")] == ["RINGBACK_SECRET_KEY"]
