"""The settings of an account as its page changes them, noted in the audit log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from ringback.domain.names import UnfitError, read_name, read_time_zone
from ringback.services import audit
from ringback.services.audit import Actor
from ringback.services.fields import Fields
from ringback.store import accounts
from ringback.store.access import Account

LONGEST_RETRY = 86_400
COLUMNS = ("name", "time_zone", "reads_auth_token", "keeps_unknown_fields", "retry_seconds")


@dataclass(frozen=True, slots=True)
class SettingsForm:
    """What the settings are to be, as typed."""

    name: str
    time_zone: str
    reads_auth_token: bool
    keeps_unknown_fields: bool
    retry_seconds: str


def change(tx: Connection, actor: Actor, account: Account, form: SettingsForm) -> bool:
    """Make the settings what the form says; whether anything was different.

    Raises:
        Refusal: ``invalid_value`` with a problem for each field.
    """
    fields = Fields()
    wanted = {
        "name": fields.read("name", read_name, form.name),
        "time_zone": fields.read("time_zone", read_time_zone, form.time_zone),
        "reads_auth_token": form.reads_auth_token,
        "keeps_unknown_fields": form.keeps_unknown_fields,
        "retry_seconds": fields.read("retry_seconds", _read_seconds, form.retry_seconds),
    }
    fields.check()
    accounts.lock_settings(tx, account.id)
    before = _kept(accounts.find_account(tx, account.subdomain) or account)
    accounts.change_account(tx, account.id, **wanted)
    return audit.note_change(tx, actor, "settings.changed", f"settings of {account.name}", before, wanted)


def _kept(account: Account) -> Mapping[str, object]:
    return {column: getattr(account, column) for column in COLUMNS}


def _read_seconds(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text[:9]) <= LONGEST_RETRY and len(text) < 9):  # noqa: PLR2004
        raise UnfitError(f"write a number of seconds from 0 to {LONGEST_RETRY}")
    return int(text)
