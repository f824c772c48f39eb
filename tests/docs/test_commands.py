"""Commands, settings and labels that the documentation names are there."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import typer

from ringback.cli import app
from ringback.settings import OF_THE_CLIENT, Settings
from tests.docs.pages import PAGES, blocks, commands, inline, name, prose, text
from tests.house.source import ROOT, SRC

OF_TESTS_AND_PROGRAM = re.compile(r"\bRINGBACK_[A-Z][A-Z_]*[A-Z]\b")
LABEL = re.compile(r"[\"“]([^\"“”]+?)[,.…]?[\"”]")
GUIDES = [page for page in PAGES if name(page).startswith(("docs/how-to/", "docs/tutorial"))]


def found(arguments: Sequence[str]) -> tuple[Any, list[str]]:
    """The command that is meant, and its own arguments."""
    command: Any = typer.main.get_command(app)
    rest = list(arguments)
    while rest and not rest[0].startswith("-") and hasattr(command, "commands"):
        command = command.commands[rest.pop(0)]
    return command, rest


def options(command: Any) -> set[str]:  # noqa: ANN401 - typer keeps the classes of commands to itself
    return {"--help", "--version"}.union(*(parameter.opts for parameter in command.params))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_commands_to_be_pasted_are_complete(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for arguments in (each for block in blocks(page) for each in commands(block)):
        command, rest = found(arguments)
        for file in (word for word in rest if word.endswith((".toml", ".json"))):
            Path(file).touch()
        if not {"--help", "--version"} & set(rest) and "reference" not in name(page):
            command.make_context("ringback", rest)  # raises what a shell would be told


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_commands_in_sentences_exist(page: Path) -> None:
    for arguments in (each for code in inline(page) for each in commands(code)):
        command, rest = found(arguments)
        assert {word for word in rest if word.startswith("--")} - options(command) == set(), arguments


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_settings_exist(page: Path) -> None:
    known = {f"RINGBACK_{field}".upper() for field in Settings.model_fields}
    known |= {f"{each}_FILE" for each in known} | OF_THE_CLIENT
    assert set(OF_TESTS_AND_PROGRAM.findall(text(page))) - known == set()


def test_labels_on_screen_are_on_screens() -> None:
    console = SRC / "ringback"
    screens = [
        path.read_text(encoding="utf-8") for path in sorted(console.rglob("*")) if path.suffix in {".html", ".py"}
    ]
    shown = " ".join(html.unescape("\n".join(screens)).split())
    named = {(name(page), label) for page in GUIDES for label in LABEL.findall(" ".join(prose(page).split()))}
    assert len(named) > 50
    assert {(page, label) for page, label in named if label not in shown} == set()


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_tasks_of_make_exist(page: Path) -> None:
    tasks = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    told = {
        word
        for code in (*blocks(page), *inline(page))
        for word in re.findall(r"^make (?:-k )?([a-z-]+)", code, re.MULTILINE)
    }
    assert told - tasks == set()
