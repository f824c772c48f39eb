"""Company > Teams: who sits on a team, whose calls it sees, what it may update."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from starlette.responses import Response

from ringback.console.invitations import show_link
from ringback.console.pages import Need, Page, Visit, field_errors, go, render
from ringback.domain.access import Level
from ringback.domain.attributes import ATTRIBUTES
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
    team = _find(visit)
    return _form(visit, team, _kept(team))


def save(visit: Visit) -> Response:
    """Save a team; or only fill in a preset, or tell what would change."""
    team, wish = _find(visit), visit.text("do")
    draft = _typed(visit, team)
    if wish == "postback":
        draft = replace(draft, rights=POSTBACK)
    try:
        form = draft.form(with_rights=bool(visit.text("grants")))
        if wish in {"postback", "review"}:
            return _form(visit, team, draft, told=team_settings.preview(visit.tx, visit.acting, team, draft.name, form))
        told = team_settings.save(visit.tx, visit.acting, team, draft.name, form)
    except Refusal as refusal:
        if refusal.code.name != "invalid_value":
            raise
        return _form(visit, team, draft, errors=field_errors(refusal))
    return go(_url(visit, team.id), f"Saved: {_spoken(told)}." if told else "Nothing was different.")


def add_user(visit: Visit) -> Response:
    """Put the user of an address on a team, and show the link to hand over."""
    team = _find(visit)
    secret = visit.tools.random().hex()
    try:
        guest = memberships.add_to_team(visit.tx, visit.acting, team, visit.text("email"), secret)
    except Refusal as refusal:
        return _form(visit, team, _kept(team), errors=field_errors(refusal))
    return show_link(visit, secret, guest.email, f"{guest.email} is on team {team.name}.", back=f"{PATH}/{team.id}")


def remove_user(visit: Visit) -> Response:
    """Take a user off a team."""
    team = _find(visit)
    people = {str(person.user_id): person for person in seats.list_on_team(visit.tx, visit.here.id, team.id)}
    person = people.get(visit.text("user"))
    if person is None:
        return go(_url(visit, team.id), "That user was not on the team any more.", "warning")
    memberships.take_off_team(visit.tx, visit.acting, team, person)
    return go(_url(visit, team.id), f"{person.email} is not on the team any more.")


def _form(
    visit: Visit,
    team: TeamRow,
    draft: Draft,
    *,
    told: Sequence[str] | None = None,
    errors: dict[str, str] | None = None,
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
        email=visit.text("email"),
        people=seats.list_on_team(visit.tx, visit.here.id, team.id),
        buyers=sorted(buyers.items(), key=lambda buyer: name_key(buyer[1])),
        has_more_buyers=len(offered) == MOST_BUYERS,
        attributes=ATTRIBUTES,
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
            for attribute in ATTRIBUTES
        },
    )


def _spoken(told: Sequence[str]) -> str:
    """What changed, short enough for a message."""
    rest = len(told) - MOST_TOLD
    return "; ".join(told[:MOST_TOLD]) + (f"; and {rest} more" if rest > 0 else "")


def _find(visit: Visit) -> TeamRow:
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
    Page("POST", f"/a/{{account}}{PATH}/{{number}}", save, Need.MANAGER),
    Page("POST", f"/a/{{account}}{PATH}/{{number}}/users", add_user, Need.MANAGER),
    Page("POST", f"/a/{{account}}{PATH}/{{number}}/users/remove", remove_user, Need.MANAGER),
)
