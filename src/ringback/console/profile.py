"""A person's own page: name, password, and where he is logged in."""

from __future__ import annotations

from starlette.responses import Response

from ringback.console import session
from ringback.console.door import slowed
from ringback.console.pages import Need, Page, Visit, field_errors, go, render
from ringback.domain.errors import Refusal
from ringback.services import people
from ringback.store import people as store

PATH = "/profile"
MOST_SESSIONS = 50


def show(visit: Visit, errors: dict[str, str] | None = None, status: int = 200) -> Response:
    """The page."""
    sessions = store.list_sessions(visit.tx, visit.who.id, visit.tools.now(), limit=MOST_SESSIONS)
    here = session.digest(visit.secret)
    found = store.find_password(visit.tx, visit.who.email)
    return render(
        visit,
        "profile/show.html",
        status=status,
        errors=errors or {},
        name=visit.text("name") if errors and "name" in errors else visit.who.name,
        sessions=[(each, each.digest == here) for each in sessions],
        has_password=found is not None and found[1] is not None,
    )


def rename(visit: Visit) -> Response:
    """Change the name."""
    try:
        people.rename(visit.tx, visit.who, visit.text("name"))
    except Refusal as refusal:
        return show(visit, field_errors(refusal), refusal.code.status)
    return go(visit.url(PATH), "Your name is saved.")


def change_password(visit: Visit) -> Response:
    """Change the password; whoever else is logged in as this user is so no more."""
    old, new, keep = visit.exactly("old"), visit.exactly("password"), session.digest(visit.secret)
    try:
        people.check_new_password(new)
        with visit.tools.guesses.one(visit.request.state.ip, visit.who.email):
            people.change_password(visit.tx, visit.who, old, new, keep=keep)
    except Refusal as refusal:
        errors = (
            {"old": "This is not your password."} if refusal.code.name == "wrong_password" else field_errors(refusal)
        )
        return slowed(refusal, show(visit, errors, refusal.code.status))
    return go(visit.url(PATH), "Your new password is set; every other browser is logged out.")


def log_out_elsewhere(visit: Visit) -> Response:
    """End every other session."""
    store.close_sessions(visit.tx, visit.who.id, but=session.digest(visit.secret))
    return go(visit.url(PATH), "You are logged out everywhere else.")


PAGES = (
    Page("GET", f"/a/{{account}}{PATH}", show, Need.MEMBER),
    Page("POST", f"/a/{{account}}{PATH}", rename, Need.MEMBER),
    Page("POST", f"/a/{{account}}{PATH}/password", change_password, Need.MEMBER),
    Page("POST", f"/a/{{account}}{PATH}/log-out-elsewhere", log_out_elsewhere, Need.MEMBER),
)
