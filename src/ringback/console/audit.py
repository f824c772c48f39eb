"""Audit log: who did what to what, and from what to what, in words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from ringback.console import told
from ringback.console.pages import Need, Page, Visit, render
from ringback.domain.decisions import read_uuid
from ringback.services.teams import SWITCHES
from ringback.store import audit
from ringback.store.audit import Deed

PATH = "/audit"
PAGE_LENGTH = 50
MOST_TOLD = 10
MOST_LISTED = 12

_NUMBER = re.compile(r"[0-9]{1,18}")


def list_deeds(visit: Visit) -> Response:
    """The log, newest first."""
    user, action, before = visit.query("user"), visit.query("action"), visit.query("before")
    deeds = audit.list_deeds(
        visit.tx,
        visit.here.id,
        user_id=int(user) if _NUMBER.fullmatch(user) else None,
        action=action,
        before=read_uuid(before) or "",
        limit=PAGE_LENGTH + 1,
    )
    shown = deeds[:PAGE_LENGTH]
    filters = {name: value for name, value in (("user", user), ("action", action)) if value}
    more = {**filters, "before": shown[-1].id} if len(deeds) > PAGE_LENGTH else {}
    return render(
        visit,
        "audit/list.html",
        lines=[(deed, verb(deed.action), lines(deed)) for deed in shown],
        doers=audit.list_doers(visit.tx, visit.here.id).items(),
        actions=[(each, title(each)) for each in audit.list_actions(visit.tx, visit.here.id)],
        filters=filters,
        most=MOST_TOLD,
        first_url=f"{visit.url(PATH)}?{urlencode(filters)}" if before else "",
        next_url=f"{visit.url(PATH)}?{urlencode(more)}" if more else "",
    )


def verb(action: str) -> str:
    """What was done, as ``User added`` for ``team.user_added``."""
    return action.partition(".")[2].replace("_", " ").capitalize()


def title(action: str) -> str:
    """The same, with what it was done to."""
    noun, _, done = action.partition(".")
    return f"{noun.replace('_', ' ').capitalize()}: {done.replace('_', ' ')}"


def lines(deed: Deed) -> list[str]:
    """The details of a line, in words."""
    details = deed.details
    before, after = details.get("before"), details.get("after")
    words = [f"{_label(name)}: {_worded(value)}" for name, value in details.items() if name not in {"before", "after"}]
    if isinstance(before, Mapping) or isinstance(after, Mapping):
        words += _differences(before or {}, after or {})
    return words


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for name in {**before, **after}:
        old, new = before.get(name), after.get(name)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from _differences(old, new)
        elif old != new:
            yield _difference(_label(name), old, new, was_known=old is not None)


def _difference(label: str, old: object, new: object, *, was_known: bool) -> str:
    return f"{label}: {_worded(old)} → {_worded(new)}" if was_known else f"{label}: {_worded(new)}"


def _worded(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{_label(name)} {_worded(each)}" for name, each in value.items()) or "none"
    if isinstance(value, list):
        rest = len(value) - MOST_LISTED
        words = [_worded(each) for each in value[:MOST_LISTED]] + ([f"{rest} more"] if rest > 0 else [])
        return ", ".join(words) or "none"
    return told.value(value)


def _label(name: str) -> str:
    return SWITCHES.get(name) or told.label(name)


PAGES = (Page("GET", f"/a/{{account}}{PATH}", list_deeds, Need.MANAGER),)
