"""Invitations: the link that is shown once to who invites, and the page that it leads to."""

from __future__ import annotations

from functools import partial

from starlette.responses import Response

from ringback.console import letters
from ringback.console.door import choose_password, let_in
from ringback.console.pages import Need, Page, Visit, field_errors, go, render
from ringback.domain.errors import Refusal
from ringback.services import audit, invitations
from ringback.services.invitations import Invitation
from ringback.services.passwords import Chosen
from ringback.store import accounts, memberships
from ringback.store.people import LinkKind
from ringback.store.teams import TeamRow


def show_link(visit: Visit, secret: str, email: str, done: str, *, back: str, team: TeamRow | None = None) -> Response:
    """What was done for somebody, and the link that he gets; the words don't depend on whether he was known.

    Args:
        visit: the request that did it.
        secret: the secret of the link.
        email: the address of who is invited.
        done: what was done, as a sentence.
        back: the page to go back to.
        team: a team whose rights are to be seen to next.
    """
    return render(
        visit,
        "invitations/made.html",
        link=letters.invite(visit, secret, email),
        email=email,
        done=done,
        back=visit.url(back),
        team=team,
    )


def show_another(visit: Visit) -> Response:
    """Another link for somebody who was invited, to be handed over; the one that was mailed works no more."""
    email, secret = visit.text("email"), visit.tools.random().hex()
    user = accounts.find_user(visit.tx, email)
    if user is None or not memberships.is_listed(visit.tx, visit.here.id, user.id):
        raise Refusal("not_found", path=visit.request.url.path)
    invitations.invite(visit.tx, visit.acting, user.email, secret)
    audit.note(visit.tx, visit.acting, "invitation.handed_over", f"user {user.email}")
    address = visit.link(f"/invitation/{secret}")
    back, done = visit.url("/company/people"), f"Another link for {user.email} was made."
    return render(visit, "invitations/made.html", link=address, email=user.email, done=done, back=back, team=None)


def show(visit: Visit) -> Response:
    """An invitation: to join for who is logged in, else to choose a name and a password, or to log in first."""
    return _page(visit, _find(visit))


def accept(visit: Visit) -> Response:
    """Join; who is new gets his name and password before."""
    invitation = _find(visit)
    now, new_id = visit.tools.now(), visit.tools.new_id
    if visit.user is not None:
        if visit.user.id != invitation.user.id:
            return _page(visit, invitation, {"form": "This invitation is for somebody else."})
        invitations.accept(visit.tx, invitation, now, new_id)
        return go(_home(invitation), f"Welcome to {invitation.account.name}.")
    try:
        invitations.register(visit.tx, invitation, visit.text("name"), visit.done_ahead(Chosen), now, new_id)
    except Refusal as refusal:
        if refusal.code.name == "link_spent":
            raise
        return _page(visit, invitation, field_errors(refusal))
    return let_in(visit, invitation.user, _home(invitation))


def _page(visit: Visit, invitation: Invitation, errors: dict[str, str] | None = None) -> Response:
    return render(
        visit,
        "invitations/open.html",
        status=422 if errors else 200,
        invitation=invitation,
        errors=errors or {},
        name=visit.text("name"),
    )


def _find(visit: Visit) -> Invitation:
    return invitations.find(visit.tx, visit.request.path_params["secret"], visit.tools.now())


def _home(invitation: Invitation) -> str:
    return f"/a/{invitation.account.subdomain}/calls"


PAGES = (
    Page("GET", "/invitation/{secret}", show, Need.NOBODY),
    Page("POST", "/a/{account}/company/invitations", show_another, Need.MANAGER),
    Page("POST", "/invitation/{secret}", accept, Need.NOBODY, partial(choose_password, LinkKind.INVITATION)),
)
