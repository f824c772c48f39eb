from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.browser import chromium
from tests.browser.chromium import ChromiumMissingError
from tests.house.source import ROOT

ENV = shutil.which("env")
MISSING = "Chromium is missing: install it"


class Machine:
    """A machine with but a few programs on its PATH."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.add("env", f'exec {ENV} "$@"')

    def add(self, name: str, does: str = "exit 0") -> str:
        """Put a program there; returns its path."""
        program = self.folder / name
        program.write_text(f"#!/bin/sh\n{does}\n")
        program.chmod(0o755)
        return str(program)

    def add_apt(self) -> None:
        """An apt-get that knows one package."""
        here = self.folder
        made = f"printf '#!/bin/sh\\n' > {here}/chromium; /bin/chmod +x {here}/chromium"
        self.add("apt-get", f'echo "$@" >> {here}/asked\ncase "$*" in *" install --yes "*chromium) {made};; esac')

    @property
    def asked(self) -> list[str]:
        """What apt-get was asked to do."""
        told = self.folder / "asked"
        return [line.split()[3] for line in told.read_text().splitlines()] if told.exists() else []


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine without Chromium, and root on it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return Machine(tmp_path)


def test_the_one_that_was_chosen_comes_first(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.add("chromium")
    chosen = machine.add("my-own-chromium")
    monkeypatch.setenv("CHROMIUM", chosen)
    assert chromium.find() == chosen


@pytest.mark.parametrize("name", ["chromium", "chromium-browser", "google-chrome"])
def test_each_of_its_names_is_known(machine: Machine, name: str) -> None:
    there = machine.add(name)
    assert chromium.provide() == there
    assert machine.asked == []


def test_one_that_only_says_how_to_get_it_is_none(machine: Machine) -> None:
    machine.add("chromium", "echo 'install the snap'; exit 1")
    there = machine.add("google-chrome")
    assert chromium.find() == there


def test_one_that_was_chosen_and_does_not_run_is_told(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.add("chromium")
    machine.add_apt()
    monkeypatch.setenv("CHROMIUM", "/nowhere")
    with pytest.raises(ChromiumMissingError, match="CHROMIUM is /nowhere, which does not run"):
        chromium.provide()
    assert machine.asked == []


def test_the_package_is_installed_where_there_is_none(machine: Machine) -> None:
    machine.add_apt()
    assert chromium.provide() == str(machine.folder / "chromium")
    assert machine.asked == ["update", "install"]


def test_where_it_cant_be_installed_the_reason_is_told(machine: Machine) -> None:
    machine.add("apt-get", "echo 'W: a warning' >&2; echo 'E: no such package' >&2; exit 100")
    with pytest.raises(ChromiumMissingError, match="could not install it: E: no such package"):
        chromium.provide()


def test_who_is_not_root_needs_a_sudo_that_asks_nothing(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    machine.add_apt()
    machine.add("true")
    with pytest.raises(ChromiumMissingError, match=MISSING):
        chromium.provide()
    machine.add("sudo", 'shift; exec "$@"')
    assert chromium.provide() == str(machine.folder / "chromium")


def test_what_can_be_done_about_it_is_one_line(machine: Machine) -> None:
    command = [sys.executable, "-m", "tests.browser.chromium"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(MISSING)
    assert done.stderr.count("\n") == 1
    machine.add("chromium")
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
