from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli.shell import Running, running

FRESH = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/"}
"""The environment of a shell that knows nothing of this project."""


@dataclass
class Demo:
    """A demo that runs, and the lines that it printed to be pasted."""

    server: Running
    commands: list[str]

    def paste(self, number: int) -> str:
        """Run the line of this number in a shell of its own; returns what it printed."""
        return run_fresh(self.commands[number - 1])

    def answer(self, number: int) -> Any:  # noqa: ANN401
        """The same of a line that asks the API."""
        return json.loads(self.paste(number))


def run_fresh(command: str) -> str:
    """Run a line in a shell of its own."""
    done = subprocess.run(["bash", "-c", command], cwd="/", env=FRESH, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """One demo for the tests of this file, which go through its lines in their order."""
    with running("demo", "--port", "0", folder=tmp_path_factory.mktemp("demo")) as server:
        server.read_until("10. ")
        server.read_until("call show")
        yield Demo(server, [line for line in server.lines if re.match(r"curl|/\S+ (team|updates|call) ", line)])
        folder = database_of(server.lines).parent
        assert server.stop() == 0
        assert not folder.exists()


def database_of(lines: list[str]) -> Path:
    found = re.search(r"sqlite:///(\S+)", "\n".join(lines))
    assert found is not None
    return Path(found[1])


def test_every_line_works_as_it_is_printed(demo: Demo) -> None:
    assert len(demo.commands) == 10
    by_host, by_path = demo.answer(1), demo.answer(2)
    for answer in (by_host, by_path):
        assert (answer["status"], answer["code"]) == (200, "applied")
        assert answer["changed"]["revenue"] == {"from": None, "to": "42.00"}
        assert answer["changed"]["payout"] == {"from": None, "to": "25.20", "origin": "effect"}
    refused = demo.answer(3)
    assert (refused["status"], refused["code"]) == (403, "permission_denied")
    assert [each["attribute"] for each in refused["missing_permissions"]] == ["TS Payout"]
    assert demo.paste(4).splitlines()[0] == "~ team Summit Solar in acme: Update on TS Payout added"
    applied = demo.paste(5)
    assert applied.count("✓") == 2
    assert applied.count("TS Payout: nothing → 25.00") == 2
    assert demo.answer(3)["code"] == "unchanged"
    shown = demo.paste(6)
    for part in ("What arrived", "✗ The user of this token may not update: TS Payout.", "It was applied later"):
        assert part in shown
    assert "TS Payout: nothing → 25.20 (follows from the conversion)" in demo.paste(7)


def test_the_last_lines_close_the_loop(demo: Demo) -> None:
    assert demo.answer(8)["code"] == "recorded"
    assert demo.answer(9)["code"] in {"applied", "call_not_found"}  # if it overtakes the forward post, it waits for it
    until = time.monotonic() + 20
    while "TS Payout: nothing → 50.40" not in (shown := demo.paste(10)):
        assert time.monotonic() < until, shown
    assert "Buyer Revenue: nothing → 84.00" in shown


def test_each_command_has_a_line_about_it(demo: Demo) -> None:
    about = [line for line in demo.server.lines if re.match(r"\d+\. ", line)]
    assert [line.partition(".")[0] for line in about] == [str(number) for number in range(1, 11)]
    assert all(line.endswith((".", ":")) for line in about)
    assert all(len(line) <= 120 for line in about)


def test_a_call_is_left_for_a_program(demo: Demo) -> None:
    spare = re.search(r"For a program of yours: (\S+) ", "\n".join(demo.server.lines))
    assert spare is not None
    assert not any(spare[1] in command for command in demo.commands)
    sale = re.sub(r"(?<=update_call/)\S+", spare[1], demo.commands[0])
    assert json.loads(run_fresh(sale))["changed"]["payout"]["to"] == "25.20"


def test_a_copied_line_is_one_line(demo: Demo) -> None:
    assert not any("\\" in command or "\x1b" in command for command in demo.commands)


def test_it_listens_on_this_machine_only(demo: Demo) -> None:
    port = re.search(r"localhost:(\d+)", demo.server.lines[0])
    assert port is not None
    listening = f"{int(port[1]):04X}"
    table = Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    own = [line.split()[1] for line in table if line.split()[1].endswith(f":{listening}") and line.split()[3] == "0A"]
    assert own == [f"0100007F:{listening}"]


@pytest.mark.parametrize(("who", "sees"), [("Acme's owner", "Settings"), ("Bright's user", "Calls")])
def test_a_link_logs_its_visitor_in_once(demo: Demo, tmp_path: Path, who: str, sees: str) -> None:
    line = next(line for line in demo.server.lines if line.startswith(f"Console, as {who}:"))
    found = re.fullmatch(r"Console, .*: +(http://localhost:\d+)(/log-in/\S+)", line)
    assert found is not None
    browser = ["curl", "-sS", "--noproxy", "*", "-b", str(tmp_path / "jar"), "-c", str(tmp_path / "jar")]

    def ask(*arguments: str) -> str:
        return subprocess.run([*browser, *arguments], env=FRESH, capture_output=True, text=True, check=True).stdout

    form = re.search(r'name="csrf" value="([^"]+)"', ask(found[1] + found[2]))
    assert form is not None
    asked = ["-L", "-H", "Sec-Fetch-Site: same-origin", "-d", f"csrf={form[1]}"]
    assert f">{sees}</" in ask(*asked, found[1] + found[2])
    assert "was used or has expired" in ask(found[1] + found[2])


def test_settings_of_the_machine_do_not_change_it(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "RINGBACK_BASE_DOMAIN=example.com\nRINGBACK_DATABASE_URL=sqlite:///real.db\nRINGBACK_AUTO_MIGRATE=0\n"
    )
    with running("demo", "--port", "0", "--fresh", folder=tmp_path) as server:
        server.read_until("call show")
        assert any("http://acme.localhost:" in line for line in server.lines)
        assert server.stop() == 0
    assert [path.name for path in tmp_path.iterdir()] == [".env"]
