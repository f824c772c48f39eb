"""An install with nothing in it, and its operator's and its callers' commands."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cli import shell


@dataclass(frozen=True)
class Answer:
    """What curl was answered."""

    status: int
    body: Any

    @property
    def code(self) -> str:
        """The code of the answer."""
        return str(self.body["code"])


@dataclass(frozen=True)
class Install:
    """A server that runs in a process of its own; ``first_link`` is the link that it printed."""

    url: str
    first_link: str
    folder: Path
    database: str

    def operate(self, *arguments: str) -> str:
        """Run a command as the operator; returns what it printed."""
        ran = shell.run(*arguments, "--database", self.database, folder=self.folder)
        assert (ran.code, ran.err) == (0, "")
        return ran.out

    def reset_link(self, email: str) -> str:
        """A link by which a user chooses his password, made by the operator."""
        path = re.search(r"/reset/\w+", self.operate("user", "reset-link", email))
        assert path is not None
        return f"{self.url}{path[0]}"

    def record_call(self, account: str, buyer: str, caller: str) -> str:
        """Record a call; returns its UUID."""
        told = self.operate(
            "call", "record", "--account", account, "--buyer", buyer, "--caller-number", caller, "--json"
        )
        return str(json.loads(told)["uuid"])

    def endpoint(self, account: str, call: str) -> str:
        """Where updates of a call are posted to."""
        return f"{self.url.replace('//', f'//{account}.')}/api/v1/calls/update_call/{call}"


@contextmanager
def fresh_install(folder: Path) -> Iterator[Install]:
    """An install on an empty database, until the end of the block."""
    database = f"sqlite:///{folder / 'ringback.db'}"
    with shell.running("serve", "--port", "0", "--database", database, folder=folder) as server:
        link = server.read_until("Open this within 60 minutes").rsplit(" ", 1)[-1]
        yield Install(link.partition("/first-run/")[0], link, folder, database)
        assert server.stop() == 0


def run_line(line: str) -> Answer:
    """Run a line as it stands, in a shell that knows nothing of this project, and read what curl was answered."""
    environment = {"PATH": os.environ["PATH"], "HOME": "/", "CURL_HOME": "/"}
    asked = f"{line} -sS -w '\\n%{{http_code}}'"
    done = subprocess.run(["bash", "-c", asked], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    body, _, status = done.stdout.rpartition("\n")
    return Answer(int(status), json.loads(body))
