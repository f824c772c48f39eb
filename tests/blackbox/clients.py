"""The clients, how each is run, and what each can't do."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

from tests.api.wire import read_reply
from tests.blackbox import commands
from tests.blackbox.python.asking import Ask
from tests.blackbox.ways import BODIES, CREDENTIALS
from tests.house.source import ROOT
from tests.live import Reply

HERE = Path(__file__).parent
PATIENCE = 60.0
"""Seconds after which a client hangs."""

NO_BODY = {(body, "auth_token_body"): "there is no body to put it in" for body in ("query", "get")}
NO_MULTIPART = "its author would have to write the parts by hand"
NO_URL = "it refuses or misreads a URL with a password in it"
NO_OPTION = "it has no option for a user and password"


@dataclass(frozen=True)
class Client:
    """A program that posts updates; ``cannot`` has a reason for each kind of body or credential that it can't write."""

    name: str
    line: Sequence[str] = ()
    command: Callable[[Ask], list[str]] | None = None
    cannot: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_one_line(self) -> bool:
        """Whether it is a command for one request, not a program that can be asked for many."""
        return self.command is not None


def _python(name: str, **cannot: str) -> Client:
    return Client(f"Python {name}", (sys.executable, "-m", f"tests.blackbox.python.with_{name}"), cannot=cannot)


def _node(name: str, **cannot: str) -> Client:
    return Client(f"Node {name}", ("node", str(HERE / "node" / f"with_{name}.mjs")), cannot=cannot)


def _php(name: str, **cannot: str) -> Client:
    return Client(f"PHP {name}", ("php", str(HERE / "php" / f"with_{name}.php")), cannot=cannot)


USUAL = (
    Client("curl", command=commands.curl),
    Client("wget", command=commands.wget, cannot={"multipart": "it knows no multipart"}),
    _python("urllib", multipart=NO_MULTIPART, basic_url=NO_URL),
    _node("fetch", basic_url=NO_URL, basic_option=NO_OPTION),
    _php("curl"),
    _php("streams", multipart=NO_MULTIPART, basic_option=NO_OPTION),
)
"""The clients of ``make test``."""

FURTHER = (
    Client("HTTPie", command=commands.httpie),
    _python("requests"),
    _python("httpx2"),
    _python("aiohttp"),
    _node("axios"),
    _node("got"),
    _php("guzzle"),
    Client("Perl", ("perl", str(HERE / "perl" / "with_lwp.pl"))),
    Client("Ruby", ("ruby", str(HERE / "ruby" / "with_net_http.rb")), cannot={"basic_url": NO_URL}),
)
"""Those of ``make test-all``, too."""


class Running:
    """A client at work: one process for a program, one for each request of a command."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        if not self.client.is_one_line:
            self._process = subprocess.Popen(
                self.client.line, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.communicate(timeout=PATIENCE)

    def post(self, ask: Ask) -> Reply:
        """Have it post an update, and return what it was answered."""
        if self.client.command is not None:
            line = self.client.command(ask)
            done = subprocess.run(line, capture_output=True, check=False, timeout=PATIENCE)
            return read_reply(commands.answered(done.stdout, done.stderr))
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(asdict(ask)), file=self._process.stdin, flush=True)
        told = json.loads(self._process.stdout.readline())
        return Reply(told["status"], told["headers"], told["body"].encode())


def combinations(client: Client) -> Iterator[tuple[str, str]]:
    """The bodies and credentials that a client can send together."""
    for body in BODIES:
        for credential in CREDENTIALS:
            if not {body, credential} & set(client.cannot) and (body, credential) not in NO_BODY:
                yield body, credential
