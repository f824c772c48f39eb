"""What stands in the repository's files, whatever their kind."""

from __future__ import annotations

import re
import subprocess
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from tests.house.source import ROOT

PACKAGE_HOSTS = re.compile(r"\b(?:pypi|pythonhosted|npmjs|yarnpkg)[.](?:org|com)\b", re.IGNORECASE)
SOMEBODYS_PATHS = re.compile(r"(?<![\w.~/:-])/(?:home|root|Users|work)/\w")
UNFINISHED = re.compile(r"\b(?:TO[D]O|FIX[M]E|X[X]X)\b")
FOREIGN = re.compile(r"^LICENSE$|/static/vendor/")
"""Files written by others."""


def own_files(folder: Path = ROOT) -> Iterator[Path]:
    """Every file that git keeps or would keep."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(listing, cwd=folder, capture_output=True, text=True, check=True).stdout.split("\0"):
        if name and not FOREIGN.search(name) and (folder / name).is_file():
            yield folder / name


def places(pattern: re.Pattern[str], files: Iterable[Path]) -> list[str]:
    """Where a pattern occurs, file by file and line by line; files that are no text are passed over."""
    found = []
    for file in files:
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue
        found += [f"{file.name}:{number}" for number, line in enumerate(lines, 1) if pattern.search(line)]
    return found


def unreasoned(pyproject: str) -> list[str]:
    """Lint rules that are switched off in a ``pyproject.toml`` without a comment saying why."""
    lint = pyproject.partition("[tool.ruff.lint]")[2].partition("\n[tool.importlinter")[0]
    rules = re.findall(r'^\s*"[A-Z]+\d*",.*$', lint, re.MULTILINE)
    return [rule.strip() for rule in rules if not re.search(r"#\s*\w", rule)]


def unlocked(requirements: Iterable[str], lock: str) -> list[str]:
    """Requirements that a lock file doesn't pin."""
    pinned = set(re.findall(r"^([a-z0-9-]+)(?:\[[^\]]*\])?==", lock, re.MULTILINE))
    names = [re.split(r"[^\w.-]", requirement, maxsplit=1)[0].lower() for requirement in requirements]
    return [name for name in names if name not in pinned]


def project() -> tuple[list[str], dict[str, list[str]]]:
    told = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return told["project"]["dependencies"], told["dependency-groups"]


@pytest.mark.parametrize("pattern", [PACKAGE_HOSTS, SOMEBODYS_PATHS, UNFINISHED], ids=["hosts", "paths", "unfinished"])
def test_no_file_speaks_of_package_hosts_of_somebodys_machine_or_of_later(pattern: re.Pattern[str]) -> None:
    assert places(pattern, own_files()) == []


def test_locks_hold_versions_and_hashes_but_no_address() -> None:
    locks = sorted((ROOT / "requirements").glob("*.lock"))
    assert [lock.stem for lock in locks] == ["build", "dev", "runtime", "tools"]
    for lock in locks:
        assert "://" not in lock.read_text()
        assert "--hash=sha256:" in lock.read_text()


def test_locks_pin_what_the_project_asks_for() -> None:
    dependencies, groups = project()
    asked = {
        "runtime": dependencies,
        "dev": [*dependencies, *groups["build"], *groups["test"], *groups["check"]],
        "build": groups["build"],
        "tools": groups["tools"],
    }
    for name, requirements in asked.items():
        assert unlocked(requirements, (ROOT / "requirements" / f"{name}.lock").read_text()) == []


def test_each_lint_rule_that_is_off_has_a_reason() -> None:
    assert unreasoned((ROOT / "pyproject.toml").read_text()) == []


class TestTheRulesThemselves:
    @pytest.mark.parametrize(
        ("pattern", "text"),
        [
            (PACKAGE_HOSTS, "index-url = https://py" + "pi.org/simple"),
            (PACKAGE_HOSTS, "https://registry.npm" + "js.org/htmx"),
            (SOMEBODYS_PATHS, "cd /ho" + "me/alice/ringback"),
            (SOMEBODYS_PATHS, '"/wo' + 'rk/main"'),
            (UNFINISHED, "# TO" + "DO: later"),
        ],
    )
    def test_a_place_is_found(self, tmp_path: Path, pattern: re.Pattern[str], text: str) -> None:
        (tmp_path / "bad.txt").write_text(f"first line\n{text}\n")
        (tmp_path / "picture.png").write_bytes(b"\x89PNG\xff\xfe")
        assert places(pattern, sorted(tmp_path.iterdir())) == ["bad.txt:2"]

    @pytest.mark.parametrize("text", ["https://ringback.example/home/page", "docs/work/flow", "~/work/x", "mastodon"])
    def test_other_words_are_not(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "good.txt").write_text(text)
        for pattern in (PACKAGE_HOSTS, SOMEBODYS_PATHS, UNFINISHED):
            assert places(pattern, tmp_path.iterdir()) == []

    def test_files_are_those_that_git_keeps_or_would_keep(self, tmp_path: Path) -> None:
        subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
        for name in (".gitignore", "kept.txt", "ignored.txt", "LICENSE"):
            (tmp_path / name).write_text("ignored.txt\n")
        assert {file.name for file in own_files(tmp_path)} == {".gitignore", "kept.txt"}

    def test_a_rule_without_reason_is_found(self) -> None:
        pyproject = '[tool.ruff.lint]\nignore = [\n    "AB1",  # because\n    "CD2",\n    "EF3",  #\n]\n'
        assert unreasoned(pyproject) == ['"CD2",', '"EF3",  #']

    def test_a_requirement_that_is_not_locked_is_found(self) -> None:
        lock = "psycopg==3.3.9 \\\n    --hash=sha256:aa\njinja2==3.1 ; python_version > '3'\n"
        assert unlocked(["Jinja2>=3", "psycopg[binary]>=3", "rich"], lock) == ["rich"]
