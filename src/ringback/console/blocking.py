"""Company > Settings > Access tokens: those of others that are used here, and which of them are blocked."""

from __future__ import annotations

from starlette.responses import Response

from ringback.console.pages import Need, Page, Visit, go, render
from ringback.console.settings import PATH as SETTINGS
from ringback.domain.decisions import read_uuid
from ringback.services import blocking
from ringback.store import blocked_tokens

PATH = f"{SETTINGS}/tokens"
PAGE_LENGTH = 50


def list_seen(visit: Visit) -> Response:
    """The tokens."""
    before = read_uuid(visit.query("before")) or ""
    found = blocked_tokens.list_seen(visit.tx, visit.here.id, before=before, limit=PAGE_LENGTH + 1)
    shown = found[:PAGE_LENGTH]
    return render(
        visit,
        "settings/tokens.html",
        tokens=shown,
        next_url=f"{visit.url(PATH)}?before={shown[-1].id}" if len(found) > PAGE_LENGTH else "",
        first_url=visit.url(PATH) if before else "",
    )


def act(visit: Visit) -> Response:
    """Block a token, or let it count again."""
    token_id = str(visit.request.path_params["token"])
    if visit.text("do") == "unblock":
        token = blocking.unblock(visit.tx, visit.acting, token_id)
        return go(visit.url(PATH), f"The access token of {token.user} counts here again.")
    token = blocking.block(visit.tx, visit.acting, token_id)
    return go(visit.url(PATH), f"The access token of {token.user} is blocked: whatever comes with it is refused here.")


PAGES = (
    Page("GET", f"/a/{{account}}{PATH}", list_seen, Need.OWNER),
    Page("POST", f"/a/{{account}}{PATH}/{{token:uuid}}", act, Need.OWNER),
)
