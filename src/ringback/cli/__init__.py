"""The command ``ringback``: one module a noun. Errors are one line on standard error and a non-zero exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from typing import Annotated

import typer

from ringback import __version__
from ringback.cli import (
    account,
    backups,
    call,
    declaring,
    deliveries,
    demonstration,
    exchanges,
    keeping,
    operating,
    serving,
    team,
    token,
    updates,
    user,
    working,
)
from ringback.cli.printing import printable
from ringback.domain.errors import Refusal, RingbackError

INTERRUPTED = 130
"""The exit code of what was stopped with Ctrl-C, as shells have it."""

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for commands in (demonstration, serving, working, operating, keeping, backups, declaring, exchanges):
    commands.add_to(app)
for noun in (account, user, team, token, call, updates, deliveries):
    app.add_typer(noun.app)


def _show_version(asked: bool) -> None:  # noqa: FBT001 - as typer calls it
    if asked:
        print(f"ringback {__version__}")
        raise typer.Exit


@app.callback()
def ringback(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Ringback: the self-hosted system of record for what a phone call was worth."""


def main() -> None:
    """Run the command of this process."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a terminal that lacks a letter gets its number instead of a traceback
            stream.reconfigure(errors="backslashreplace")
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run a command; returns its exit code."""
    try:
        code = typer.main.get_command(app)(list(arguments) or ["--help"], "ringback", standalone_mode=False)
        sys.stdout.flush()
    except typer.TyperException as error:
        return _fail(_mistyped(error), error.exit_code)
    except RingbackError as error:
        return _fail(_sentence(error))
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except BrokenPipeError:  # whoever was reading has seen enough, as `head` has
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code if isinstance(code, int) else 0


def _mistyped(error: typer.TyperException) -> str:
    message = error.format_message().replace("Value error, ", "")
    context = getattr(error, "ctx", None)
    if context is None:
        return message
    stop = "" if message.endswith((".", "?")) else "."
    return f"{message}{stop} Try: {context.command_path} --help"


def _sentence(error: RingbackError) -> str:
    if isinstance(error, Refusal) and error.problems:
        return " ".join(dict.fromkeys(problem.message for problem in error.problems))
    return str(error)


def _fail(message: str, code: int = 1) -> int:
    print("ringback:", printable(" ".join(message.split())), file=sys.stderr)
    return code
