"""``ringback updates``: what arrived, what became of it, and applying what was refused."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringback import clock, entropy
from ringback.cli.options import AsJson, DatabaseUrl, InAccount, PerhapsInAccount
from ringback.cli.printing import is_terminal, show, show_json, show_table
from ringback.domain import explanations
from ringback.domain.receipts import Outcome, Result, changed_document
from ringback.domain.waiting import State, Waiting
from ringback.services.accounts import Mistake

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ringback.services.receipts import Listed, Opened
    from ringback.store.engine import Database

app = typer.Typer(name="updates", help="What arrived, what became of it, and applying what was refused.")

AT_ONCE = 50
"""Waiting updates that are applied in one transaction."""

_STYLES = {explanations.PASSED: "green", explanations.FAILED: "red", explanations.TO_DO: "bold"}


@app.command("list")
def list_updates(
    *,
    account: InAccount,
    outcome: Annotated[
        Result | None, typer.Option(help="What became of them; denied and early ones are those that wait.")
    ] = None,
    call: Annotated[str | None, typer.Option(metavar="UUID", help="Only of this call.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 50,
    database: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """List updates, newest first; of those that wait, oldest first."""
    from ringback.cli.databases import opened
    from ringback.domain.answers import iso
    from ringback.domain.decisions import read_uuid
    from ringback.services import accounts, receipts

    if call is not None and read_uuid(call) is None:
        raise Mistake(f"{call} is not the UUID of a call")
    with opened(database) as found, found.read() as tx:
        place = accounts.find(tx, account)
        uuid = read_uuid(call) if call else None
        rows = receipts.list_updates(tx, place, outcome=outcome, call_uuid=uuid, limit=limit)
    if as_json:
        show_json([_document(each, place.time_zone) for each in rows])
        return
    table = [
        (
            each.id,
            iso(each.received_at, place.time_zone),
            each.outcome,
            each.code,
            each.user,
            each.call_uuid,
            _brief(each),
        )
        for each in rows
    ]
    columns = ("Id", "Received", "Outcome", "Code", "User", "Call", "What")
    show_table(columns, table, "Nothing waits." if outcome in receipts.WAITING else "There is no such update.")


@app.command("show")
def show_update(
    update_id: Annotated[str, typer.Argument(metavar="ID", help="Its receipt_id.")],
    *,
    account: PerhapsInAccount = None,
    database: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Show what arrived, what we understood, how it was decided, and what changed."""
    from ringback.cli.databases import opened
    from ringback.domain.answers import iso
    from ringback.services import receipts

    with opened(database) as found, found.read() as tx:
        update = receipts.find(tx, update_id, account)
    receipt, payload = update.receipt, update.payload
    if as_json:
        show_json(_whole(update))
        return
    show(f"Update {receipt.id} of call {receipt.call_uuid or receipt.call_ref} in {update.account.subdomain}", "bold")
    show(f"{iso(receipt.received_at, update.account.time_zone)} · {receipt.result.value} · {receipt.code}")
    sender = receipt.user + (f" with the access token {update.token}" if update.token else "")
    arrived = (payload.method, payload.path, payload.content_type, payload.ip, sender, payload.body)
    _show_block("What arrived", explanations.arrived(*arrived))
    _show_block("What we understood", explanations.understood(payload.understood))
    _show_block("How it was decided", explanations.decided(receipt.code, receipt.decided))
    changed = explanations.changed(receipt.changed, dry_run=receipt.dry_run)
    _show_block("What changed", [*changed, *_what_to_do(update)])


@app.command()
def apply(
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID…]", help="Updates that wait.")] = None,
    *,
    account: PerhapsInAccount = None,
    all_denied_for: Annotated[
        str | None, typer.Option(metavar="TEAM", help="Those denied to people of this team; needs --account.")
    ] = None,
    override_later: Annotated[
        bool, typer.Option("--override-later", help="Also where a later update has changed the value since.")
    ] = False,
    database: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Apply updates that were refused, with today's rights, in the order in which they came.

    Exit code 1 if any is refused again; it goes on waiting.
    """
    from ringback.cli.databases import opened

    if bool(ids) == bool(all_denied_for):
        raise Mistake("give ids of updates, or --all-denied-for TEAM")
    with opened(database) as found:
        with found.read() as tx:
            due = _due(tx, ids or (), all_denied_for, account)
        made = list(_apply(found, due, overrides_later=override_later))
    if as_json:
        show_json([_applied(*each) for each in made])
    else:
        for waiting, outcome in made:
            _show_applied(waiting, outcome)
        if not made:
            show("Nothing waits.")
    if any(outcome.refusal for _, outcome in made):
        raise typer.Exit(1)


def _due(tx: Connection, ids: Sequence[str], team: str | None, subdomain: str | None) -> list[Waiting]:
    """What is to be applied, in its order."""
    from ringback.services import accounts, receipts

    if team is not None:
        if subdomain is None:
            raise Mistake("--all-denied-for needs --account")
        return receipts.denied_for(tx, accounts.find(tx, subdomain), team)
    due = []
    for each in ids:
        waiting = receipts.find(tx, each, subdomain).waiting
        if waiting is None or waiting.state is not State.WAITING:
            became = f"; it is {waiting.state.value}" if waiting else ""
            raise Mistake(f"the update {each} does not wait{became}")
        due.append(waiting)
    return receipts.in_order(due)


def _apply(database: Database, due: Sequence[Waiting], *, overrides_later: bool) -> Iterator[tuple[Waiting, Outcome]]:
    from ringback.services import waiting as service

    for batch in _with_progress([due[start : start + AT_ONCE] for start in range(0, len(due), AT_ONCE)]):
        for account_id in dict.fromkeys(each.account_id for each in batch):
            ids = [each.id for each in batch if each.account_id == account_id]
            with database.write() as tx:
                made = service.apply(
                    tx, account_id, ids, now=clock.now(), new_id=entropy.new_id, overrides_later=overrides_later
                )
            yield from made


def _with_progress(batches: list[Sequence[Waiting]]) -> Iterator[Sequence[Waiting]]:
    if len(batches) < 2 or not is_terminal():  # noqa: PLR2004 - one is done before anybody looks
        return iter(batches)
    from rich.progress import track

    return iter(track(batches, description="Applying", transient=True))


def _show_applied(waiting: Waiting, outcome: Outcome) -> None:
    where = f"{waiting.id} of call {waiting.call_uuid}"
    if outcome.refusal is not None:
        show(f"{explanations.FAILED} {where}: {outcome.refusal.title}", "red")
        return
    changes = changed_document(outcome.applied.changes if outcome.applied else ())
    show(f"{explanations.PASSED} {where}", "green")
    for line in [*explanations.changed(changes), *(warned.message for warned in outcome.all_warnings)]:
        show(f"    {line}")


def _applied(waiting: Waiting, outcome: Outcome) -> dict[str, Any]:
    changes = changed_document(outcome.applied.changes if outcome.applied else ())
    return {
        "id": waiting.id,
        "receipt_id": outcome.update.receipt_id,
        "call_uuid": waiting.call_uuid,
        "outcome": outcome.result.value,
        "code": outcome.code,
        "changed": _changes(changes),
    }


def _show_block(title: str, lines: Sequence[str]) -> None:
    show()
    show(title, "bold cyan")
    for line in lines:
        show(f"  {line}", _STYLES.get(line[:1], ""))


def _what_to_do(update: Opened) -> list[str]:
    """The commands that cure what was denied, if it still waits."""
    waiting, receipt = update.waiting, update.receipt
    if waiting is None or waiting.state is not State.WAITING or receipt.result not in {Result.DENIED, Result.EARLY}:
        return []
    told = [
        f"It waits until {waiting.expires_at:%Y-%m-%d %H:%M} UTC"
        + ("." if receipt.result is Result.DENIED else "; it is applied when its call is recorded.")
    ]
    where = f"--account {update.account.subdomain}"
    for team, names in _missing_by_team(receipt.decided).items():
        updates = " ".join(f"--update {name}" for name in names)
        told.append(f"{explanations.TO_DO} ringback team grant {where} --team {shlex.quote(team)} {updates}")
    if receipt.result is Result.DENIED:
        told.append(f"{explanations.TO_DO} ringback updates apply {where} {waiting.id}")
    return told


def _missing_by_team(decided: explanations.Document) -> dict[str, list[str]]:
    teams: dict[str, list[str]] = {}
    for name, _, team in decided.get("missing", ()):
        teams.setdefault(team, []).append(name)
    return teams


def _brief(each: Listed) -> str:
    tries = f"{each.waiting.tries} tries" if each.waiting else ""
    missing = ", ".join(f"{right['attribute']} ({right['team']})" for right in each.missing_permissions)
    dry = "dry run" if each.dry_run else ""
    changed = "" if each.dry_run else "; ".join(explanations.changed(each.changed) if each.changed else ())
    return "; ".join(filter(None, (dry, f"lacks {missing}" if missing else "", changed, tries)))


def _document(each: Listed, time_zone: str) -> dict[str, Any]:
    from ringback.domain.answers import iso

    document: dict[str, Any] = {
        "id": each.id,
        "call_uuid": each.call_uuid,
        "outcome": each.outcome,
        "code": each.code,
        "received_at": iso(each.received_at, time_zone),
        "user": each.user,
        "changed": _changes(each.changed),
        "missing_permissions": each.missing_permissions,
        "dry_run": each.dry_run,
    }
    if each.waiting is not None:
        document |= {"tries": each.waiting.tries, "waits_until": iso(each.waiting.expires_at, time_zone)}
    return document


def _whole(update: Opened) -> dict[str, Any]:
    from ringback.services.receipts import listed

    payload, waiting = update.payload, update.waiting
    return {
        **_document(listed(update.receipt), update.account.time_zone),
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


def _changes(rows: Sequence[Sequence[Any]]) -> dict[str, Any]:
    return {name: {"from": before, "to": after, "origin": origin} for name, before, after, origin in rows}
