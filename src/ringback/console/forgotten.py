"""A forgotten password: a link for a new one goes to the mailbox. No page, and no time that one takes, tells whose."""

from __future__ import annotations

from functools import partial

from starlette.responses import Response

from ringback.console.pages import Need, Page, Tools, Visit, render
from ringback.domain import mailing
from ringback.domain.errors import Refusal
from ringback.services import people


def show(visit: Visit) -> Response:
    """The form that asks for the address; there is none where no mails are sent."""
    if visit.tools.mailer is None:
        raise Refusal("not_found", path=visit.request.url.path)
    return render(visit, "door/forgotten.html", email="")


def ask(visit: Visit) -> Response:
    """Have a link mailed, if the address is a user's; what is done about it is done when this has been answered."""
    mailer, email = visit.tools.mailer, visit.text("email")
    if mailer is None:
        raise Refusal("not_found", path=visit.request.url.path)
    if email and not visit.tools.guesses.is_too_many(visit.request.state.ip):
        mailer.later(partial(_mail, visit.tools, email))
    return render(visit, "door/forgotten.html", email=email)


def _mail(tools: Tools, email: str) -> None:
    secret = tools.random().hex()
    with tools.database.write() as tx:
        user = people.ask_reset(tx, email, secret, tools.now())
    if user is not None and tools.mailer is not None:
        tools.mailer.send(mailing.reset(user.email, f"{tools.public_url}/reset/{secret}"))


PAGES = (
    Page("GET", "/forgotten", show, Need.NOBODY),
    Page("POST", "/forgotten", ask, Need.NOBODY),
)
