"""Company > Settings: the name of the company, its time zone, and how leniently its updates are read."""

from __future__ import annotations

from dataclasses import fields
from zoneinfo import available_timezones

from starlette.responses import Response

from ringback.console.pages import Need, Page, Visit, field_errors, go, render
from ringback.domain.errors import Refusal
from ringback.domain.retention import WORDS, spoken
from ringback.services import account_settings
from ringback.services.account_settings import SettingsForm
from ringback.store import accounts

PATH = "/settings"


def show(visit: Visit) -> Response:
    """The page."""
    kept = {each.name: getattr(visit.here, each.name) for each in fields(SettingsForm)}
    return _form(visit, SettingsForm(**{**kept, "retry_seconds": str(visit.here.retry_seconds)}))


def save(visit: Visit) -> Response:
    """Save the settings."""
    form = SettingsForm(
        name=visit.text("name"),
        time_zone=visit.text("time_zone"),
        reads_auth_token=bool(visit.text("reads_auth_token")),
        keeps_unknown_fields=bool(visit.text("keeps_unknown_fields")),
        retry_seconds=visit.text("retry_seconds"),
    )
    try:
        is_changed = account_settings.change(visit.tx, visit.acting, visit.here, form)
    except Refusal as refusal:
        return _form(visit, form, field_errors(refusal))
    return go(visit.url(PATH), "Saved." if is_changed else "Nothing was different.")


def _form(visit: Visit, form: SettingsForm, errors: dict[str, str] | None = None) -> Response:
    return render(
        visit,
        "settings/show.html",
        status=422 if errors else 200,
        form=form,
        errors=errors or {},
        zones=[(zone, zone.replace("_", " ")) for zone in sorted({*available_timezones(), form.time_zone})],
        kept=[(WORDS[kind], spoken(days)) for kind, days in visit.tools.retention.days.items()],
        currency=accounts.currency_of(visit.tx, visit.here.id),
    )


PAGES = (
    Page("GET", f"/a/{{account}}{PATH}", show, Need.OWNER),
    Page("POST", f"/a/{{account}}{PATH}", save, Need.OWNER),
)
