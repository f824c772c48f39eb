"""A further attribute is a row and a column: the edits of docs/how-to/add-an-attribute.md, made and run."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ringback.domain.attributes import BY_NAME
from tests.house.source import ROOT, SRC
from tests.services.requests import apply, request
from tests.world import World

GUIDE = ROOT / "docs" / "how-to" / "add-an-attribute.md"
NAME, LABEL = "appointment_set", "Appointment Set?"
PATIENCE = 60


@dataclass(frozen=True)
class Edited:
    """A copy of the program with the edits of the guide in it, and a database that it knows nothing of yet."""

    source: Path
    url: str

    def command(self, *words: str) -> tuple[list[str], dict[str, str]]:
        """A command of the copy and its environment."""
        key = os.environ["RINGBACK_SECRET_KEY"]  # PostgreSQL wants one
        settings = {"PYTHONPATH": str(self.source), "RINGBACK_DATABASE_URL": self.url, "RINGBACK_SECRET_KEY": key}
        return [sys.executable, "-m", "ringback", *words], settings

    def run(self, *words: str) -> str:
        """What a command prints."""
        arguments, environment = self.command(*words)
        done = subprocess.run(
            arguments, env=environment, cwd=self.source, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    @contextmanager
    def serving(self) -> Iterator[int]:
        """The port of a running server."""
        arguments, environment = self.command("serve", "--port", "0")
        server = subprocess.Popen(
            arguments, env=environment, cwd=self.source, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert server.stdout is not None
        try:
            said = server.stdout.readline()
            found = re.search(r"127\.0\.0\.1, port (\d+)", said)
            assert found, said
            yield int(found[1])
        finally:
            server.terminate()
            server.communicate(timeout=PATIENCE)


def make_edits(source: Path, guide: str) -> None:
    """Do to a copy of the source what the guide says, the numbers of migrations apart."""
    row, table, migration = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
    attributes = source / "ringback" / "domain" / "attributes.py"
    before, _, after = attributes.read_text().partition("ATTRIBUTES: tuple[Attribute, ...] = ")
    assert after, "the table isn't where the guide says"
    attributes.write_text(f"{before}{row}\n{table}{after.partition(chr(10))[2]}")
    versions = source / "ringback" / "store" / "migrations" / "versions"
    newest = max(int(file.name[:4]) for file in versions.glob("[0-9]*.py"))
    (name,) = re.findall(r"`(\d{4}_\w+\.py)`", guide)
    numbers = {"0041": f"{newest:04}", "0042": f"{newest + 1:04}"}
    named, written = (re.sub(r"004[12]", lambda number: numbers[number[0]], text) for text in (name, migration))
    (versions / named).write_text(written)


@pytest.fixture
def edited(tmp_path: Path, database_url: str) -> Edited:
    """The edited copy."""
    source = tmp_path / "edited"
    shutil.copytree(SRC, source, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    make_edits(source, GUIDE.read_text())
    return Edited(source, database_url)


def ask(port: int, method: str, path: str, auth: str = "", body: Mapping[str, Any] | None = None) -> tuple[int, Any]:
    """The status and the document that a request is answered with."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    sent = {"Host": "acme.localhost", "Authorization": auth, "Content-Type": "application/json"}
    try:
        connection.request(method, path, body=json.dumps(body) if body else None, headers=sent)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def test_the_unchanged_program_knows_nothing_of_it() -> None:
    assert NAME not in BY_NAME


def test_a_row_and_a_column_are_all_it_takes(edited: Edited, world: World) -> None:
    call = world.call()
    apply(world, request(world, call, {"revenue": "5", "data": {"a": "1"}, NAME: "1"}))
    world.database.close()
    auth, path = world.bob_token.authorization, f"/api/v1/calls/update_call/{call.uuid}"
    edited.run("migrate")
    with edited.serving() as port:
        status, denied = ask(port, "POST", path, auth, {NAME: "yes", "payout": "1"})
        assert (status, denied["code"]) == (403, "permission_denied")
        assert denied["missing_permissions"][0]["attribute"] == LABEL
        assert list(denied["errors"]) == [NAME]

        granted = ("team", "grant", "--account", "acme", "--team", "Bright Roofing", "--update", LABEL)
        assert LABEL in edited.run(*granted)

        status, told = ask(port, "POST", path, auth, {NAME: "yes", "payout": "1"})
        assert (status, told["code"]) == (200, "applied")
        assert told["changed"][NAME] == {"from": False, "to": True}
        worth = {name: told["call"][name] for name in ("revenue", "payout", "contact_fields", NAME)}
        assert worth == {"revenue": "5.00", "payout": "1.00", "contact_fields": {"a": "1"}, NAME: "Converted"}

        _, again = ask(port, "GET", f"/api/v1/calls/{call.uuid}", auth)
        assert again["call"][NAME] == "Converted"
        _, me = ask(port, "GET", "/api/v1/me", auth)
        assert NAME in json.dumps(me)
        _, described = ask(port, "GET", "/api/openapi.json")
        assert NAME in json.dumps(described["paths"]) + json.dumps(described["components"])
    assert NAME in edited.run("call", "show", call.uuid, "--account", "acme")
