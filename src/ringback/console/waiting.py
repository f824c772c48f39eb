"""What waits: the causes, each with its cure, and applying all that waits for one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.responses import Response

from ringback.console import told
from ringback.console.pages import Need, Page, Visit, go, render
from ringback.domain.causes import Caused
from ringback.domain.decisions import read_uuid
from ringback.domain.errors import Refusal
from ringback.services import runs, team_settings, waiting
from ringback.services.runs import AT_ONCE
from ringback.services.waiting import Preview
from ringback.store import bundles, receipt_search, teams
from ringback.store import runs as store
from ringback.store import waiting as waiting_store
from ringback.store.runs import Run
from ringback.store.teams import TeamRow

PAGE_LENGTH = 50
FEW = 10
"""How many updates are applied without showing how far it is."""

STEPS = 20
"""In about how many steps the others are."""

LEFT_OUT_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Cure:
    """What a cause would be cured by: a grant to a team, and whether the visitor may give it."""

    team: TeamRow
    rights: Sequence[str]
    may_grant: bool


def list_causes(visit: Visit) -> Response:
    """Why updates wait."""
    found = waiting.list_causes(visit.tx, visit.here.id)
    return render(visit, "waiting/list.html", causes=[(caused, _cure(visit, caused)) for caused in found])


def show_cause(visit: Visit) -> Response:
    """One cause: what would be granted, and each change that would follow."""
    caused = _find(visit)
    place = read_uuid(visit.query("after"))
    rows = waiting_store.list_by_id(visit.tx, visit.here.id, [place]) if place else []
    after = (rows[0].received_at, rows[0].id) if rows else None
    found = bundles.list_places(visit.tx, visit.here.id, caused.keys, after=after, limit=PAGE_LENGTH + 1)
    shown = [waiting_id for _, waiting_id in found[:PAGE_LENGTH]]
    more = f"?after={shown[-1]}" if len(found) > PAGE_LENGTH else ""
    return render(
        visit,
        "waiting/cause.html",
        caused=caused,
        cure=_cure(visit, caused),
        lines=[(made, told.would_change(made.changes), _kept(made)) for made in _previews(visit, shown)],
        next_url=visit.url(f"/updates/waiting/{caused.cause.name}{more}") if more else "",
        is_first=after is None,
        few=FEW,
    )


def start(visit: Visit) -> Response:
    """Grant what a cause lacks, and apply what waits for it."""
    run = runs.start(visit.tx, visit.acting, str(visit.request.path_params["cause"]), FEW)
    return _to_run(visit, run)


def show_run(visit: Visit) -> Response:
    """How far the applying of many updates is."""
    run = _find_run(visit)
    kept = receipt_search.list_by_id(visit.tx, visit.here.id, run.left_out[:LEFT_OUT_SHOWN])
    return render(visit, "waiting/run.html", run=run, kept=kept)


def go_on(visit: Visit) -> Response:
    """Apply the next updates of a run; fewer at once where the page goes on by itself and shows how far it is."""
    run = _find_run(visit)
    limit = max(FEW, run.total // STEPS) if "hx-request" in visit.request.headers else AT_ONCE
    return _to_run(visit, runs.go_on(visit.tx, visit.acting, run.id, limit))


def _to_run(visit: Visit, run: Run) -> Response:
    done = f"{run.applied} of {run.total} waiting updates were applied." if run.ended_at else ""
    return go(visit.url(f"/updates/runs/{run.id}"), done, "warning" if run.refused else "success")


def _find(visit: Visit) -> Caused:
    name = visit.request.path_params["cause"]
    for caused in waiting.list_causes(visit.tx, visit.here.id):
        if caused.cause.name == name:
            return caused
    raise Refusal("nothing_waits")


def _find_run(visit: Visit) -> Run:
    run = store.find(visit.tx, visit.here.id, str(visit.request.path_params["id"]))
    if run is None:
        raise Refusal("nothing_waits")
    return run


def _cure(visit: Visit, caused: Caused) -> Cure | None:
    grant = caused.cause.grant
    team = teams.find(visit.tx, visit.here.id, grant.team_id) if grant else None
    if grant is None or team is None:
        return None
    may_grant = not grant.rights or team_settings.may_grant(visit.actor, team)
    return Cure(team, [told.label(name) for name in grant.rights], may_grant)


def _previews(visit: Visit, ids: Sequence[str]) -> list[Preview]:
    return waiting.preview(visit.tx, visit.here.id, ids)


def _kept(made: Preview) -> str:
    """What is said of values that would be left as they are."""
    return ", ".join(told.label(name) for name in made.left_out)


PAGES = (
    Page("GET", "/a/{account}/updates/waiting", list_causes, Need.MANAGER),
    Page("GET", "/a/{account}/updates/waiting/{cause}", show_cause, Need.MANAGER),
    Page("POST", "/a/{account}/updates/waiting/{cause}", start, Need.MANAGER),
    Page("GET", "/a/{account}/updates/runs/{id:uuid}", show_run, Need.MANAGER),
    Page("POST", "/a/{account}/updates/runs/{id:uuid}", go_on, Need.MANAGER),
)
