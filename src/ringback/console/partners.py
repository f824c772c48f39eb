"""Company > Buyers, Traffic Sources and Offers: the same pages, driven by one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from ringback.console.invitations import show_link
from ringback.console.pages import Need, Page, Visit, field_errors, go, render
from ringback.domain.errors import Refusal
from ringback.domain.postbacks import Owner, Postback, Trigger
from ringback.services import memberships
from ringback.services import partners as service
from ringback.store import partners, postbacks, teams

PAGE_LENGTH = 50
MOST_TEAMS = 500
"""How many teams a list to choose from offers."""


@dataclass(frozen=True, slots=True)
class Field:
    """A term of a partner on its form; ``read`` gets what was typed, None if nothing was."""

    column: str
    label: str
    hint: str
    type: str = "text"
    read: Callable[[Visit], str | None] | None = None

    def typed(self, visit: Visit) -> str | None:
        """What was typed."""
        return (visit.text(self.column) or None) if self.read is None else self.read(visit)


_EXTERNAL_ID = Field(
    "external_id",
    "Your own id",
    "What your own systems know it by; senders may name it so, and lists can be asked for it.",
)


@dataclass(frozen=True, slots=True)
class Section:
    """The pages of one kind of partner. ``lesson`` is what an empty list teaches, ``listed`` a column of the list."""

    noun: str
    path: str
    title: str
    lesson: str
    fields: tuple[Field, ...] = (_EXTERNAL_ID,)
    listed: tuple[str, str] | None = None

    @property
    def one(self) -> str:
        """The word for one."""
        return service.spoken(self.noun)


def _payout(visit: Visit) -> str | None:
    typed = visit.text("payout")
    rule = visit.text("payout_rule")
    if rule == "percent":
        return f"{typed.removesuffix('%').rstrip()}%"
    return typed if rule == "fixed" else None


BUYERS = Section(
    "buyer",
    "/buyers",
    "Buyers",
    "A buyer pays for calls, and posts back what became of them. Make one, then add a team under Team Access.",
    (
        Field("email", "E-mail address", "Of the person to ask; nothing is sent to it.", "email"),
        Field(
            "agreed_revenue",
            "Agreed revenue",
            "In US dollars. A conversion that comes without an amount gets this one.",
        ),
        _EXTERNAL_ID,
    ),
    ("agreed_revenue", "Agreed revenue"),
)
SECTIONS = (
    BUYERS,
    Section(
        "traffic_source",
        "/traffic-sources",
        "Traffic Sources",
        "A traffic source (TS) sends calls, and is paid a payout for those that convert.",
    ),
    Section(
        "offer",
        "/offers",
        "Offers",
        "An offer is the campaign that calls belong to; its payout rule says what the traffic source gets for one.",
        (
            Field("payout", "Payout", "An amount in US dollars, or a percentage from 0 to 100.", "payout", _payout),
            _EXTERNAL_ID,
        ),
        ("payout", "Payout"),
    ),
)


def list_page(section: Section, visit: Visit) -> Response:
    """The partners of a kind, by name."""
    search, after, archived = visit.query("q"), visit.query("after"), bool(visit.query("archived"))
    rows = _page(section, visit, PAGE_LENGTH + 1, search=search, after=after, archived=archived)
    shown = rows[:PAGE_LENGTH]
    kind = {"archived": "1"} if archived else {}
    more = {"q": search, "after": shown[-1]["name_key"], **kind} if len(rows) > PAGE_LENGTH else {}
    return render(
        visit,
        "partners/list.html",
        section=section,
        rows=[(row["id"], service.written(section.noun, row), row["paused"]) for row in shown],
        teams=teams.list_seeing(visit.tx, visit.here.id, [row["id"] for row in shown]) if section is BUYERS else None,
        search=search,
        archived=archived,
        has_archived=archived or bool(_page(section, visit, 1, archived=True)),
        is_first=not after,
        next_url=f"{visit.url(section.path)}?{urlencode(more)}" if more else "",
    )


def _page(
    section: Section, visit: Visit, limit: int, *, search: str = "", after: str = "", archived: bool
) -> list[dict[str, Any]]:
    return partners.list_page(
        visit.tx, visit.here.id, section.noun, after=after, search=search, limit=limit, archived=archived
    )


def show_new(section: Section, visit: Visit) -> Response:
    """An empty form."""
    return _form(section, visit, dict.fromkeys(("name", *(field.column for field in section.fields)), ""))


def create(section: Section, visit: Visit) -> Response:
    """Make a partner."""
    try:
        number = service.create(visit.tx, visit.acting, section.noun, _typed(section, visit))
    except Refusal as refusal:
        return _form(section, visit, _again(section, visit), errors=field_errors(refusal))
    return go(visit.url(f"{section.path}/{number}"), f"{section.one.capitalize()} {visit.text('name')} was made.")


def show(section: Section, visit: Visit) -> Response:
    """A partner's edit page."""
    row = find(section, visit)
    return _form(section, visit, service.written(section.noun, row), row)


def change(section: Section, visit: Visit) -> Response:
    """Save a partner."""
    row = find(section, visit)
    try:
        is_changed = service.change(visit.tx, visit.acting, section.noun, row, _typed(section, visit))
    except Refusal as refusal:
        return _form(section, visit, _again(section, visit), row, errors=field_errors(refusal))
    return go(visit.url(f"{section.path}/{row['id']}"), "Saved." if is_changed else "Nothing was different.")


def pause(section: Section, visit: Visit) -> Response:
    """Mark a partner as one with whom there is no business for now, or take the mark off."""
    row, paused = find(section, visit), bool(visit.text("paused"))
    service.pause(visit.tx, visit.acting, section.noun, row, paused=paused)
    done = "is paused" if paused else "is not paused any more"
    return go(visit.url(f"{section.path}/{row['id']}"), f"{section.one.capitalize()} {row['name']} {done}.")


def add_team(visit: Visit) -> Response:
    """Make a team for a buyer with the user of an address, and say what is to be done next."""
    buyer = find(BUYERS, visit)
    secret = visit.tools.random().hex()
    try:
        given = memberships.share_buyer(
            visit.tx, visit.acting, buyer["id"], buyer["name"], email=visit.text("email"), secret=secret
        )
    except Refusal as refusal:
        errors = {"team_email": field_errors(refusal)["email"]}
        return _form(BUYERS, visit, service.written("buyer", buyer), buyer, errors=errors)
    was = "was made" if given.is_new else "is there already"
    done = f"Team {given.team.name} {was}: {given.guest.email} is on it, and it sees the calls of {buyer['name']} only."
    return show_link(visit, secret, given.guest.email, done, back=f"{BUYERS.path}/{buyer['id']}", team=given.team)


def add_existing_team(visit: Visit) -> Response:
    """Let a team that is there see a buyer's calls too."""
    buyer = find(BUYERS, visit)
    chosen = visit.numbers("team")
    team = teams.find(visit.tx, visit.here.id, chosen[0]) if chosen else None
    if team is None:
        raise Refusal("not_found", path=visit.request.url.path)
    memberships.show_buyer(visit.tx, visit.acting, buyer["id"], buyer["name"], team)
    return go(visit.url(f"{BUYERS.path}/{buyer['id']}"), f"Team {team.name} sees the calls of {buyer['name']} now.")


def _form(
    section: Section,
    visit: Visit,
    values: Mapping[str, str],
    row: Mapping[str, Any] | None = None,
    errors: dict[str, str] | None = None,
) -> Response:
    is_shared = section is BUYERS and row is not None
    number = row["id"] if row is not None else 0
    return render(
        visit,
        "partners/edit.html",
        status=422 if errors else 200,
        section=section,
        row=row,
        values=values,
        errors=errors or {},
        seeing=teams.list_seeing(visit.tx, visit.here.id, [number])[number] if is_shared else [],
        others=teams.list_not_seeing(visit.tx, visit.here.id, number, limit=MOST_TEAMS) if is_shared else [],
        forward_posts=_forward_posts(visit, number) if is_shared else [],
        team_email=visit.text("email") if errors and "team_email" in errors else "",
    )


def _forward_posts(visit: Visit, buyer: int) -> list[Postback]:
    owned = postbacks.list_owned(visit.tx, visit.here.id, Owner.BUYER, buyer)
    return [each for each in owned if each.trigger is Trigger.CALL_FORWARDED]


def _typed(section: Section, visit: Visit) -> dict[str, str | None]:
    return {"name": visit.text("name"), **{field.column: field.typed(visit) for field in section.fields}}


def _again(section: Section, visit: Visit) -> dict[str, str]:
    """The form as it was sent."""
    return {column: text or "" for column, text in _typed(section, visit).items()}


def find(section: Section, visit: Visit) -> dict[str, Any]:
    """The partner that the path names.

    Raises:
        Refusal: ``not_found``.
    """
    visit.hold_settings()
    row = partners.find_row(visit.tx, visit.here.id, section.noun, visit.number)
    if row is None:
        raise Refusal("not_found", path=visit.request.url.path)
    return row


def _pages(section: Section) -> tuple[Page, ...]:
    path = f"/a/{{account}}{section.path}"
    return (
        Page("GET", path, partial(list_page, section), Need.MANAGER),
        Page("GET", f"{path}/new", partial(show_new, section), Need.MANAGER),
        Page("POST", f"{path}/new", partial(create, section), Need.MANAGER),
        Page("GET", f"{path}/{{number}}", partial(show, section), Need.MANAGER),
        Page("POST", f"{path}/{{number}}", partial(change, section), Need.MANAGER),
        Page("POST", f"{path}/{{number}}/pause", partial(pause, section), Need.MANAGER),
    )


PAGES = (
    *(page for section in SECTIONS for page in _pages(section)),
    Page("POST", f"/a/{{account}}{BUYERS.path}/{{number}}/team-access", add_team, Need.MANAGER),
    Page("POST", f"/a/{{account}}{BUYERS.path}/{{number}}/teams", add_existing_team, Need.MANAGER),
)
