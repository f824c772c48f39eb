"""Postbacks as callers of the API see them: who runs the account, with a token of type *Everything*."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from ringback.domain.access import AccessType
from ringback.domain.decisions import read_uuid
from ringback.domain.errors import Refusal
from ringback.domain.outgoing_webhooks import webhook_object
from ringback.domain.postbacks import Postback
from ringback.domain.queries import END, Paging
from ringback.domain.updates import UNSTORABLE
from ringback.services.access import Caller, check_reader
from ringback.store import postbacks, vault

_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Page:
    """Some postbacks, how many there are, and the number after which the next begin."""

    documents: Sequence[dict[str, object]]
    total: int
    next_number: int


def list_page(tx: Connection, caller: Caller, paging: Paging, now: datetime) -> Page:
    """The postbacks of the account, by number.

    Raises:
        Refusal: who is unknown or may not read here; ``may_not_see``.
    """
    found, names, time_zone = _open(tx, caller, now)
    if paging.is_over:
        return Page([], len(found), END)
    after, skipped = (0, paging.skipped) if paging.cursor is None else (paging.cursor, 0)
    rest = [each for each in found if each.id > after][skipped:]
    shown = rest[: paging.per_page]
    next_number = shown[-1].id if len(rest) > len(shown) else END
    return Page([webhook_object(each, names, time_zone) for each in shown], len(found), next_number)


def read(tx: Connection, caller: Caller, text: str, now: datetime) -> dict[str, object]:
    """The postback of this number or UUID.

    Raises:
        Refusal: who is unknown or may not read here; ``may_not_see``, ``not_there``.
    """
    found, names, time_zone = _open(tx, caller, now)
    uuid = read_uuid(text)
    for each in found:
        if text == str(each.id) or uuid == each.uuid:
            return webhook_object(each, names, time_zone)
    raise Refusal("not_there", noun="outgoing webhook", value=UNSTORABLE.sub("\ufffd", text)[:_SHOWN])


def _open(tx: Connection, caller: Caller, now: datetime) -> tuple[list[Postback], dict[str, str], str]:
    """Every postback, by number (an account has few of them), the names of credentials, and the time zone."""
    account, principal = check_reader(tx, caller, now)
    token = principal.token
    if not principal.runs_account or token is None or token.access_type is not AccessType.EVERYTHING:
        raise Refusal("may_not_see", nouns="outgoing webhooks", way="everything")
    names = {str(each.id): each.name for each in vault.list_credentials(tx, [account.id])}
    return postbacks.list_postbacks(tx, [account.id]), names, account.time_zone
