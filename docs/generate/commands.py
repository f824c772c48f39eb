"""The page of the command line, made of the commands."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Any

import typer

from docs.generate.markdown import block, code, prose, table
from ringback.cli import app

_TOP = """# The command line

Every command explains itself: `ringback --help`, `ringback token create --help`. Errors are one line on standard error
and an exit code that is not 0. Commands read the same [settings](settings.md) as the server.

"""
_WORDS = {bool: "", int: "N", float: "N", str: "TEXT"}


def page() -> str:
    """The page."""
    return _TOP + "\n".join(_told("ringback", typer.main.get_command(app)))


def _told(name: str, command: Any) -> Iterator[str]:  # noqa: ANN401 - typer keeps the classes of commands to itself
    """A command, or those below it."""
    below = getattr(command, "commands", None)
    if below is not None:
        for each, found in below.items():
            yield from _told(f"{name} {each}", found)
        return
    options = [each for each in command.params if each.opts[0].startswith("-")]
    arguments = [each for each in command.params if each not in options]
    yield f"## {name}\n"
    yield block(" ".join([name, *map(_usage, arguments), *(_usage(each) for each in options if each.required)]), "sh")
    yield prose(" ".join(command.help.split())) + "\n"
    rows = [(_spelled(each), prose(each.help or ""), _default(each)) for each in (*arguments, *options)]
    yield table(("", "", "Default"), rows)


def _usage(parameter: Any) -> str:  # noqa: ANN401
    name = "/".join((parameter.opts[0], *parameter.secondary_opts))
    more = "…" if parameter.nargs < 0 else ""
    if not name.startswith("-"):
        word = (parameter.metavar or name.upper()).strip("[].…")
        return f"{word}{more}" if parameter.required else f"[{word}{more}]"
    return f"{name} {_value(parameter)}".strip()


def _spelled(parameter: Any) -> str:  # noqa: ANN401
    required = " (required)" if parameter.required and parameter.opts[0].startswith("-") else ""
    return code(_usage(parameter)) + (", repeatable" if parameter.multiple else "") + required


def _value(parameter: Any) -> str:  # noqa: ANN401
    """What is given to an option."""
    if parameter.is_flag:
        return ""
    kind = parameter.type_descriptor.annotation
    if parameter.metavar:
        return str(parameter.metavar)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return "|".join(str(each.value) for each in kind)
    return _WORDS.get(kind, "FILE")


def _default(parameter: Any) -> str:  # noqa: ANN401
    default = parameter.default
    if default is True:
        return code(parameter.opts[0])
    if default in (None, False, "", ()) or callable(default):
        return ""
    return code(default.value if isinstance(default, Enum) else default)
