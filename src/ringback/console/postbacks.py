"""Integrations > Postbacks: the rules by which others are told of calls, written and tried with real calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from ringback.console import postback_forms, previews
from ringback.console.pages import Need, Page, Visit, go, render
from ringback.console.postback_forms import Typed
from ringback.domain import conditions
from ringback.domain.compiling import BODY_KINDS, METHODS
from ringback.domain.deliveries import State
from ringback.domain.dialects import convert
from ringback.domain.errors import Problem, Refusal
from ringback.domain.names import name_key
from ringback.domain.postbacks import BY_HOST, TRIGGER_LABELS, Definition, Owner, Postback, Version
from ringback.domain.presets import PRESETS
from ringback.sealing import Seal
from ringback.services import postbacks as service
from ringback.services.postbacks import PostbackForm
from ringback.store import call_search, delivery_search, partners, postbacks, signing, vault
from ringback.store.delivery_search import Wanted

PATH = "/postbacks"
PAGE_LENGTH = 50
MOST_PARTNERS = 500
"""How many partners of a kind a list to choose from offers."""

NEWEST = 10
"""How many calls are offered to look at."""

MOST_COUNTED = 1_000
OPEN = (State.PENDING, State.RETRYING, State.HELD)
"""The states of deliveries that are given up when their postback is deleted."""

KINDS = {"json": "JSON", "form": "Form fields", "text": "Text", "none": "No body"}
NOUNS = {Owner.BUYER: "Buyers", Owner.TRAFFIC_SOURCE: "Traffic Sources", Owner.OFFER: "Offers"}


def list_page(visit: Visit) -> Response:
    """The postbacks of the account, by name."""
    search, after = visit.query("q"), visit.query("after")
    rows = postbacks.list_page(visit.tx, visit.here.id, after=after, search=search, limit=PAGE_LENGTH + 1)
    shown = rows[:PAGE_LENGTH]
    more = {"q": search, "after": name_key(shown[-1].name)} if len(rows) > PAGE_LENGTH else {}
    return render(
        visit,
        "postbacks/list.html",
        rows=[(each, _owner_name(visit, each), _host(each.definition)) for each in shown],
        triggers=TRIGGER_LABELS,
        search=search,
        is_first=not after,
        next_url=f"{visit.url(PATH)}?{urlencode(more)}" if more else "",
    )


def show_new(visit: Visit) -> Response:
    """What to begin with; once that is chosen, the form."""
    preset = next((each for each in PRESETS if each.key == visit.query("preset")), None)
    if preset is None:
        return render(visit, "postbacks/presets.html", presets=PRESETS, owner=visit.query("owner"))
    fields = postback_forms.write(PostbackForm("", preset.trigger.value, preset.definition))
    return _form(visit, {**fields, "owner": visit.query("owner") or Owner.ACCOUNT.value}, about=preset.about)


def create(visit: Visit) -> Response:
    """Make a postback."""
    fields = _sent(visit)
    if visit.text("do") in {"preview", "convert"}:
        return _form(visit, fields)
    form = postback_forms.read(fields)
    try:
        made = service.create(visit.tx, visit.acting, form)
    except Refusal as refusal:
        return _form(visit, fields, errors=_errors(refusal))
    told_twice = _told_twice(visit, form, made.id)
    if told_twice:
        return _form(visit, fields, told_twice=told_twice)
    return go(_url(visit, made), f"Postback {made.name} was made. It sends from now on.")


def preview(visit: Visit) -> Response:
    """What a form would send: a part of a page, asked for while the form is filled in."""
    fields = postback_forms.typed(visit)
    return render(visit, "postbacks/preview.html", fields=fields, preview=previews.preview(visit, fields), **_words())


def show_tokens(visit: Visit) -> Response:
    """The template tokens with the values of a call: a part of a page."""
    try:
        call = previews.find_call(visit, visit.query("call"))
    except Refusal:
        call = None
    return render(visit, "postbacks/tokens.html", picks=previews.list_picks(visit, call), call=call)


def show(visit: Visit) -> Response:
    """A postback's edit page; with a version of it in place of the present one, if that is asked for."""
    postback = _find(visit)
    version = _version(visit, postback, visit.query("version"))
    return _form(visit, postback_forms.write(_kept(postback, version.definition)), postback, shown=version.number)


def change(visit: Visit) -> Response:
    """Save a postback."""
    postback, fields = _find(visit), _sent(visit)
    if visit.text("do") in {"preview", "convert"}:
        return _form(visit, fields, postback)
    return _save(visit, postback, fields)


def go_back(visit: Visit) -> Response:
    """Save what a version of a postback was, as its newest version."""
    postback = _find(visit)
    version = _version(visit, postback, visit.text("version"))
    return _save(visit, postback, postback_forms.write(_kept(postback, version.definition)))


def _save(visit: Visit, postback: Postback, fields: Typed) -> Response:
    form = postback_forms.read(fields)
    try:
        is_changed = service.change(visit.tx, visit.acting, postback, form)
    except Refusal as refusal:
        return _form(visit, fields, postback, errors=_errors(refusal))
    told_twice = _told_twice(visit, form, postback.id) if is_changed else []
    if told_twice:
        return _form(visit, fields, postback, told_twice=told_twice)
    return go(_url(visit, postback), f"Saved.{_open(visit, postback)}" if is_changed else "Nothing was different.")


def _open(visit: Visit, postback: Postback) -> str:
    """What a person may want to send again as the postback is now."""
    count = sum(
        delivery_search.count(
            visit.tx,
            visit.here.id,
            Wanted(state=state, postback_id=postback.id, is_test=False),
            most=MOST_COUNTED,
        )
        for state in (State.HELD, State.FAILED)
    )
    if not count:
        return ""
    words = "1 of its deliveries is" if count == 1 else f"{count:,} of its deliveries are"
    return f" {words} held or failed: “Send again” there makes them of the postback as it is now."


def pause(visit: Visit) -> Response:
    """Pause a postback, or let it go on."""
    postback, pauses = _find(visit), bool(visit.text("pauses"))
    service.pause(visit.tx, visit.acting, postback, pauses=pauses)
    done = "is paused: its deliveries wait." if pauses else "goes on: what waited is sent now."
    return go(_url(visit, postback), f"Postback {postback.name} {done}")


def show_delete(visit: Visit) -> Response:
    """The question whether a postback is to be deleted, and what is given up then."""
    postback = _find(visit)
    left = [
        (
            state.value,
            delivery_search.count(
                visit.tx, visit.here.id, Wanted(state=state, postback_id=postback.id), most=MOST_COUNTED
            ),
        )
        for state in OPEN
    ]
    return render(
        visit, "postbacks/delete.html", postback=postback, left=[each for each in left if each[1]], most=MOST_COUNTED
    )


def delete(visit: Visit) -> Response:
    """Delete a postback."""
    postback = _find(visit)
    given_up = service.remove(visit.tx, visit.acting, postback)
    rest = f" {given_up} of its deliveries were given up." if given_up else ""
    return go(visit.url(PATH), f"Postback {postback.name} is deleted.{rest}")


def make_secret(visit: Visit) -> Response:
    """Make the secret that signs the deliveries of a postback, and show it: now and never again."""
    postback, seal = _find(visit), visit.done_ahead(Seal)
    is_first = not _has_secret(visit, postback)
    secret = service.make_signing_secret(visit.tx, visit.acting, seal, postback, visit.tools.random())
    return render(visit, "postbacks/secret.html", postback=postback, secret=secret, is_first=is_first)


def test_fire(visit: Visit) -> Response:
    """Send a postback once for a call, and show what came of it."""
    postback = _find(visit)
    try:
        call = previews.find_call(visit, visit.text("call"))
        if call is None:
            reason = {"reason": "Choose a call to send it for"}
            raise Refusal("invalid_value", problems=[Problem("call", "invalid_value", reason)])  # noqa: TRY301
        delivery_id = service.fire(visit.tx, visit.acting, postback, visit.here, call)
    except Refusal as refusal:
        problem = refusal.problems[0].message if refusal.problems else refusal.title
        fields = postback_forms.write(_kept(postback, postback.definition))
        return _form(visit, fields, postback, errors={"test": problem}, status=refusal.code.status)
    return go(visit.url(f"/deliveries/{delivery_id}"), "The test is on its way.")


def _form(
    visit: Visit,
    fields: Typed,
    postback: Postback | None = None,
    *,
    errors: Mapping[str, str] | None = None,
    told_twice: list[Postback] | None = None,
    shown: int | None = None,
    about: str = "",
    status: int = 200,
) -> Response:
    if status == 200:  # noqa: PLR2004 - unless it is another
        status = 422 if errors else 409 if told_twice else 200
    looked_at = previews.preview(visit, fields)
    account_id = visit.here.id
    return render(
        visit,
        "postbacks/edit.html",
        status=status,
        postback=postback,
        fields=fields,
        rows=postback_forms.offered_rows(fields),
        errors=errors or {},
        told_twice=told_twice or [],
        about=about,
        shown=shown,
        preview=looked_at,
        picks=previews.list_picks(visit, looked_at.call),
        owners=_owners(visit, fields["owner"]),
        credentials=[
            (str(each.id), f"{each.name} ({each.host})") for each in vault.list_credentials(visit.tx, [account_id])
        ],
        newest=call_search.list_page(visit.tx, account_id, call_search.Wanted(), limit=NEWEST).calls,
        versions=postbacks.list_versions(visit.tx, account_id, postback.id) if postback else [],
        has_secret=postback is not None and _has_secret(visit, postback),
        **_words(),
    )


def _words() -> dict[str, Any]:
    """What the lists to choose from offer."""
    return {
        "triggers": [(each.value, label) for each, label in TRIGGER_LABELS.items()],
        "methods": [(each, each) for each in METHODS],
        "kinds": [(each, KINDS[each]) for each in BODY_KINDS],
        "operators": conditions.OPERATORS.items(),
        "by_host": BY_HOST,
        "labels": previews.LABELS,
    }


def _sent(visit: Visit) -> dict[str, str]:
    """The form as it was sent, with the tokens of other platforms written as ours if that is what was wished."""
    fields = postback_forms.typed(visit)
    if visit.text("do") == "convert":
        fields |= {name: convert(fields[name]) for name in ("url", "headers", "body")}
    return fields


def _told_twice(visit: Visit, form: PostbackForm, number: int) -> list[Postback]:
    """The postbacks that tell the same receiver of the same event, unless the person knows."""
    return [] if visit.text("do") == "twice" else service.overlapping(visit.tx, visit.here.id, form, number)


def _owners(visit: Visit, chosen: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """Whose calls a postback can be for, in groups."""
    groups = []
    for owner, title in NOUNS.items():
        rows = partners.list_page(visit.tx, visit.here.id, owner.value, after="", search="", limit=MOST_PARTNERS)
        options = {f"{owner}-{row['id']}": row["name"] for row in rows}
        noun, _, number = chosen.partition("-")
        if noun == owner and chosen not in options and number.isdigit():
            found = partners.names(visit.tx, visit.here.id, noun, [int(number[:18])])
            options |= {f"{noun}-{each}": name for each, name in found.items()}
        if options:
            groups.append((title, list(options.items())))
    return groups


def _owner_name(visit: Visit, postback: Postback) -> str:
    if postback.owner_id is None:
        return ""
    found = partners.names(visit.tx, visit.here.id, postback.owner.value, [postback.owner_id])
    return found.get(postback.owner_id, "")


def _host(definition: Definition) -> str:
    """The host as it stands in the URL, template tokens and all."""
    return definition.url.partition("://")[2].partition("/")[0].partition("?")[0]


def _kept(postback: Postback, definition: Definition) -> PostbackForm:
    return PostbackForm(postback.name, postback.trigger.value, definition, postback.owner.value, postback.owner_id)


def _version(visit: Visit, postback: Postback, number: str) -> Version:
    found = postbacks.list_versions(visit.tx, visit.here.id, postback.id)
    wanted = number or str(postback.version)
    version = next((each for each in found if str(each.number) == wanted), None)
    if version is None:
        raise Refusal("not_found", path=visit.request.url.path)
    return version


def _has_secret(visit: Visit, postback: Postback) -> bool:
    now = visit.tools.now()
    return any(each.postback_id == postback.id for each in signing.list_valid(visit.tx, [visit.here.id], now))


def _errors(refusal: Refusal) -> dict[str, str]:
    """What is wrong, by field; where several things are wrong with one, all of them."""
    errors: dict[str, str] = {}
    for problem in refusal.problems:
        errors[problem.field] = f"{errors.get(problem.field, '')} {problem.message}".strip()
    return errors or {"form": refusal.title}


def _find(visit: Visit) -> Postback:
    visit.hold_settings()
    postback = postbacks.find(visit.tx, visit.here.id, visit.number)
    if postback is None:
        raise Refusal("not_found", path=visit.request.url.path)
    return postback


def _url(visit: Visit, postback: Postback) -> str:
    return visit.url(f"{PATH}/{postback.id}")


_HERE = f"/a/{{account}}{PATH}"
_ONE = f"{_HERE}/{{number}}"

PAGES = (
    Page("GET", _HERE, list_page, Need.MANAGER),
    Page("GET", f"{_HERE}/new", show_new, Need.MANAGER),
    Page("POST", f"{_HERE}/new", create, Need.MANAGER),
    Page("POST", f"{_HERE}/preview", preview, Need.MANAGER, reads=True),
    Page("GET", f"{_HERE}/tokens", show_tokens, Need.MANAGER),
    Page("GET", _ONE, show, Need.MANAGER),
    Page("POST", _ONE, change, Need.MANAGER),
    Page("POST", f"{_ONE}/pause", pause, Need.MANAGER),
    Page("POST", f"{_ONE}/back", go_back, Need.MANAGER),
    Page("POST", f"{_ONE}/test", test_fire, Need.MANAGER),
    Page("POST", f"{_ONE}/secret", make_secret, Need.MANAGER, ahead=lambda visit: visit.tools.find_seal()),
    Page("GET", f"{_ONE}/delete", show_delete, Need.MANAGER),
    Page("POST", f"{_ONE}/delete", delete, Need.MANAGER),
)
