from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import ringback
from tests.cli.shell import PROGRAM, Shell, environment, run

COMMANDS = ["demo", "serve", "migrate", "config", "doctor", "healthcheck", "apply", "check", "send"]
NOUNS = {
    "account": ["create", "list"],
    "user": ["create", "list", "show", "role", "reset-link"],
    "team": ["list", "grant", "revoke"],
    "token": ["create", "list", "rotate", "revoke"],
    "call": ["record", "show"],
    "updates": ["list", "show", "apply"],
}


def test_every_command_explains_itself(shell: Shell) -> None:
    whole = shell.ok("--help").out
    for command in [*COMMANDS, *NOUNS]:
        assert f"\n  {command} " in whole
    for command in COMMANDS:
        assert f"ringback {command}" in shell.ok(command, "--help").out
    for noun, verbs in NOUNS.items():
        for verb in verbs:
            assert f"ringback {noun} {verb}" in shell.ok(noun, verb, "--help").out


def test_nothing_typed_is_a_question_for_help(shell: Shell) -> None:
    assert shell.run().out == shell.ok("--help").out


def test_it_tells_its_version(shell: Shell) -> None:
    assert shell.ok("--version").out == f"ringback {ringback.__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["tokn"], "No such command 'tokn'. Did you mean 'token'? Try: ringback --help"),
        (["token"], "Missing command. Try: ringback token --help"),
        (["token", "create"], "Missing option '--email'. Try: ringback token create --help"),
        (["account", "list", "--jsn"], "No such option: --jsn"),
        (["serve", "--port", "x"], "Invalid value for '--port': Input should be a valid integer"),
        (
            ["updates", "list", "--account", "acme", "--outcome", "nice"],
            "Invalid value for '--outcome': 'nice' is not one",
        ),
        (["account", "create"], "Missing argument 'SUB'"),
    ],
)
def test_a_mistyped_command_is_told_in_one_line(shell: Shell, arguments: list[str], reason: str) -> None:
    assert shell.fails(*arguments, code=2).startswith(reason)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        (
            "RINGBACK_DATABSE_URL",
            "x",
            "RINGBACK_DATABSE_URL is no setting of Ringback; did you mean RINGBACK_DATABASE_URL?",
        ),
        ("RINGBACK_DATABASE_URL", "mysql://x", "RINGBACK_DATABASE_URL: write sqlite:///file or postgresql://"),
        ("RINGBACK_DATABASE_URL", "postgresql://u:p@h:x/d", "RINGBACK_DATABASE_URL: percent-encode @ and / in the"),
        ("RINGBACK_DATABASE_URL_FILE", "/nowhere", "RINGBACK_DATABASE_URL_FILE: No such file or directory"),
        ("RINGBACK_DELIVERY_ALLOW", "0.0.0.0/0", "RINGBACK_DELIVERY_ALLOW: 0.0.0.0/0 is too wide"),
        ("RINGBACK_LOG_FORMAT", "xml", "RINGBACK_LOG_FORMAT: Input should be 'auto', 'pretty' or 'json'"),
    ],
)
def test_a_bad_setting_is_told_in_one_line(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, name: str, value: str, reason: str
) -> None:
    monkeypatch.setenv(name, value)
    assert shell.fails("account", "list").startswith(reason)


def test_of_settings_only_a_near_one_is_suggested(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGBACK_FOO", "1")
    assert shell.fails("account", "list") == "RINGBACK_FOO is no setting of Ringback"


@pytest.mark.parametrize("password", ["p@sswrd", "p/sswrd", "p#sswrd", "p?sswrd", "p@/sswrd", "p@#sswrd", "1/sswrd"])
def test_no_part_of_a_password_is_shown(shell: Shell, password: str) -> None:
    shell.database = f"postgresql://u:{password}@127.0.0.1:9/d"
    told = shell.fails("migrate")
    assert "percent-encode @ and / in the password" in told
    assert "ss" not in told.replace("password", "")


def test_a_password_that_is_percent_encoded_is_read(shell: Shell) -> None:
    shell.database = "postgresql://u:p%40%2F@127.0.0.1:9/d"
    assert shell.fails("migrate").startswith("postgresql://u:***@127.0.0.1:9/d: connection failed")


def test_what_was_typed_cannot_steer_the_terminal(shell: Shell) -> None:
    shell.ok("migrate")
    assert shell.fails("user", "show", "a\x1b[31m@x.example") == "there is no user a\\x1b[31m@x.example"


def test_a_bad_setting_in_the_file_is_told_too(shell: Shell) -> None:
    (shell.folder / ".env").write_text("RINGBACK_BASE_DOMAN=x\nOTHER=1\n")
    assert "did you mean RINGBACK_BASE_DOMAIN?" in shell.fails("account", "list")


def test_the_database_of_the_option_goes_before_the_settings(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGBACK_DATABASE_URL", "sqlite:///other.db")
    shell.database = "sqlite:///this.db"
    shell.ok("migrate")
    assert (shell.folder / "this.db").exists()
    assert not (shell.folder / "other.db").exists()


def test_a_command_that_only_looks_makes_no_database(shell: Shell) -> None:
    shell.database = "sqlite:///typo.db"
    assert shell.fails("account", "list") == "there is no database sqlite:///typo.db; make it: ringback migrate"
    assert list(shell.folder.iterdir()) == []


def test_without_settings_the_database_is_in_the_data_folder(shell: Shell) -> None:
    shell.ok("account", "create", "acme", "--owner", "ada@acme.example")
    assert (shell.folder / "data" / "ringback.db").exists()
    assert (shell.folder / "data").stat().st_mode & 0o077 == 0


def test_where_migrations_are_left_to_the_operator_nothing_is_made(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RINGBACK_AUTO_MIGRATE", "0")
    assert "make it: ringback migrate" in shell.fails("account", "create", "acme", "--owner", "ada@acme.example")
    (shell.folder / "data").mkdir()
    (shell.folder / "data" / "ringback.db").touch()
    reason = (
        "the schema of sqlite:///data/ringback.db is not that of this version; bring it up to date: ringback migrate"
    )
    assert shell.fails("account", "create", "acme", "--owner", "ada@acme.example") == reason


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("sqlite:////nowhere/x.db", "sqlite:////nowhere/x.db: unable to open database file"),
        ("postgresql://u:secret@127.0.0.1:9/d", "postgresql://u:***@127.0.0.1:9/d: connection failed"),
    ],
)
def test_a_database_that_cannot_be_opened_is_named_without_its_password(shell: Shell, url: str, reason: str) -> None:
    shell.database = url
    told = shell.fails("account", "create", "acme", "--owner", "ada@acme.example")
    assert told.startswith(reason)
    assert "secret" not in told


def test_it_runs_as_a_program_and_as_a_module(tmp_path: Path) -> None:
    version = f"ringback {ringback.__version__}\n"
    assert run("--version", folder=tmp_path).out == version
    module = [sys.executable, "-m", "ringback", "--version"]
    assert subprocess.run(module, cwd=tmp_path, capture_output=True, text=True, check=True).stdout == version
    failed = run("toke", folder=tmp_path)
    assert (failed.code, failed.out, failed.err.count("\n")) == (2, "", 1)


def test_who_stops_reading_sees_no_traceback(tmp_path: Path) -> None:
    listing = f"{PROGRAM} config --json | true"
    done = subprocess.run(
        ["bash", "-c", listing], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=True
    )
    assert done.stderr == ""


def test_who_interrupts_a_command_sees_no_traceback(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(**_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ringback.settings.read_settings", interrupt)
    ran = shell.run("config")
    assert (ran.code, ran.out, ran.err) == (130, "", "")


def test_a_terminal_that_lacks_letters_gets_their_numbers(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text('[[users]]\nemail = "ö@bright.example"\n')
    narrow = {**environment(), "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [PROGRAM, "apply", "x.toml"], cwd=tmp_path, env=narrow, capture_output=True, text=True, check=True
    )
    assert done.stdout == "+ user \\xf6@bright.example (not verified)\n"


def test_help_imports_neither_the_server_nor_the_database(tmp_path: Path) -> None:
    script = "import sys; from ringback import cli; cli.run(['--help']); print(sorted(sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    heavy = {"sqlalchemy", "fastapi", "uvicorn", "aiohttp", "pydantic_settings", "phonenumbers", "argon2", "rich.table"}
    assert {name for name in heavy if f"'{name}'" in done.stderr} == set()
