from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.shell import Shell, run

FILE = """\
[[accounts]]
subdomain = "acme"
name = "Acme Media"
owners = ["ada@acme.example"]

[[accounts.teams]]
name = "Bright Roofing"
update = ["revenue"]
"""
SAID = [
    "+ account acme (Acme Media)",
    "+ user ada@acme.example",
    "~ account acme: ada@acme.example is owner",
    "+ team Bright Roofing in acme: every buyer shown, Update on Buyer Revenue added",
]


@pytest.fixture
def file(shell: Shell, database_url: str) -> Path:
    """A file beside a shell on an empty database, of each kind in turn."""
    shell.database = database_url
    path = shell.folder / "acme.toml"
    path.write_text(FILE)
    return path


def test_it_says_what_it_changed_and_the_second_time_that_there_was_nothing(shell: Shell, file: Path) -> None:
    assert shell.ok("apply", str(file)).lines == SAID
    assert shell.ok("apply", str(file)).lines == ["Everything is so already; nothing changed."]
    assert shell.ok("apply", str(file), "--json").json == {"dry_run": False, "changes": []}


def test_a_dry_run_says_the_same_and_changes_nothing(shell: Shell, file: Path) -> None:
    shell.ok("migrate")
    assert shell.ok("apply", str(file), "--dry-run").lines == [*SAID, "That was a dry run; nothing changed."]
    assert shell.ok("account", "list", "--json").json == []
    assert shell.ok("apply", str(file), "--json").json == {"dry_run": False, "changes": SAID}


def test_a_dry_run_does_not_even_make_the_database(shell: Shell) -> None:
    shell.database = "sqlite:///fresh.db"
    (shell.folder / "acme.toml").write_text(FILE)
    assert shell.ok("apply", "acme.toml", "--dry-run").lines == [*SAID, "That was a dry run; nothing changed."]
    assert [path.name for path in shell.folder.iterdir()] == ["acme.toml"]


def test_a_dry_run_makes_no_secret_key(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RINGBACK_SECRET_KEY", raising=False)
    monkeypatch.setenv("PARTNERS_TOKEN", "rbtok_of_a_partner")
    shell.database = "sqlite:///fresh.db"
    credential = '[[accounts.credentials]]\nname = "P"\nhost = "partner.com"\ntoken = { env = "PARTNERS_TOKEN" }\n'
    (shell.folder / "acme.toml").write_text(FILE + credential)
    assert "+ credential P in acme" in shell.ok("apply", "acme.toml", "--dry-run").lines
    assert [path.name for path in shell.folder.iterdir()] == ["acme.toml"]


def test_a_dry_run_leaves_the_schema_to_whoever_keeps_it(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGBACK_AUTO_MIGRATE", "0")
    shell.database = "sqlite:///fresh.db"
    (shell.folder / "acme.toml").write_text(FILE)
    assert "make it: ringback migrate" in shell.fails("apply", "acme.toml", "--dry-run")


@pytest.mark.parametrize(
    ("good", "bad", "reason"),
    [
        ("[[accounts]]", "[[accounts]", "1: not TOML: "),
        ("subdomain", "subdomian", "2: there is no key subdomian here; did you mean subdomain?"),
        ("owners", "colour", "4: there is no key colour here; the keys are subdomain, name, owners, managers, "),
        ("ada@acme.example", "ada", "4: owners: ada is not an e-mail address"),
        ('"revenue"', '"revenu"', "8: update: revenu is no attribute of a call; did you mean revenue?"),
        ('update = ["revenue"]', 'buyers = ["Bright"]', "8: acme has no buyer Bright"),
    ],
)
def test_a_spoilt_file_is_refused_whole_with_file_line_and_reason(
    shell: Shell, file: Path, good: str, bad: str, reason: str
) -> None:
    shell.ok("migrate")
    file.write_text(FILE.replace(good, bad))
    assert shell.fails("apply", str(file)).startswith(f"{file}:{reason}")
    assert shell.ok("account", "list", "--json").json == []


def test_a_file_that_cannot_be_read_is_told(shell: Shell) -> None:
    (shell.folder / "latin.toml").write_bytes(b"# \xe4")
    assert shell.fails("apply", "nowhere.toml") == "can't read nowhere.toml: No such file or directory"
    assert shell.fails("apply", ".") == "can't read .: Is a directory"
    assert shell.fails("apply", "latin.toml") == "can't read latin.toml: it is not UTF-8 text"


def test_a_file_may_come_on_standard_input_and_with_a_byte_order_mark(tmp_path: Path) -> None:
    where = ("--database", "sqlite:///x.db")
    assert run("apply", "-", *where, folder=tmp_path, stdin=f"\ufeff{FILE}").out.splitlines() == SAID
