from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ringback.cli import invoking, printing

ROWS: list[list[object]] = [["a1", "x" * 30, None], ["b22", "ö\x1b[2J", 7]]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: ARG001 - first
    """Standard output is a terminal of 40 columns."""
    monkeypatch.setattr(type(sys.stdout), "isatty", lambda _: True)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.delenv("NO_COLOR", raising=False)


def test_a_program_reads_plain_columns_that_are_never_folded(capsys: pytest.CaptureFixture[str]) -> None:
    printing.show_table(("Id", "What", "N"), ROWS, "None.")
    assert capsys.readouterr().out.splitlines() == [
        f"Id   {'What':30}  N",
        f"a1   {'x' * 30}",
        f"b22  {'ö' + chr(92) + 'x1b[2J':30}  7",
    ]


@pytest.mark.usefixtures("terminal")
def test_a_person_reads_a_table_that_fits_with_whole_names(capsys: pytest.CaptureFixture[str]) -> None:
    printing.show_table(("Id", "What", "N"), [["a" * 20, "x" * 60, ""]], "None.")
    told = capsys.readouterr().out
    assert "a" * 20 in told
    assert "x" * 60 not in told
    assert max(len(line) for line in told.splitlines() if "\x1b" not in line) <= 40


@pytest.mark.usefixtures("terminal")
def test_colours_are_for_terminals_and_lines_stay_whole(capsys: pytest.CaptureFixture[str]) -> None:
    line = "curl [red] " + "x" * 100
    printing.show(line, "green")
    assert capsys.readouterr().out == f"\x1b[32m{line}\x1b[0m\n"


def test_without_a_terminal_there_are_no_colours(capsys: pytest.CaptureFixture[str]) -> None:
    printing.show("+ user", "green")
    assert capsys.readouterr().out == "+ user\n"


def test_nothing_is_said_in_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    printing.show_table(("Id",), [], "There is nothing.")
    assert capsys.readouterr().out == "There is nothing.\n"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ö → ✓\n", "ö → ✓\n"),
        ("\x1b[31m", "\\x1b[31m"),
        ("a\tb\r", "a\\tb\\r"),
        ("\u202e", "\\u202e"),
        ("\ud800", "\\ud800"),
    ],
)
def test_what_could_steer_a_terminal_is_made_visible(text: str, shown: str) -> None:
    assert printing.printable(text) == shown


def test_a_line_to_paste_names_the_program_as_this_shell_finds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    script = str(Path(sys.executable).with_name("ringback"))
    monkeypatch.setattr(invoking, "which", lambda _: script)
    assert invoking.line("team", "grant", "--team", "Summit Solar") == "ringback team grant --team 'Summit Solar'"
    monkeypatch.setattr(invoking, "which", lambda _: "/usr/bin/ringback")
    assert invoking.line("team", "list", database="postgresql://u:p@h/d") == (
        f"{script} team list --database 'postgresql://u:***@h/d'"
    )


def test_where_only_the_module_is_there_the_module_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/opt/my python/bin/python3")
    line = invoking.line_from_anywhere("doctor", database="sqlite:////tmp/x.db")
    assert line == "'/opt/my python/bin/python3' -m ringback doctor --database sqlite:////tmp/x.db"
