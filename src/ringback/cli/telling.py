"""One update, told: in four blocks of plain words, and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from ringback.cli.invoking import line
from ringback.cli.printing import show
from ringback.domain import explanations
from ringback.domain.answers import iso
from ringback.domain.receipts import Result
from ringback.domain.waiting import Kind, State
from ringback.services.receipts import Listed, Opened, listed

_STYLES = {explanations.PASSED: "green", explanations.FAILED: "red", explanations.TO_DO: "bold"}


def tell(update: Opened, database: str | None) -> None:
    """Print what arrived, what we understood, how it was decided, what changed; and what to do, if there is."""
    receipt, payload = update.receipt, update.payload
    show(f"Update {receipt.id} of call {receipt.call_uuid or receipt.call_ref} in {update.account.subdomain}", "bold")
    show(f"{_at(receipt.received_at, update.account.time_zone)} · {receipt.result.value} · {receipt.code}")
    sender = receipt.user + (f" with the access token {update.token}" if update.token else "")
    arrived = (payload.method, payload.path, payload.content_type, payload.ip, sender, payload.body)
    _show_block("What arrived", explanations.arrived(*arrived))
    _show_block("What we understood", explanations.understood(payload.understood))
    _show_block("How it was decided", explanations.decided(receipt.code, receipt.decided))
    changed = explanations.changed(receipt.changed, dry_run=receipt.dry_run)
    _show_block("What changed", [*changed, *_what_next(update, database)])


def _show_block(title: str, lines: Sequence[str]) -> None:
    show()
    show(title, "bold cyan")
    for each in lines:
        show(f"  {each}", _STYLES.get(each[:1], ""))


def _what_next(update: Opened, database: str | None) -> list[str]:
    """What became of an update that was denied or early: the commands that cure it, while it waits."""
    waiting, receipt = update.waiting, update.receipt
    if waiting is None or receipt.result not in {Result.DENIED, Result.EARLY} or receipt.dry_run:
        return []
    if waiting.state is State.APPLIED:
        return [f"It was applied later, as update {waiting.applied_receipt_id}."]
    if waiting.state is not State.WAITING:
        return [f"It waits no longer: it is {waiting.state.value}."]
    until = f"It waits until {_at(waiting.expires_at, update.account.time_zone)}"
    if waiting.kind is Kind.EARLY:
        return [f"{until}, and is applied when its call is recorded."]
    where = ("--account", update.account.subdomain)
    cures = [
        line("team", "grant", *where, "--team", team, *updates, database=database)
        for team, updates in _missing(receipt.decided).items()
    ]
    cures.append(line("updates", "apply", waiting.id, *where, database=database))
    return [f"{until}. To grant and apply:", *(f"{explanations.TO_DO} {each}" for each in cures)]


def _at(moment: datetime, zone: str) -> str:
    return f"{moment.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S} {zone}"


def _missing(decided: explanations.Document) -> dict[str, list[str]]:
    """The options that grant what was missing, by team."""
    teams: dict[str, list[str]] = {}
    for name, _, team in decided.get("missing", ()):
        teams.setdefault(team, []).extend(("--update", name))
    return teams


def listed_document(each: Listed, time_zone: str) -> dict[str, Any]:
    """A line of a list as JSON."""
    document: dict[str, Any] = {
        "id": each.id,
        "call_uuid": each.call_uuid,
        "outcome": each.outcome,
        "code": each.code,
        "received_at": iso(each.received_at, time_zone),
        "user": each.user,
        "changed": changed_by_name(each.changed),
        "missing_permissions": each.missing_permissions,
        "dry_run": each.dry_run,
        "waiting": each.became and each.became.value,
    }
    if each.waiting is not None:
        document |= {"tries": each.waiting.tries, "waits_until": iso(each.waiting.expires_at, time_zone)}
    return document


def whole_document(update: Opened) -> dict[str, Any]:
    """The same with all that is kept of it."""
    payload, waiting = update.payload, update.waiting
    return {
        **listed_document(listed(update.receipt), update.account.time_zone),
        "account": update.account.subdomain,
        "arrived": {
            "method": payload.method,
            "path": payload.path,
            "content_type": payload.content_type,
            "ip": payload.ip,
            "body": payload.body.decode(errors="replace"),
        },
        "understood": payload.understood,
        "decided": update.receipt.decided,
        "waiting": waiting and {"id": waiting.id, "state": waiting.state, "tries": waiting.tries},
    }


def changed_by_name(rows: Sequence[Sequence[Any]]) -> dict[str, Any]:
    """What changed, by its name."""
    return {name: {"from": before, "to": after, "origin": origin} for name, before, after, origin in rows}
