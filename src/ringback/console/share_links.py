"""Share links: made and revoked by who runs the account, opened by whoever has one, without a log-in."""

from __future__ import annotations

from starlette.responses import Response

from ringback.console.pages import Need, Page, Visit, field_errors, go, render
from ringback.console.posting_instructions import PATH, instructions
from ringback.domain.errors import Refusal
from ringback.services import posting_instructions, share_links

HEADERS = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex", "Referrer-Policy": "no-referrer"}
"""What keeps a shared page, and its address, from caches, search engines and other sites."""


def make(visit: Visit) -> Response:
    """Make a link, and show it: now and never again."""
    buyer = posting_instructions.find_buyer(visit.tx, visit.actor, visit.number)
    back = visit.url(f"{PATH}/{buyer['id']}")
    try:
        secret = share_links.make(visit.tx, visit.acting, buyer, visit.tools.random())
    except Refusal as refusal:
        return go(back, field_errors(refusal)["form"], "danger")
    return render(
        visit,
        "share_links/made.html",
        row=buyer,
        link=visit.link(f"/share/{secret}"),
        days=share_links.LIFETIME.days,
        back=back,
    )


def revoke(visit: Visit) -> Response:
    """End a link."""
    buyer = posting_instructions.find_buyer(visit.tx, visit.actor, visit.number)
    is_ended = share_links.revoke(visit.tx, visit.acting, buyer, visit.text("link"))
    said = "The link is revoked: nobody can open it any more." if is_ended else "That link worked no more."
    return go(visit.url(f"{PATH}/{buyer['id']}"), said)


def show(visit: Visit) -> Response:
    """The instructions that a link opens; one page for every link that doesn't work, whyever it doesn't."""
    shared = share_links.find(visit.tx, visit.request.path_params["secret"], visit.tools.now())
    if shared is None:
        response = render(visit, "share_links/missing.html", status=404, days=share_links.LIFETIME.days)
    else:
        said = instructions(visit, shared.subdomain, shared.account, shared.buyer)
        response = render(visit, "share_links/show.html", expires_at=shared.expires_at, **said)
    response.headers.update(HEADERS)
    return response


PAGES = (
    Page("POST", f"/a/{{account}}{PATH}/{{number}}/share-links", make, Need.MANAGER),
    Page("POST", f"/a/{{account}}{PATH}/{{number}}/revoke", revoke, Need.MANAGER),
    Page("GET", "/share/{secret}", show, Need.NOBODY),
)
