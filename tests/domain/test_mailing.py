from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.domain.mailing import MailServer, Tls, invitation, one_line, read_server, reset


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtps://mail.example", MailServer("mail.example", 465, Tls.FROM_THE_START)),
        ("smtp://mail.example", MailServer("mail.example", 587, Tls.STARTTLS)),
        ("smtp://mail.example:25?tls=none", MailServer("mail.example", 25, Tls.NONE)),
        ("smtp://[::1]:2525?tls=none", MailServer("::1", 2525, Tls.NONE)),
        (
            " smtps://ada:p%40ss%2Fword@mail.example:2465 ",
            MailServer("mail.example", 2465, Tls.FROM_THE_START, "ada", "p@ss/word"),
        ),
        (
            "smtp://ops%40acme.example:x@mail.example/",
            MailServer("mail.example", 587, Tls.STARTTLS, "ops@acme.example", "x"),
        ),
    ],
)
def test_a_url_says_everything_about_the_server(url: str, server: MailServer) -> None:
    assert read_server(url) == server


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("mail.example", "write smtps://"),
        ("https://mail.example", "write smtps://"),
        ("smtp://", "write smtps://"),
        ("smtp://mail.example/inbox", "write smtps://"),
        ("smtp://mail.example?tls=maybe", "write smtps://"),
        ("smtp://mail.example?timeout=3", "write smtps://"),
        ("smtps://mail.example?tls=none", "write smtps://"),
        ("smtp://mail.example:many", "Port"),
        ("smtp://ada:secret@mail.example?tls=none", "never sent without TLS"),
    ],
)
def test_what_is_no_server_is_refused_without_its_password(url: str, why: str) -> None:
    with pytest.raises(ValueError, match=why) as caught:
        read_server(url)
    assert "secret" not in str(caught.value)


def test_a_password_is_not_shown() -> None:
    assert "s3cret" not in repr(read_server("smtps://ada:s3cret@mail.example"))
    assert "/reset/abc" not in repr(reset("bob@bright.example", "https://ringback.example/reset/abc"))


@given(st.text())
def test_a_name_is_one_line(name: str) -> None:
    line = one_line(name)
    assert len(line.splitlines()) <= 1
    assert line.isprintable()
    assert "=?" not in line
    assert one_line(line) == line


@given(st.text(), st.text())
def test_names_never_make_lines_of_their_own(company: str, inviter: str) -> None:
    letter = invitation("bob@bright.example", company, inviter, "https://ringback.example/invitation/a1")
    lines = letter.text.splitlines()
    assert lines[4] == "https://ringback.example/invitation/a1"
    assert len(lines) == 8
    assert len(letter.subject.splitlines()) == 1
