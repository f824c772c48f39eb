"""Commands as people type them: in this process where that tells the same, else in processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ringback import cli

PROGRAM = str(Path(sys.executable).with_name("ringback"))


@dataclass(frozen=True)
class Ran:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:  # noqa: ANN401
        """What it printed, as JSON."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[str]:
        """What it printed, line by line."""
        return self.out.splitlines()


@dataclass
class Shell:
    """Runs commands in a folder of its own, without settings but those that a test makes."""

    folder: Path
    capsys: pytest.CaptureFixture[str]
    database: str = ""

    def run(self, *arguments: str) -> Ran:
        """Run a command in this process, on the database of the shell where it is set."""
        where = ["--database", self.database] if self.database else []
        self.capsys.readouterr()
        code = cli.run([*arguments, *where])
        captured = self.capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    def ok(self, *arguments: str) -> Ran:
        """The same of a command that succeeds."""
        ran = self.run(*arguments)
        assert (ran.code, ran.err) == (0, "")
        return ran

    def fails(self, *arguments: str, code: int = 1) -> str:
        """The same of a command that fails: its reason, which is one line."""
        ran = self.run(*arguments)
        assert ran.code == code
        assert ran.err.count("\n") == 1
        assert ran.err.startswith("ringback: ")
        return ran.err.removeprefix("ringback: ").rstrip("\n")


def is_setting(name: str) -> bool:
    """Whether a name of the environment sets something here; the secret key stays, since PostgreSQL wants one."""
    return name.upper().startswith("RINGBACK_") and name != "RINGBACK_SECRET_KEY"


def environment() -> dict[str, str]:
    """The environment of a process, without settings of Ringback."""
    return {name: value for name, value in os.environ.items() if not is_setting(name)}


def run(*arguments: str, folder: Path, stdin: str = "") -> Ran:
    """Run the installed command in a process of its own."""
    done = subprocess.run(
        [PROGRAM, *arguments], cwd=folder, env=environment(), input=stdin, capture_output=True, text=True, check=False
    )
    return Ran(done.returncode, done.stdout, done.stderr)


@dataclass
class Running:
    """A command that goes on; what it has printed so far."""

    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)

    def read_until(self, text: str) -> str:
        """Wait for a line with this text in it."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            if text in line:
                return line.rstrip("\n")
        errors = self.process.stderr.read() if self.process.stderr else ""
        pytest.fail(f"it ended without saying {text!r}: {errors}")

    def stop(self) -> int:
        """Ask it to stop, as a supervisor does; returns its exit code."""
        self.process.terminate()
        return self.process.wait(timeout=30)


@contextmanager
def running(*arguments: str, folder: Path) -> Iterator[Running]:
    """A command that goes on in a process of its own until the end of the block."""
    with subprocess.Popen(
        [PROGRAM, *arguments],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Running(process)
        finally:
            if process.poll() is None:
                process.kill()
