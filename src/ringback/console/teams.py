"""Company > Teams: who sits on a team, whose calls it sees, what it may update."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from starlette.responses import Response

from ringback.console import letters
from ringback.console.pages import Need, Page, Visit, field_errors, go, render
from ringback.domain.access import Level
from ringback.domain.attributes import ATTRIBUTES, UPDATABLE
from ringback.domain.errors import Refusal
from ringback.domain.names import name_key
from ringback.services import memberships, team_settings
from ringback.services.teams import TeamForm
from ringback.store import memberships as seats
from ringback.store import partners, teams
from ringback.store.teams import TeamRow

PATH = "/company/teams"
PAGE_LENGTH = 50
MOST_BUYERS = 300
"""How many buyers a team's page offers beside those that the team has."""

MOST_TOLD = 12
"""How many changes a message names."""

POSTBACK: Mapping[str, Level] = {attribute.name: Level.UPDATE for attribute in ATTRIBUTES}
"""The preset of that name: what a platform that posts back everything needs."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A team as its form shows it: as it is kept, or as it was typed."""

    name: str
    developer_api: bool
    every_buyer: bool
    buyers: frozenset[int]
    records_calls: bool
    rights: Mapping[str, Level]

    def form(self, *, with_rights: bool) -> TeamForm:
        """What is to be saved; without the rights if they may not be changed."""
        return TeamForm(
            buyers=None if self.every_buyer else self.buyers,
            every_buyer=self.every_buyer,
            developer_api=self.developer_api,
            records_calls=self.records_calls if with_rights else None,
            rights=self.rights if with_rights else None,
        )


@dataclass(frozen=True, slots=True)
class Invited:
    """Somebody who was put on a team, and the link to hand to him."""

    email: str
    link: str


def list_teams(visit: Visit) -> Response:
    """The teams of the account, by name."""
    search, after = visit.query("q"), visit.query("after")
    rows = teams.list_page(visit.tx, visit.here.id, after=after, search=search, limit=PAGE_LENGTH + 1)
    shown = rows[:PAGE_LENGTH]
    more = {"q": search, "after": name_key(shown[-1].name)} if len(rows) > PAGE_LENGTH else {}
    return render(
        visit,
        "teams/list.html",
        teams=shown,
        search=search,
        is_first=not after,
        next_url=f"{visit.url(PATH)}?{urlencode(more)}" if more else "",
    )


def show_new(visit: Visit) -> Response:
    """The form of a new team, which has only a name."""
    return render(visit, "teams/new.html", errors={}, name="")


def create(visit: Visit) -> Response:
    """Make a team."""
    try:
        number = team_settings.create(visit.tx, visit.acting, visit.text("name"))
    except Refusal as refusal:
        return render(visit, "teams/new.html", status=422, errors=field_errors(refusal), name=visit.text("name"))
    return go(_url(visit, number), f"Team {visit.text('name')} was made.")


def show(visit: Visit) -> Response:
    """A team's edit page."""
    team = find(visit)
    return _form(visit, team, _kept(team))


def change(visit: Visit) -> Response:
    """Do what a button of a team's page says. But for saving, what else was typed is neither saved nor lost."""
    team, wish = find(visit), visit.text("do")
    draft = _typed(visit, team)
    try:
        if wish == "add":
            return _as_typed(visit, draft, invited=_invite(visit, team))
        if visit.text("remove"):
            return _as_typed(visit, draft, done=_remove(visit, team))
        if wish in {"postback", "review"}:
            draft = replace(draft, rights=POSTBACK) if wish == "postback" else draft
            return _form(visit, team, draft, told=_preview(visit, team, draft))
        return _save(visit, team, draft)
    except Refusal as refusal:
        if refusal.code.name != "invalid_value":
            raise
        return _form(visit, team, draft, errors=field_errors(refusal))


def _save(visit: Visit, team: TeamRow, draft: Draft) -> Response:
    """Save a team, and put on it whose address stands in the form."""
    form = draft.form(with_rights=bool(visit.text("grants")))
    told = team_settings.save(visit.tx, visit.acting, team, draft.name, form)
    done = f"Saved: {_spoken(told)}." if told else "Nothing was different."
    if not visit.text("email"):
        return go(_url(visit, team.id), done)
    return _as_typed(visit, draft, invited=_invite(visit, team), done=done if told else "")


def _invite(visit: Visit, team: TeamRow) -> Invited:
    """Put the user of an address on a team."""
    secret = visit.tools.random().hex()
    guest = memberships.add_to_team(visit.tx, visit.acting, team, visit.text("email"), secret)
    return Invited(guest.email, letters.invite(visit, secret, guest.email))


def _remove(visit: Visit, team: TeamRow) -> str:
    """Take a user off a team; returns what was done."""
    people = {str(person.user_id): person for person in seats.list_on_team(visit.tx, visit.here.id, team.id)}
    person = people.get(visit.text("remove"))
    if person is None:
        return "That user was not on the team any more."
    memberships.take_off_team(visit.tx, visit.acting, team, person)
    return f"{person.email} is not on the team any more."


def _as_typed(visit: Visit, draft: Draft, *, invited: Invited | None = None, done: str = "") -> Response:
    """The page after something was done, with all that was typed; if that can't be saved, it is told then."""
    team = find(visit)
    try:
        told = _preview(visit, team, draft)
    except Refusal:
        told = None
    return _form(visit, team, draft, told=told, invited=invited, done=done)


def _preview(visit: Visit, team: TeamRow, draft: Draft) -> list[str]:
    """What saving would change."""
    form = draft.form(with_rights=bool(visit.text("grants")))
    return team_settings.preview(visit.tx, visit.acting, team, draft.name, form)


def _form(
    visit: Visit,
    team: TeamRow,
    draft: Draft,
    *,
    told: Sequence[str] | None = None,
    errors: dict[str, str] | None = None,
    invited: Invited | None = None,
    done: str = "",
) -> Response:
    is_part = "hx-request" in visit.request.headers
    offered = partners.list_page(visit.tx, visit.here.id, "buyer", after="", search="", limit=MOST_BUYERS)
    buyers = {row["id"]: row["name"] for row in offered}
    buyers |= partners.names(visit.tx, visit.here.id, "buyer", (draft.buyers | team.buyers) - buyers.keys())
    return render(
        visit,
        "teams/changes.html" if is_part else "teams/edit.html",
        status=422 if errors and not is_part else 200,
        team=team,
        draft=draft,
        told=told,
        errors=errors or {},
        email=visit.text("email") if errors else "",
        invited=invited,
        done=done,
        people=seats.list_on_team(visit.tx, visit.here.id, team.id),
        buyers=sorted(buyers.items(), key=lambda buyer: name_key(buyer[1])),
        has_more_buyers=len(offered) == MOST_BUYERS,
        attributes=UPDATABLE,
        levels=list(Level),
        may_grant=team_settings.may_grant(visit.actor, team),
    )


def _kept(team: TeamRow) -> Draft:
    return Draft(team.name, team.developer_api, team.every_buyer, team.buyers, team.records_calls, team.rights)


def _typed(visit: Visit, team: TeamRow) -> Draft:
    """The team as it was typed; a right that was not sent stays as it is."""
    levels = {level.name.lower(): level for level in Level}
    return Draft(
        name=visit.text("name"),
        developer_api=bool(visit.text("developer_api")),
        every_buyer=visit.text("sees") == "every",
        buyers=frozenset(partners.names(visit.tx, visit.here.id, "buyer", visit.numbers("buyer"))),
        records_calls=bool(visit.text("records_calls")),
        rights={
            attribute.name: levels.get(
                visit.text(f"right-{attribute.name}"), team.rights.get(attribute.name, Level.NONE)
            )
            for attribute in UPDATABLE
        },
    )


def _spoken(told: Sequence[str]) -> str:
    """What changed, short enough for a message."""
    rest = len(told) - MOST_TOLD
    return "; ".join(told[:MOST_TOLD]) + (f"; and {rest} more" if rest > 0 else "")


def find(visit: Visit) -> TeamRow:
    """The team that the path names.

    Raises:
        Refusal: ``not_found``.
    """
    visit.hold_settings()
    team = teams.find(visit.tx, visit.here.id, visit.number)
    if team is None:
        raise Refusal("not_found", path=visit.request.url.path)
    return team


def _url(visit: Visit, number: int) -> str:
    return visit.url(f"{PATH}/{number}")


PAGES = (
    Page("GET", f"/a/{{account}}{PATH}", list_teams, Need.MANAGER),
    Page("GET", f"/a/{{account}}{PATH}/new", show_new, Need.MANAGER),
    Page("POST", f"/a/{{account}}{PATH}/new", create, Need.MANAGER),
    Page("GET", f"/a/{{account}}{PATH}/{{number}}", show, Need.MANAGER),
    Page("POST", f"/a/{{account}}{PATH}/{{number}}", change, Need.MANAGER),
)
