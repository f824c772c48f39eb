"""Mails, handed over to a real mail server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from queue import SimpleQueue

import pytest

from ringback import entropy
from ringback.domain import mailing
from ringback.domain.mailing import Letter, MailError, read_server
from ringback.mail import MOST_LATER, Mailer
from tests.postbox import PASSWORD, REFUSED, USER, Postbox, certify, receiving

NOW = datetime(2026, 5, 14, 15, 30, tzinfo=UTC)
TO = "bob@bright.example"


@pytest.fixture
def postbox() -> Iterator[Postbox]:
    """A mail server without TLS."""
    with receiving() as opened:
        yield opened


def mailer(url: str) -> Mailer:
    return Mailer(read_server(url), "ringback@acme.example", lambda: NOW, entropy.new_id)


def plain(postbox: Postbox) -> Mailer:
    return mailer(f"smtp://127.0.0.1:{postbox.port}?tls=none")


def test_a_mail_arrives_whole(postbox: Postbox) -> None:
    link = "https://ringback.example/invitation/" + "a1b2c3d4" * 6
    plain(postbox).send(mailing.invitation(TO, "Müller & Söhne", "Ada", link))
    (received,) = postbox.received
    message = received.message
    assert received.to == [TO]
    assert (message["From"], message["To"]) == ("Ringback <ringback@acme.example>", TO)
    assert message["Subject"] == "Müller & Söhne invites you"
    assert message["Date"].datetime == NOW
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"].endswith("@acme.example>")
    assert "Ada invites you to Müller & Söhne on Ringback." in received.text
    assert link in received.text.splitlines()


@pytest.mark.parametrize(
    "name",
    [
        "Acme\r\nBcc: thief@evil.example",
        "Acme\nTo: thief@evil.example\n\nbody",
        "Acme\r\n\r\nGo to http://evil.example",
        "Acme\0\x1b[2J\u2028Bcc: thief@evil.example",
        "=?utf-8?q?Acme=0D=0ABcc:_thief@evil.example?=",
        "x" * 5000,
    ],
)
def test_a_name_stays_in_its_line(postbox: Postbox, name: str) -> None:
    plain(postbox).send(mailing.invitation(TO, name, name, "https://ringback.example/invitation/a1"))
    (received,) = postbox.received
    assert received.to == [TO]
    assert received.message["To"] == TO
    assert received.message.get_all("Bcc") is None
    assert len(received.message.get_all("Subject", [])) == 1
    assert all(len(line) < 1000 for line in received.message.as_string().splitlines())
    (link,) = [line for line in received.text.splitlines() if line.startswith("http")]
    assert link == "https://ringback.example/invitation/a1"


@pytest.mark.parametrize(
    "to", ["bob@x.example\r\nBcc: thief@evil.example", "bob@x.example, thief@evil.example", "bob", ""]
)
def test_what_is_no_address_gets_nothing(postbox: Postbox, to: str) -> None:
    with pytest.raises(MailError):
        plain(postbox).send(Letter(to, "Subject", "Text"))
    assert postbox.received == []


def test_an_address_that_is_not_taken_is_said(postbox: Postbox) -> None:
    with pytest.raises(MailError, match="does not take this address"):
        plain(postbox).send(Letter(REFUSED, "Subject", "Text"))


def test_a_server_that_is_not_there_is_said(postbox: Postbox) -> None:
    sender = plain(postbox)
    with receiving() as gone:
        port = gone.port
    with pytest.raises(MailError, match="can't be reached"):
        mailer(f"smtp://127.0.0.1:{port}?tls=none").send(Letter(TO, "Subject", "Text"))
    sender.send(Letter(TO, "Subject", "Text"))


def test_neither_mail_nor_password_goes_in_the_open(postbox: Postbox) -> None:
    with pytest.raises(MailError):
        mailer(f"smtp://{USER}:wrong@127.0.0.1:{postbox.port}").send(Letter(TO, "Subject", "Text"))
    assert postbox.received == []
    assert postbox.logged_in == []


@pytest.mark.parametrize(("scheme", "from_the_start"), [("smtp", False), ("smtps", True)])
def test_with_tls_it_logs_in_to_a_server_that_it_trusts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str, *, from_the_start: bool
) -> None:
    context, trusted = certify(tmp_path)
    with receiving(context, from_the_start=from_the_start) as postbox:
        url = f"{scheme}://{USER}:{PASSWORD.replace(' ', '%20')}@127.0.0.1:{postbox.port}"
        with pytest.raises(MailError):
            mailer(url).send(Letter(TO, "Subject", "Text"))
        assert postbox.logged_in == []
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        mailer(url).send(Letter(TO, "Subject", "Text"))
        assert postbox.logged_in == [USER]
        assert [received.to for received in postbox.received] == [[TO]]


def test_what_is_sent_later_fails_quietly_and_in_the_log(postbox: Postbox, capfd: pytest.CaptureFixture[str]) -> None:
    sender = plain(postbox)
    sender.later(lambda: sender.send(Letter(REFUSED, "Subject", "secret text")))
    sender.later(_broken)
    sender.later(lambda: sender.send(Letter(TO, "Subject", "Text")))
    done = threading.Event()
    sender.later(done.set)
    assert done.wait(10)
    sender.close()
    assert [received.to for received in postbox.received] == [[TO]]
    told = capfd.readouterr()
    log = told.out + told.err
    assert "KeyError" in log
    assert REFUSED in log
    assert "secret text" not in log


def test_only_so_many_wait(postbox: Postbox) -> None:
    sender, go_on, done = plain(postbox), threading.Event(), SimpleQueue[int]()

    def job(number: int) -> None:
        go_on.wait(10)
        done.put(number)

    for number in range(MOST_LATER + 10):
        sender.later(partial(job, number))
    go_on.set()
    assert [done.get(timeout=10) for _ in range(MOST_LATER)] == list(range(MOST_LATER))
    sender.close()
    assert done.empty()


def _broken() -> None:
    raise KeyError("something of ours")
