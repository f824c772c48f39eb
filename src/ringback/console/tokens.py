"""Integrations > API & Access Tokens, and Developer Access Tokens: the same pages for both kinds of own tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from starlette.responses import Response

from ringback.console.pages import Need, Page, Visit, field_errors, go, render
from ringback.domain.access import AccessType, granting
from ringback.domain.attributes import UPDATABLE
from ringback.domain.decisions import read_uuid
from ringback.domain.errors import Refusal
from ringback.services import own_tokens, tokens
from ringback.services.own_tokens import LASTING, OVERLAPS, Lifetime, State, Wish
from ringback.services.tokens import NewToken
from ringback.store import accounts
from ringback.store.accounts import TokenRow

PAGE_LENGTH = 50
NO_CALL = "00000000-0000-0000-0000-000000000000"
"""The UUID of no call: a dry run with it looks at everything but the call."""

STATES = {State.ACTIVE: "green", State.EXPIRES_SOON: "yellow", State.EXPIRED: "secondary", State.REVOKED: "red"}
"""The colour of each state."""


@dataclass(frozen=True, slots=True)
class Section:
    """The pages of one kind: what it is called, what the button says that makes one, what an empty list teaches."""

    kind: str
    path: str
    title: str
    one: str
    new: str
    lesson: str


SECTIONS = (
    Section(
        tokens.BASIC,
        "/tokens",
        "API & Access Tokens",
        "access token",
        "New",
        "An access token is what another platform sends so that its postbacks count as yours: a Basic value for the "
        "Authorization header. It may do what your teams may.",
    ),
    Section(
        tokens.DEVELOPER,
        "/developer-tokens",
        "Developer Access Tokens",
        "developer access token",
        "New Developer Access Token",
        "A developer access token is one value, for senders that send Authorization: Token and the value. It may do "
        "what your teams may.",
    ),
)


@dataclass(frozen=True, slots=True)
class Draft:
    """A token as its form shows it: as it is kept, or as it was typed."""

    wish: Wish
    lifetime: Lifetime


@dataclass(frozen=True, slots=True)
class Row:
    """A token as lists and its page show it; ``may`` is what it may update here while it works."""

    token: TokenRow
    state: State
    may: Sequence[str]

    @property
    def colour(self) -> str:
        """The colour of its state."""
        return STATES[self.state]

    @property
    def works(self) -> bool:
        """Whether it may be used."""
        return self.state in {State.ACTIVE, State.EXPIRES_SOON}

    @property
    def glance(self) -> str:
        """What it may update here, in a few words."""
        if self.token.access_type is AccessType.CALLS_READ:
            return "nothing, it only reads"
        if len(self.may) == len(UPDATABLE):
            return f"all {len(UPDATABLE)} attributes"
        return ", ".join(self.may) or "nothing yet"


def list_page(section: Section, visit: Visit) -> Response:
    """The user's own tokens, newest first."""
    before = visit.query("before")
    found = accounts.list_own_tokens(
        visit.tx, visit.who.id, section.kind, before=read_uuid(before) or "", limit=PAGE_LENGTH + 1
    )
    shown = found[:PAGE_LENGTH]
    more = {"before": shown[-1].id} if len(found) > PAGE_LENGTH else {}
    return render(
        visit,
        "tokens/list.html",
        section=section,
        rows=[_row(visit, token) for token in shown],
        first_url=visit.url(section.path) if before else "",
        next_url=f"{visit.url(section.path)}?{urlencode(more)}" if more else "",
    )


def show_new(section: Section, visit: Visit) -> Response:
    """An empty form."""
    return _new(section, visit, Draft(Wish("", AccessType.CALLS.value, ""), _lifetime(visit, own_tokens.NEVER)))


def create(section: Section, visit: Visit) -> Response:
    """Make a token, and show its secrets: now and never again."""
    draft = Draft(_wish(visit), _lifetime(visit))
    try:
        made = own_tokens.create(visit.tx, visit.acting, section.kind, draft.wish, draft.lifetime, _random(visit))
    except Refusal as refusal:
        return _new(section, visit, draft, field_errors(refusal))
    return _made(section, visit, made)


def show(section: Section, visit: Visit) -> Response:
    """A token's page."""
    token = _find(section, visit)
    return _edit(section, visit, token, _kept(visit, token))


def change(section: Section, visit: Visit) -> Response:
    """Save a token's description, access type, allow-list and accounts."""
    token, wish = _find(section, visit), _wish(visit)
    try:
        is_changed = own_tokens.change(visit.tx, visit.acting, token, wish)
    except Refusal as refusal:
        if refusal.code.name == "not_found":
            raise
        return _edit(section, visit, token, replace(_kept(visit, token), wish=wish), field_errors(refusal))
    url = visit.url(f"{section.path}/{token.id}")
    return go(url, "Saved." if is_changed else "Nothing was different.")


def show_rotate(section: Section, visit: Visit) -> Response:
    """What rotating does, and for how long the old one is to go on."""
    return _rotate(section, visit, _find(section, visit))


def rotate(section: Section, visit: Visit) -> Response:
    """Make a token's successor, and show its secrets: now and never again."""
    token = _find(section, visit)
    try:
        made = own_tokens.rotate(
            visit.tx,
            visit.acting,
            token,
            overlap=visit.text("overlap"),
            lifetime=_lifetime(visit),
            random=_random(visit),
        )
    except Refusal as refusal:
        if refusal.code.name == "not_found":
            raise
        return _rotate(section, visit, token, field_errors(refusal))
    return _made(section, visit, made, old=_find(section, visit))


def show_revoke(section: Section, visit: Visit) -> Response:
    """The question whether it is meant."""
    return render(visit, "tokens/revoke.html", section=section, row=_row(visit, _find(section, visit)))


def revoke(section: Section, visit: Visit) -> Response:
    """End a token at once."""
    token = _find(section, visit)
    own_tokens.revoke(visit.tx, visit.acting, token)
    return go(visit.url(section.path), f"{token.description} is revoked: from now on it is refused.")


def _new(section: Section, visit: Visit, draft: Draft, errors: dict[str, str] | None = None) -> Response:
    return render(
        visit,
        "tokens/new.html",
        status=422 if errors else 200,
        section=section,
        draft=draft,
        errors=errors or {},
        **_choices(visit),
    )


def _edit(
    section: Section, visit: Visit, token: TokenRow, draft: Draft, errors: dict[str, str] | None = None
) -> Response:
    return render(
        visit,
        "tokens/show.html",
        status=422 if errors else 200,
        section=section,
        row=_row(visit, token),
        draft=draft,
        elsewhere=len(set(token.accounts) - {account.id for account in visit.accounts}),
        errors=errors or {},
        **_choices(visit),
    )


def _rotate(section: Section, visit: Visit, token: TokenRow, errors: dict[str, str] | None = None) -> Response:
    return render(
        visit,
        "tokens/rotate.html",
        status=422 if errors else 200,
        section=section,
        row=_row(visit, token),
        draft=replace(_kept(visit, token), lifetime=_lifetime(visit, own_tokens.usual(token))),
        overlaps=OVERLAPS.items(),
        overlap=visit.text("overlap", "24"),
        errors=errors or {},
        **_choices(visit),
    )


def _made(section: Section, visit: Visit, made: NewToken, old: TokenRow | None = None) -> Response:
    token = own_tokens.find(visit.tx, visit.who.id, section.kind, made.id)
    return render(
        visit,
        "tokens/made.html",
        section=section,
        made=made,
        row=_row(visit, token),
        old=old,
        trial=_trial(visit, made, token),
        **_choices(visit),
    )


def _trial(visit: Visit, made: NewToken, token: TokenRow) -> str:
    """A line for any shell that tries the token out on this server and changes nothing: double quotes work in all."""
    base = quote(visit.link(f"/a/{_place(visit, token)}/api/v1"), safe="/:[]")
    credential = f'-H "Authorization: {made.authorization}"'
    if token.access_type is AccessType.CALLS_READ:
        return f'curl {credential} "{base}/me"'
    body = "buyer_converted=true&revenue=42.00&offer_converted=true"
    return f'curl -X POST {credential} -d "{body}" "{base}/calls/update_call/{NO_CALL}?dry_run=true"'


def _place(visit: Visit, token: TokenRow) -> str:
    """An account where the token counts: this one, if it does."""
    if token.access_type is AccessType.EVERYTHING:
        return token.account
    others = [account.subdomain for account in visit.accounts if account.id in token.accounts]
    return others[0] if others and visit.here.id not in token.accounts else visit.here.subdomain


def _choices(visit: Visit) -> dict[str, Any]:
    """What the forms of tokens offer."""
    zone = ZoneInfo(visit.here.time_zone)
    return {
        "access_types": [(each.value, each.label) for each in AccessType],
        "lasting": LASTING.items(),
        "today": visit.tools.now().astimezone(zone).date().isoformat(),
        "teams": [
            (team, [each.label for each in UPDATABLE if team in granting(visit.actor, each.name)])
            for team in visit.actor.teams
        ],
    }


def _row(visit: Visit, token: TokenRow) -> Row:
    may = [attribute.label for attribute in own_tokens.may_update(visit.actor, token)]
    return Row(token, own_tokens.state(token, visit.tools.now()), may)


def _wish(visit: Visit) -> Wish:
    return Wish(visit.text("description"), visit.text("access_type"), visit.text("networks"), visit.texts("account"))


def _lifetime(visit: Visit, lasts: str = "") -> Lifetime:
    """When the token is to expire, as typed, else as given."""
    return Lifetime(visit.text("lasts", lasts), visit.text("day"), visit.here.time_zone)


def _kept(visit: Visit, token: TokenRow) -> Draft:
    chosen = [str(number) for number in token.accounts]
    wish = Wish(token.description, token.access_type.value, "\n".join(token.networks), chosen)
    return Draft(wish, _lifetime(visit))


def _random(visit: Visit) -> tuple[bytes, bytes]:
    return visit.tools.random(), visit.tools.random()


def _find(section: Section, visit: Visit) -> TokenRow:
    return own_tokens.find(visit.tx, visit.who.id, section.kind, visit.request.path_params["token"])


def _pages(section: Section) -> tuple[Page, ...]:
    path = f"/a/{{account}}{section.path}"
    return (
        Page("GET", path, partial(list_page, section), Need.MEMBER),
        Page("GET", f"{path}/new", partial(show_new, section), Need.MEMBER),
        Page("POST", f"{path}/new", partial(create, section), Need.MEMBER),
        Page("GET", f"{path}/{{token}}", partial(show, section), Need.MEMBER),
        Page("POST", f"{path}/{{token}}", partial(change, section), Need.MEMBER),
        Page("GET", f"{path}/{{token}}/rotate", partial(show_rotate, section), Need.MEMBER),
        Page("POST", f"{path}/{{token}}/rotate", partial(rotate, section), Need.MEMBER),
        Page("GET", f"{path}/{{token}}/revoke", partial(show_revoke, section), Need.MEMBER),
        Page("POST", f"{path}/{{token}}/revoke", partial(revoke, section), Need.MEMBER),
    )


PAGES = tuple(page for section in SECTIONS for page in _pages(section))
