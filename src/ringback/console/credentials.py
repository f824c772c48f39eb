"""Integrations > Credentials: the vault of what receivers want to see; a secret goes in, and is never shown again."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from starlette.responses import Response

from ringback.console.pages import Need, Page, Visit, field_errors, go, render
from ringback.domain.errors import Refusal
from ringback.domain.names import name_key
from ringback.domain.postbacks import BY_HOST
from ringback.domain.vault import Kind
from ringback.sealing import Seal
from ringback.services import vault as service
from ringback.services.vault import CredentialForm
from ringback.store import postbacks, vault
from ringback.store.vault import Sealed

PATH = "/credentials"
PAGE_LENGTH = 50
LABELS = {Kind.BASIC: "Basic", Kind.TOKEN: "Token", Kind.BEARER: "Bearer", Kind.HEADER: "A header of its own"}


def list_page(visit: Visit) -> Response:
    """The credentials of the account, by name."""
    after = visit.query("after")
    rows = vault.list_page(visit.tx, visit.here.id, after=after, limit=PAGE_LENGTH + 1)
    shown = rows[:PAGE_LENGTH]
    more = {"after": name_key(shown[-1].name)} if len(rows) > PAGE_LENGTH else {}
    return render(
        visit,
        "credentials/list.html",
        rows=shown,
        labels=LABELS,
        is_first=not after,
        next_url=f"{visit.url(PATH)}?{urlencode(more)}" if more else "",
    )


def show_new(visit: Visit) -> Response:
    """An empty form."""
    return _form(visit, CredentialForm("", Kind.BASIC.value, visit.query("host")))


def create(visit: Visit) -> Response:
    """Keep a credential."""
    form = _typed(visit)
    try:
        service.create(visit.tx, visit.acting, visit.done_ahead(Seal), form)
    except Refusal as refusal:
        return _form(visit, form, errors=field_errors(refusal))
    return go(visit.url(PATH), f"Credential {form.name} is kept. Its secret is never shown again.")


def show(visit: Visit) -> Response:
    """A credential's edit page."""
    kept = _find(visit)
    return _form(visit, CredentialForm(kept.name, kept.kind.value, kept.host), kept)


def change(visit: Visit) -> Response:
    """Save a credential."""
    kept, form = _find(visit), _typed(visit)
    if form.header and not form.value and form.kind == Kind.HEADER:
        return _form(visit, form, kept, {"value": "To change the header, give the secret again."})
    try:
        is_changed = service.change(visit.tx, visit.acting, visit.done_ahead(Seal), kept, form)
    except Refusal as refusal:
        return _form(visit, form, kept, field_errors(refusal))
    return go(visit.url(f"{PATH}/{kept.id}"), "Saved." if is_changed else "Nothing was different.")


def show_delete(visit: Visit) -> Response:
    """The question whether a credential is to be deleted, and which postbacks want it."""
    kept = _find(visit)
    users = [each for each in postbacks.list_postbacks(visit.tx, [visit.here.id]) if each.definition.credential]
    return render(
        visit,
        "credentials/delete.html",
        kept=kept,
        named=[each for each in users if each.definition.credential == str(kept.id)],
        by_host=[each for each in users if each.definition.credential == BY_HOST],
    )


def delete(visit: Visit) -> Response:
    """Forget a credential."""
    kept = _find(visit)
    service.remove(visit.tx, visit.acting, kept)
    return go(visit.url(PATH), f"Credential {kept.name} is deleted.")


def _form(
    visit: Visit, form: CredentialForm, kept: Sealed | None = None, errors: Mapping[str, str] | None = None
) -> Response:
    return render(
        visit,
        "credentials/edit.html",
        status=422 if errors else 200,
        form=form,
        kept=kept,
        kinds=[(each.value, label) for each, label in LABELS.items()],
        errors=errors or {},
    )


def _typed(visit: Visit) -> CredentialForm:
    return CredentialForm(*(visit.text(name) for name in ("name", "kind", "host", "value", "header")))


def _find(visit: Visit) -> Sealed:
    visit.hold_settings()
    kept = vault.find(visit.tx, visit.here.id, visit.number)
    if kept is None:
        raise Refusal("not_found", path=visit.request.url.path)
    return kept


def _find_seal(visit: Visit) -> Seal:
    """Ahead of the transaction: the key may have to be looked for in the database."""
    return visit.tools.find_seal()


_HERE = f"/a/{{account}}{PATH}"

PAGES = (
    Page("GET", _HERE, list_page, Need.OWNER),
    Page("GET", f"{_HERE}/new", show_new, Need.OWNER),
    Page("POST", f"{_HERE}/new", create, Need.OWNER, ahead=_find_seal),
    Page("GET", f"{_HERE}/{{number}}", show, Need.OWNER),
    Page("POST", f"{_HERE}/{{number}}", change, Need.OWNER, ahead=_find_seal),
    Page("GET", f"{_HERE}/{{number}}/delete", show_delete, Need.OWNER),
    Page("POST", f"{_HERE}/{{number}}/delete", delete, Need.OWNER),
)
