"""The page of the apply file has every key that is read, and its example can be applied as it stands."""

from __future__ import annotations

import re

import pytest

from docs.generate import FOLDER
from ringback.domain.declared_keys import TABLES
from tests.cli.shell import Shell
from tests.docs.pages import blocks

PAGE = FOLDER / "apply-file.md"


@pytest.fixture
def example() -> str:
    (found,) = blocks(PAGE)
    return found


def test_the_example_can_be_applied_and_declares_all_there_is(
    shell: Shell, example: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACKDRIVE_BASIC", "public:private")
    (shell.folder / "companies.toml").write_text(example)
    shell.database = "sqlite:///fresh.db"
    made = shell.ok("apply", "--dry-run", "companies.toml", "--json").json["changes"]
    assert shell.ok("apply", "companies.toml", "--json").json["changes"] == made
    nouns = {"user", "account", "offer", "traffic source", "buyer", "team", "credential", "postback"}
    assert {noun for noun in nouns if any(line.startswith(f"+ {noun} ") for line in made)} == nouns
    assert shell.ok("apply", "companies.toml", "--json").json["changes"] == []


def test_every_key_is_told(example: str) -> None:
    told = re.split(r"^## (\S+)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    sections = dict(zip(told[1::2], told[2::2], strict=True))
    assert sections.keys() == TABLES.keys()
    for name, keys in TABLES.items():
        assert [key for key in keys if f"| `{key.name}` |" not in sections[name]] == []
        assert name.count(".") == 2 or f"[[{name}]]" in example
