"""Company > People: who owns and manages the account, and who sits on its teams."""

from __future__ import annotations

from starlette.responses import Response

from ringback.console.invitations import show_link
from ringback.console.pages import Need, Page, Visit, field_errors, go, render
from ringback.domain.access import Role
from ringback.domain.errors import Refusal
from ringback.domain.names import name_key
from ringback.services import memberships
from ringback.store import memberships as store
from ringback.store.memberships import Person

PATH = "/company/people"
PAGE_LENGTH = 50


def list_people(visit: Visit, errors: dict[str, str] | None = None) -> Response:
    """Everybody of the account, by e-mail address."""
    found = store.list_people(visit.tx, visit.here.id, after=visit.query("after"), limit=PAGE_LENGTH + 1)
    more = name_key(found[PAGE_LENGTH - 1].email) if len(found) > PAGE_LENGTH else ""
    return render(
        visit,
        "people/list.html",
        status=422 if errors else 200,
        people=found[:PAGE_LENGTH],
        more=more,
        is_first=not visit.query("after"),
        roles=[(role.value, role.value.capitalize()) for role in Role],
        errors=errors or {},
        email=visit.text("email"),
    )


def appoint(visit: Visit) -> Response:
    """Make the user of an address owner or manager, and show the link to hand over."""
    return _appoint(visit, visit.text("email"))


def change_role(visit: Visit) -> Response:
    """Make somebody owner, manager or member; who had no role before gets a link to open."""
    person, role = _person(visit), _role(visit)
    if person.role is None or person.role_pending:
        return _appoint(visit, person.email)
    try:
        memberships.change_role(visit.tx, visit.acting, person, role)
    except Refusal as refusal:
        return list_people(visit, field_errors(refusal))
    return go(visit.url(PATH), f"{person.email} is {role.value} now.")


def dismiss(visit: Visit) -> Response:
    """Take somebody out of the account."""
    person = _person(visit)
    try:
        memberships.dismiss(visit.tx, visit.acting, person)
    except Refusal as refusal:
        return list_people(visit, field_errors(refusal))
    return go(visit.url(PATH), f"{person.email} has no access to {visit.here.name} any more.")


def _appoint(visit: Visit, email: str) -> Response:
    secret = visit.tools.random().hex()
    try:
        guest = memberships.appoint(visit.tx, visit.acting, email, _role(visit), secret)
    except Refusal as refusal:
        return list_people(visit, field_errors(refusal))
    done = f"{guest.email} is {_role(visit).value} of {visit.here.name}."
    return show_link(visit, secret, guest.email, done, back=PATH)


def _person(visit: Visit) -> Person:
    found = store.list_people(visit.tx, visit.here.id, user_id=visit.number, limit=1)
    if not found:
        raise Refusal("not_found", path=visit.request.url.path)
    return found[0]


def _role(visit: Visit) -> Role:
    text = visit.text("role")
    return Role(text) if text in set(Role) else Role.MEMBER


PAGES = (
    Page("GET", f"/a/{{account}}{PATH}", list_people, Need.MANAGER),
    Page("POST", f"/a/{{account}}{PATH}", appoint, Need.OWNER),
    Page("POST", f"/a/{{account}}{PATH}/{{number}}", change_role, Need.OWNER),
    Page("POST", f"/a/{{account}}{PATH}/{{number}}/remove", dismiss, Need.OWNER),
)
