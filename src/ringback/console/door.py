"""The door: first run, logging in and out, and the page that a visitor lands on."""

from __future__ import annotations

from functools import partial

import structlog
from starlette.responses import RedirectResponse, Response

from ringback.console import session
from ringback.console.pages import Need, Page, Visit, field_errors, go, render
from ringback.domain.errors import Refusal
from ringback.services import passwords, people
from ringback.services.passwords import Chosen, Proof
from ringback.services.people import Newcomer
from ringback.store import people as store
from ringback.store.accounts import User
from ringback.store.people import LinkKind

log = structlog.get_logger()

NEWCOMER = ("name", "email", "company", "subdomain", "time_zone")
"""What the form of the first run asks for, beside a password."""


def home(visit: Visit) -> Response:
    """On to the first account of the visitor, or to the log-in."""
    if visit.user is None:
        return RedirectResponse("/login", 303)
    if not visit.accounts:
        return render(visit, "door/no_account.html")
    return RedirectResponse(f"/a/{visit.accounts[0].subdomain}/overview", 303)


def show_login(visit: Visit) -> Response:
    """The log-in form."""
    return render(visit, "door/login.html", errors={}, email="", next=visit.query("next"))


def try_password(visit: Visit) -> Proof:
    """Look at a password; it counts as a guess if it is wrong."""
    email = visit.text("email")
    with visit.tools.guesses.one(visit.request.state.ip, email):
        with visit.tools.database.read() as tx:
            found = store.find_password(tx, email)
        return passwords.prove(found, visit.exactly("password"))


def log_in(visit: Visit) -> Response:
    """Log in, under a fresh secret: the one from before the log-in is worth nothing afterwards."""
    try:
        user = people.log_in(visit.tx, visit.done_ahead(Proof))
    except Refusal as refusal:
        log.warning("log-in refused", code=refusal.code.name, ip=visit.request.state.ip)
        values = {"errors": field_errors(refusal), "email": visit.text("email"), "next": visit.text("next")}
        return slowed(refusal, render(visit, "door/login.html", status=refusal.code.status, **values))
    return let_in(visit, user, _local(visit.text("next")))


def slowed(refusal: Refusal, response: Response) -> Response:
    """The answer to a wrong password, with how long to wait after too many."""
    if "seconds" in refusal.details:
        response.headers["Retry-After"] = refusal.details["seconds"]
    return response


def choose_password(kind: LinkKind, visit: Visit) -> Chosen:
    """A new password of somebody who has a link; to anybody else it is not worth the work."""
    with visit.tools.database.read() as tx:
        people.find_link(tx, kind, visit.request.path_params["secret"], visit.tools.now())
    return passwords.choose(visit.exactly("password"))


def log_out(visit: Visit) -> Response:
    """End the session."""
    store.close_session(visit.tx, session.digest(visit.secret))
    response = go("/login", "You are logged out.")
    session.drop_cookie(visit.request, response)
    log.info("logged out", user_id=visit.who.id)
    return response


def show_first_run(visit: Visit) -> Response:
    """The form of the first run; the link is looked at, not spent."""
    secret = visit.request.path_params["secret"]
    people.find_link(visit.tx, LinkKind.FIRST_RUN, secret, visit.tools.now())
    return render(visit, "door/first_run.html", errors={}, values=dict.fromkeys(NEWCOMER, ""))


def first_run(visit: Visit) -> Response:
    """Make the first company and its owner, and log him in."""
    values = {name: visit.text(name) for name in NEWCOMER}
    newcomer = Newcomer(**{**values, "subdomain": values["subdomain"].lower()}, password=visit.done_ahead(Chosen))
    try:
        user, subdomain = people.start(visit.tx, visit.request.path_params["secret"], newcomer, visit.tools.now())
    except Refusal as refusal:
        if refusal.code.name == "link_spent":
            raise
        return render(visit, "door/first_run.html", status=422, errors=field_errors(refusal), values=values)
    return let_in(visit, user, f"/a/{subdomain}/overview")


def show_link(visit: Visit) -> Response:
    """A log-in link: shown as a button, since looking at a link must not spend it."""
    people.find_link(visit.tx, LinkKind.LOG_IN, visit.request.path_params["secret"], visit.tools.now())
    return render(visit, "door/link.html")


def follow_link(visit: Visit) -> Response:
    """Log in by a link."""
    now = visit.tools.now()
    link = people.find_link(visit.tx, LinkKind.LOG_IN, visit.request.path_params["secret"], now)
    user = store.find_user(visit.tx, link.user_id)
    if user is None or not store.spend_link(visit.tx, link, now):
        raise Refusal("link_spent")
    return let_in(visit, user, "/")


def show_reset(visit: Visit) -> Response:
    """The form for a new password; the link is looked at, not spent."""
    return render(visit, "door/reset.html", user=_user_of_reset(visit), errors={})


def reset(visit: Visit) -> Response:
    """Set a new password by a link; who set it logs in with it."""
    user, secret = _user_of_reset(visit), visit.request.path_params["secret"]
    try:
        people.reset_password(visit.tx, secret, visit.done_ahead(Chosen), visit.tools.now())
    except Refusal as refusal:
        return render(visit, "door/reset.html", status=422, user=user, errors=field_errors(refusal))
    log.info("password reset", user_id=user.id if user else None, ip=visit.request.state.ip)
    return go("/login", "Your new password is set. Log in with it.")


def let_in(visit: Visit, user: User, path: str, message: str = "") -> Response:
    """Log a user in, under a fresh secret, and lead him on."""
    secret = visit.tools.random().hex()
    request = visit.request
    store.close_session(visit.tx, session.digest(visit.secret))
    people.open_session(
        visit.tx,
        user,
        secret,
        now=visit.tools.now(),
        ip=request.state.ip,
        agent=request.headers.get("user-agent", ""),
    )
    log.info("logged in", user_id=user.id, ip=request.state.ip, page=visit.page)
    response = go(path, message)
    session.set_cookie(request, response, secret)
    return response


def _user_of_reset(visit: Visit) -> User | None:
    link = people.find_link(visit.tx, LinkKind.RESET, visit.request.path_params["secret"], visit.tools.now())
    return store.find_user(visit.tx, link.user_id)


def _local(path: str) -> str:
    """A path of ours to go on to; anything else leads home, never to another site."""
    return path if path.startswith(("/a/", "/invitation/")) and "\\" not in path else "/"


PAGES = (
    Page("GET", "/", home, Need.NOBODY),
    Page("GET", "/login", show_login, Need.NOBODY),
    Page("POST", "/login", log_in, Need.NOBODY, try_password),
    Page("POST", "/logout", log_out, Need.LOGIN),
    Page("GET", "/first-run/{secret}", show_first_run, Need.NOBODY),
    Page("POST", "/first-run/{secret}", first_run, Need.NOBODY, partial(choose_password, LinkKind.FIRST_RUN)),
    Page("GET", "/log-in/{secret}", show_link, Need.NOBODY),
    Page("POST", "/log-in/{secret}", follow_link, Need.NOBODY),
    Page("GET", "/reset/{secret}", show_reset, Need.NOBODY),
    Page("POST", "/reset/{secret}", reset, Need.NOBODY, partial(choose_password, LinkKind.RESET)),
)
