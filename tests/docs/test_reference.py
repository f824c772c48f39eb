"""The reference pages are those of the code as it is, and leave nothing out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import typer

from docs.generate import FOLDER, PAGES, made
from ringback.cli import app
from ringback.domain.attributes import UPDATABLE
from ringback.domain.deliveries import MEANINGS
from ringback.domain.errors import CODES
from ringback.domain.template_tokens import TOKENS
from ringback.domain.templates import REASONS
from ringback.domain.updates import WARNINGS
from ringback.settings import Settings


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return {name: (FOLDER / name).read_text(encoding="utf-8") for name in PAGES}


def test_both_sides_of_a_switch_are_told(pages: dict[str, str]) -> None:
    line = next(line for line in pages["cli.md"].splitlines() if "--unverified" in line)
    assert (line.split(" | ")[0], line.split(" | ")[-1]) == ("| `--verified/--unverified`", "`--verified` |")


def test_they_are_current(pages: dict[str, str]) -> None:
    old = [name for name, text in made().items() if text != pages[name]]
    assert old == [], "the code has changed since: run `make docs`"
    assert {file.name for file in FOLDER.iterdir()} == set(PAGES)


def listed() -> Iterator[tuple[str, str]]:
    """What has to be on which page."""
    for code in CODES:
        yield "errors.md", f'<a id="{code}"></a>'
    for code in (*WARNINGS, *REASONS, *MEANINGS):
        yield "errors.md", f"| `{code}` |"
    for field in Settings.model_fields:
        yield "settings.md", f"| `RINGBACK_{field.upper()}` |"
    for attribute in UPDATABLE:
        yield "attributes.md", f"## {attribute.label}\n"
        for wire in (attribute.name, *attribute.sets, *attribute.adds, *attribute.reads, *attribute.events):
            yield "attributes.md", f"`{wire}`"
    for token in TOKENS:
        for written in (token.name, *token.aliases):
            yield "template-tokens.md", f"`[{written}]`"
    yield from (("cli.md", line) for line in commands("ringback", typer.main.get_command(app)))


def commands(name: str, command: Any) -> Iterator[str]:  # noqa: ANN401 - typer keeps the classes of commands to itself
    for each, below in getattr(command, "commands", {}).items():
        yield from commands(f"{name} {each}", below)
    if not hasattr(command, "commands"):
        yield f"## {name}\n"
        yield from (f"| `{option.opts[0]}" for option in command.params if option.opts[0].startswith("-"))


def test_nothing_is_left_out(pages: dict[str, str]) -> None:
    everything = list(listed())
    assert len(everything) > 300
    assert [(page, text) for page, text in everything if text not in pages[page]] == []
