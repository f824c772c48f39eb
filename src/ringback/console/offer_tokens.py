"""The token of an offer, by which updates name it that don't know the UUID of a call."""

from __future__ import annotations

from starlette.responses import Response

from ringback.console.pages import Need, Page, Visit, go
from ringback.console.partners import SECTIONS, find
from ringback.services import partners as service

OFFERS = next(section for section in SECTIONS if section.noun == "offer")


def renew(visit: Visit) -> Response:
    """Give an offer another token."""
    offer = find(OFFERS, visit)
    service.renew_token(visit.tx, visit.acting, offer)
    return go(visit.url(f"{OFFERS.path}/{offer['id']}"), "The offer has another token; the old one finds no call now.")


PAGES = (Page("POST", f"/a/{{account}}{OFFERS.path}/{{number}}/token", renew, Need.MANAGER),)
