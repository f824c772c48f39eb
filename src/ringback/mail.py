"""Mails sent by SMTP: at once, so that the outcome can be told, or later, so that nobody can tell whether one was."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from threading import BoundedSemaphore

import structlog

from ringback.domain.mailing import Letter, MailError, MailServer, Tls
from ringback.domain.names import UnfitError, read_email

TIMEOUT_SECONDS = 10
MOST_LATER = 100
"""How many mails may wait to be sent later; beyond that they are dropped, and said so in the log."""

log = structlog.get_logger()


class Mailer:
    """Sends mails.

    Args:
        server: takes them.
        sender: the address that they come from.
        now: tells the time.
        new_id: makes ids.
    """

    def __init__(self, server: MailServer, sender: str, now: Callable[[], datetime], new_id: Callable[[], str]) -> None:
        self._server = server
        self._sender = sender
        self._now = now
        self._new_id = new_id
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="mail")
        self._room = BoundedSemaphore(MOST_LATER)

    def send(self, letter: Letter) -> None:
        """Send a mail; the server has taken it when this returns.

        Raises:
            MailError: it didn't, or who knows.
        """
        try:
            message = self._message(letter)
            with closing(self._connect()) as server:
                server.send_message(message)
                with suppress(OSError, smtplib.SMTPException):  # it has taken the mail, however it says goodbye
                    server.quit()
        except smtplib.SMTPRecipientsRefused as error:
            raise self._failed(letter, error, "the mail server does not take this address") from error
        except (OSError, smtplib.SMTPException, ValueError, UnfitError) as error:
            raise self._failed(letter, error, "the mail server can't be reached, or did not take the mail") from error

    def later(self, job: Callable[[], None]) -> None:
        """Do something in a thread of its own that may end in sending a mail; nobody waits for it."""
        if not self._room.acquire(blocking=False):
            log.warning("mail dropped: too many are waiting")
            return
        self._thread.submit(self._do, job)

    def close(self) -> None:
        """Finish what was begun; what still waits is dropped."""
        self._thread.shutdown(cancel_futures=True)

    def _do(self, job: Callable[[], None]) -> None:
        try:
            job()
        except MailError:
            pass  # it is in the log
        except Exception:
            log.exception("mail not sent")
        finally:
            self._room.release()

    def _message(self, letter: Letter) -> EmailMessage:
        message = EmailMessage(policy=SMTP)
        message["From"] = Address("Ringback", addr_spec=self._sender)
        message["To"] = Address(addr_spec=read_email(letter.to))
        message["Subject"] = letter.subject
        message["Date"] = format_datetime(self._now())
        message["Message-ID"] = f"<{self._new_id()}@{self._domain}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(letter.text)
        return message

    @property
    def _domain(self) -> str:
        return self._sender.rpartition("@")[2]

    def _connect(self) -> smtplib.SMTP:
        server = self._server
        context = ssl.create_default_context()
        if server.tls is Tls.FROM_THE_START:
            opened: smtplib.SMTP = smtplib.SMTP_SSL(
                server.host, server.port, self._domain, timeout=TIMEOUT_SECONDS, context=context
            )
        else:
            opened = smtplib.SMTP(server.host, server.port, self._domain, timeout=TIMEOUT_SECONDS)
        try:
            if server.tls is Tls.STARTTLS:
                opened.starttls(context=context)
            if server.user:
                opened.login(server.user, server.password)
        except BaseException:
            opened.close()
            raise
        return opened

    def _failed(self, letter: Letter, error: Exception, words: str) -> MailError:
        log.warning("mail not sent", to=letter.to, reason=f"{type(error).__name__}: {error}"[:500])
        return MailError(words)
