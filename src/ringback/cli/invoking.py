"""Commands as lines to paste: how this program is called, and on which database."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from shutil import which


def line(*arguments: str, database: str | None = None) -> str:
    """A line for the shell that this command was called from."""
    script = _script()
    program = "ringback" if script and which("ringback") == script else _program(script)
    return _joined(program, arguments, database)


def line_from_anywhere(*arguments: str, database: str) -> str:
    """A line for any shell; it knows neither this folder nor this environment."""
    return _joined(_program(_script()), arguments, database)


def _joined(program: str, arguments: tuple[str, ...], database: str | None) -> str:
    from ringback.settings import without_password

    where = [] if database is None else ["--database", without_password(database)]
    return f"{program} {shlex.join([*arguments, *where])}"


def _script() -> str:
    """The installed command beside the interpreter that runs this, if it is there."""
    script = Path(sys.executable).with_name("ringback")
    return str(script) if script.exists() else ""


def _program(script: str) -> str:
    return shlex.quote(script) if script else f"{shlex.quote(sys.executable)} -m ringback"
