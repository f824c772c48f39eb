"""Check a postback: what its dry run would answer, step by step, before it is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from starlette.responses import Response

from ringback.console import told
from ringback.console.pages import Need, Page, Visit, render
from ringback.domain.access import EVERY_ATTRIBUTE, AccessType
from ringback.domain.answers import answer
from ringback.domain.receipts import (
    Outcome,
    changed_document,
    decided_document,
    patch_document,
    understood_document,
)
from ringback.services import checks
from ringback.services.checks import Check, Sender

SMALLEST = '{"buyer_converted": "true", "revenue": "42.00", "offer_converted": "true", "post_call_tokens": {}}'
"""The smallest body of the guide, with a value in it."""

_NOT_ANSWERED = frozenset({"receipt_id"})


def show(visit: Visit) -> Response:
    """The form."""
    senders = checks.list_senders(visit.tx, visit.actor)
    values = {"as": visit.query("as"), "type": AccessType.CALLS.value, "call": visit.query("call"), "ip": ""}
    return _page(visit, senders, {**values, "body": SMALLEST})


def check(visit: Visit) -> Response:
    """The decision, under the form that it was asked with; nothing is left of it."""
    senders = checks.list_senders(visit.tx, visit.actor)
    values = {name: visit.text(name) for name in ("as", "type", "call", "body", "ip")}
    sender = next((each for each in senders if each.name == values["as"]), None)
    if sender is None:
        return _page(visit, senders, values, errors={"as": "Choose whose postback it is."})
    access_type = AccessType(values["type"]) if values["type"] in set(AccessType) else AccessType.CALLS
    asked = Check(sender, access_type, values["call"], values["body"], values["ip"])
    outcome = checks.run(visit.tx, visit.here, asked, now=visit.tools.now(), new_id=visit.tools.new_id())
    return _page(visit, senders, values, outcome=outcome)


def _page(
    visit: Visit,
    senders: Sequence[Sender],
    values: Mapping[str, str],
    *,
    errors: Mapping[str, str] | None = None,
    outcome: Outcome | None = None,
) -> Response:
    return render(
        visit,
        "check/form.html",
        status=422 if errors else 200,
        options=[(each.name, _label(each)) for each in senders],
        types=[(each.value, each.label) for each in AccessType],
        values=values,
        errors=errors or {},
        made=None if outcome is None else _told(visit, outcome),
    )


def _label(sender: Sender) -> str:
    if sender.token is None:
        return f"{sender.user} (type as below)"
    return f"My token {sender.token.description} ({sender.token.access_type.label})"


def _told(visit: Visit, outcome: Outcome) -> dict[str, object]:
    """What the page says of an outcome: no more than its sender would be told, but to who runs the account."""
    runs_account = visit.actor.runs_account
    readable = EVERY_ATTRIBUTE if runs_account else outcome.decision.readable
    reading = outcome.update.reading
    problems = outcome.refusal.problems if outcome.refusal else ()
    read = {
        **understood_document(reading),
        "problems": [[each.field, each.code, dict(each.details)] for each in problems],
    }
    status, document = answer(outcome)
    body = msgspec.json.encode({name: value for name, value in document.items() if name not in _NOT_ANSWERED})
    return {
        "status": status,
        "code": outcome.code,
        "result": told.RESULTS[outcome.result],
        "understood": told.understood(read),
        "asked": told.asked(patch_document(reading.patch)),
        "ignored": reading.ignored,
        "decided": told.decided(outcome.code, decided_document(outcome), read, readable, runs_account=runs_account),
        "changes": told.changes(changed_document(outcome.applied.changes if outcome.applied else ()), readable),
        "call": outcome.call,
        "answer": msgspec.json.format(body, indent=2).decode(),
    }


PAGES = (
    Page("GET", "/a/{account}/check", show, Need.MEMBER),
    Page("POST", "/a/{account}/check", check, Need.MEMBER),
)
