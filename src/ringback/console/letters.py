"""Mails of pages: sent after the transaction of their page is committed, never inside it."""

from __future__ import annotations

from starlette.responses import Response

from ringback.console.pages import Sending, Visit
from ringback.domain import mailing
from ringback.domain.mailing import MailError
from ringback.services import people


def invite(visit: Visit, secret: str, email: str) -> str:
    """The address that an invitation is opened by; it goes out by mail, and to nobody else, if mails are sent here."""
    address = visit.link(f"/invitation/{secret}")
    if visit.tools.mailer is not None:
        people.mark_mailed(visit.tx, secret, mailed=True)
        inviter = visit.who.name or visit.who.email
        visit.sending = Sending(mailing.invitation(email, visit.here.name, inviter, address), secret)
    return address


def send(visit: Visit) -> Response | None:
    """Send what a page wants sent. If that fails, its link is to be handed over: the page once more, which says so."""
    if visit.sending is None or visit.tools.mailer is None:
        return None
    try:
        visit.tools.mailer.send(visit.sending.letter)
    except MailError as error:
        with visit.tools.database.write() as tx:
            people.mark_mailed(tx, visit.sending.secret, mailed=False)
        visit.undelivered = str(error)
        return visit.again() if visit.again else None
    return None
