"""A person's own page: name, password, and where he is logged in."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import Response

from ringback.console import session
from ringback.console.door import let_in, slowed
from ringback.console.pages import Need, Page, Visit, field_errors, go, render
from ringback.domain.errors import Refusal
from ringback.services import passwords, people
from ringback.services.passwords import Chosen, Proof
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


@dataclass(frozen=True, slots=True)
class NewPassword:
    """Another password, and the proof that the old one is known."""

    proof: Proof
    chosen: Chosen


def try_passwords(visit: Visit) -> NewPassword:
    """Look at the old password; if the new one can't be taken, that is no guess."""
    new = visit.exactly("password")
    if problems := passwords.problems(new):
        raise Refusal("invalid_value", problems=problems)
    with visit.tools.database.read() as tx:
        user = store.find_session(tx, session.digest(visit.secret), visit.tools.now())
        found = store.find_password(tx, user.email) if user else None
    if found is None:
        raise Refusal("wrong_password")
    with visit.tools.guesses.one(visit.request.state.ip, found[0].email):
        proof = passwords.prove(found, visit.exactly("old"))
    return NewPassword(proof, passwords.choose(new))


def change_password(visit: Visit) -> Response:
    """Change the password: every browser is logged out but this one, which gets a new secret."""
    try:
        new = visit.done_ahead(NewPassword)
        people.change_password(visit.tx, new.proof, new.chosen)
    except Refusal as refusal:
        errors = (
            {"old": "This is not your password."} if refusal.code.name == "wrong_password" else field_errors(refusal)
        )
        return slowed(refusal, show(visit, errors, refusal.code.status))
    return let_in(visit, visit.who, visit.url(PATH), "Your new password is set; every other browser is logged out.")


def log_out_elsewhere(visit: Visit) -> Response:
    """End every other session."""
    store.close_sessions(visit.tx, visit.who.id, but=session.digest(visit.secret))
    return go(visit.url(PATH), "You are logged out everywhere else.")


PAGES = (
    Page("GET", f"/a/{{account}}{PATH}", show, Need.MEMBER),
    Page("POST", f"/a/{{account}}{PATH}", rename, Need.MEMBER),
    Page("POST", f"/a/{{account}}{PATH}/password", change_password, Need.MEMBER, try_passwords),
    Page("POST", f"/a/{{account}}{PATH}/log-out-elsewhere", log_out_elsewhere, Need.MEMBER),
)
