from __future__ import annotations

from contextlib import closing

import pytest
from sqlalchemy import text

from ringback.settings import Settings
from ringback.store.engine import Database
from tests.cli.shell import Shell
from tests.live import Live
from tests.world import World


def test_the_schema_is_brought_up_to_date_and_stays_so(shell: Shell, empty_database_url: str) -> None:
    shell.database = empty_database_url
    first = shell.ok("migrate").out
    assert first.startswith("The schema is at revision 0")
    assert first.endswith(".\n")
    assert shell.ok("migrate").out == f"{first[:-2]}, as it was.\n"


def test_the_database_is_for_its_owner_alone(shell: Shell) -> None:
    shell.ok("migrate")
    with closing(Database("sqlite:///data/ringback.db")) as database, database.write():
        files = list((shell.folder / "data").iterdir())
        assert {file.name for file in files} == {f"ringback.db{ending}" for ending in ("", "-wal", "-shm", "-turn")}
        assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


def test_a_database_of_a_later_version_is_left_alone(at_acme: Shell, world: World) -> None:
    with world.database.write() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert "later version of Ringback" in at_acme.fails("migrate")
    assert "is not that of this version" in at_acme.fails("account", "list")


def test_every_setting_is_shown_with_its_origin(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = shell.folder / "url"
    secret.write_text("postgresql://u:pass%40word@h/d\n")
    (shell.folder / ".env").write_text("RINGBACK_BASE_DOMAIN=example.com\nRINGBACK_QUEUE_LIMIT=7\n")
    monkeypatch.setenv("RINGBACK_DATABASE_URL_FILE", str(secret))
    monkeypatch.setenv("ringback_queue_limit", "9")
    found = {each["name"]: each for each in shell.ok("config", "--json").json}
    assert set(found) == {f"RINGBACK_{name.upper()}" for name in Settings.model_fields}
    told = {name: (each["value"], each["from"]) for name, each in found.items()}
    assert told["RINGBACK_DATABASE_URL"] == ("postgresql://u:***@h/d", str(secret))
    assert told["RINGBACK_BASE_DOMAIN"] == ("example.com", ".env")
    assert told["RINGBACK_QUEUE_LIMIT"] == ("9", "environment")
    assert told["RINGBACK_LOG_FORMAT"] == ("auto", "default")
    assert all(each["about"] for each in found.values())


def test_the_database_of_the_option_is_from_the_command_line(shell: Shell) -> None:
    shell.database = "postgresql://u:secret@h/d?sslpassword=other"
    line = next(line for line in shell.ok("config").lines if "DATABASE_URL" in line)
    assert line.split()[1:4] == ["postgresql://u:***@h/d?sslpassword=***", "command", "line"]


@pytest.mark.parametrize("url", ["postgres://u@h/d", "postgresql+psycopg://u@h/d", " postgresql://u@h/d "])
def test_other_spellings_of_a_url_mean_the_same(shell: Shell, url: str) -> None:
    shell.database = url
    assert shell.ok("config", "--json").json[0]["value"] == "postgresql://u@h/d"


def test_a_setting_stands_in_the_environment_or_in_a_file_not_both(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RINGBACK_DATABASE_URL", "sqlite:///a.db")
    monkeypatch.setenv("RINGBACK_DATABASE_URL_FILE", "/dev/null")
    reason = "both RINGBACK_DATABASE_URL and RINGBACK_DATABASE_URL_FILE are set; one must go"
    assert shell.fails("config") == reason


MAILS = {"SMTP_URL": "smtps://u:pass@mail.example", "MAIL_FROM": "r@acme.example", "PUBLIC_URL": "https://r.example"}


def test_mails_need_a_sender_and_an_address_of_ours(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in MAILS.items():
        monkeypatch.setenv(f"RINGBACK_{name}", value)
    found = {each["name"]: each["value"] for each in shell.ok("config", "--json").json}
    assert found["RINGBACK_SMTP_URL"] == "(set)"
    assert found["RINGBACK_MAIL_FROM"] == "r@acme.example"
    for name, value, why in (
        (
            "PUBLIC_URL",
            "",
            "the settings: RINGBACK_SMTP_URL needs RINGBACK_PUBLIC_URL, which the links in mails lead to",
        ),
        ("MAIL_FROM", "", "the settings: RINGBACK_SMTP_URL needs RINGBACK_MAIL_FROM, which mails come from"),
        ("MAIL_FROM", "me", "RINGBACK_MAIL_FROM: me is not an e-mail address"),
        ("SMTP_URL", "smtp://u:pass@mail.example?tls=none", "RINGBACK_SMTP_URL: a password is never sent without TLS"),
        ("SMTP_URL", "mail.example", "RINGBACK_SMTP_URL: write smtps://user:password@host"),
    ):
        with monkeypatch.context() as patched:
            patched.setenv(f"RINGBACK_{name}", value)
            told = shell.fails("config")
        assert told.startswith(why)
        assert "pass@" not in told


def test_the_doctor_looks_at_everything(at_acme: Shell) -> None:
    told = at_acme.ok("doctor").lines
    assert told[0].endswith("answers, and its schema is current.")
    assert ["accounts", "2"] in [line.split() for line in told]
    assert at_acme.ok("doctor", "--json").json["counts"]["waiting_updates"] == 0
    at_acme.database = "sqlite:///nowhere.db"
    assert at_acme.fails("doctor").startswith("there is no database sqlite:///nowhere.db")


def test_a_healthy_server_is_ready(shell: Shell, live: Live) -> None:
    assert shell.ok("healthcheck", f"http://127.0.0.1:{live.port}/").out == "ready\n"
    assert shell.fails("healthcheck", "http://127.0.0.1:9").startswith("can't reach 127.0.0.1:9: Connection refused")
    reason = shell.fails("healthcheck", f"http://127.0.0.1:{live.port}/api")
    assert "is not ready: it answers " in reason


def test_figures_are_made_anew_and_said_where_they_were_wrong(at_acme: Shell, world: World) -> None:
    call = world.call()
    world.call(account=world.zeta, buyer=None)
    assert at_acme.ok("recount").out == "2 days were recounted; none had been wrong.\n"
    with world.database.write() as tx:
        tx.execute(text("UPDATE calls SET revenue = 7000000"))
    told = at_acme.ok("recount", "--account", "acme").lines
    assert told[0] == f"acme: {call.created_at:%Y-%m-%d} (UTC) was wrong, and is right now."
    assert told[1] == "1 day was recounted; 1 had been wrong."
    assert "did you mean acme?" in at_acme.fails("recount", "--account", "acma")
