"""The blocks of the tutorial, pasted one after another into one shell, beside a server."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

from tests.cli.shell import PROGRAM, environment, running
from tests.docs.pages import text
from tests.house.source import ROOT

END = "=== end of block"
PATIENCE = 30


@dataclass
class Terminal:
    """A shell that things are pasted into."""

    stdin: IO[str]
    stdout: IO[str]

    def paste(self, block: str) -> str:
        """What a block prints; its last command succeeds."""
        self.stdin.write(f"{block}\nstatus=$?; echo; echo '{END}' $status\n")
        self.stdin.flush()
        lines: list[str] = []
        for line in self.stdout:
            if line.startswith(END):
                assert line == f"{END} 0\n", "".join(lines)
                break
            lines.append(line)
        return "".join(lines)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """A terminal in an empty folder, where ``ringback`` is on the path and nothing is set."""
    settings = environment()
    settings.pop("RINGBACK_SECRET_KEY", None)
    settings["PATH"] = f"{Path(PROGRAM).parent}:{settings['PATH']}"
    with subprocess.Popen(
        ["bash", "--norc"],
        cwd=tmp_path,
        env={**settings, "no_proxy": "*"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield Terminal(process.stdin, process.stdout)
        process.stdin.close()


def test_it_says_what_happens(terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RINGBACK_SECRET_KEY", raising=False)
    blocks = re.findall(r"^```sh\n(.*?)^```$", text(ROOT / "docs" / "tutorial.md"), re.MULTILINE | re.DOTALL)
    companies, credential, sale, effect, refused, cure, loop, call, sold, told = blocks
    assert "+ team Bright Roofing in acme" in terminal.paste(companies)
    (tmp_path / ".env").write_text("RINGBACK_DELIVERY_ALLOW=*.localhost\n")
    with running("serve", "--port", "0", folder=tmp_path) as server:
        found = re.search(r"port (\d+)", server.read_until("listens on"))
        assert found is not None

        def paste(block: str) -> str:
            return terminal.paste(block.replace(":8080", f":{found[1]}"))

        assert paste(credential) == "\n"
        assert list(json.loads(paste(sale))["changed"]) == ["buyer_converted", "revenue", "offer_converted"]
        assert "TS Payout: nothing → 25.20 (follows from the conversion)" in paste(effect)
        denied = json.loads(paste(refused))
        assert [denied["code"], *(each["attribute"] for each in denied["missing_permissions"])] == [
            "permission_denied",
            "TS Payout",
        ]
        cured = paste(cure)
        for part in ("lacks TS Payout", "Update on TS Payout added", "Buyer Revenue: 42.00 → 50.00", "25.20 → 30.00"):
            assert part in cured
        assert paste(loop).count("+ postback ") == 2
        paste(call)
        assert re.search('"code":"(applied|call_not_found)"', paste(sold))
        until = time.monotonic() + PATIENCE
        while "TS Payout: nothing → 50.40" not in (shown := paste(told)):
            assert time.monotonic() < until, shown
        assert "Buyer Revenue: nothing → 84.00" in shown
        assert server.stop() == 0
