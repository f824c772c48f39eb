"""What tests of commands can ask for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.shell import Shell, is_setting
from tests.world import World


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    """A shell in an empty folder, without settings."""
    folder = tmp_path / "shell"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for name in list(os.environ):
        if is_setting(name):
            monkeypatch.delenv(name)
    return Shell(folder, capsys)


@pytest.fixture
def at_acme(shell: Shell, world: World, database_url: str) -> Shell:
    """A shell on the database with the cast in it, of each kind in turn."""
    assert world.acme
    shell.database = database_url
    return shell
