"""``ringback updates``: what arrived, what became of it, and applying what was refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from ringback import clock, entropy
from ringback.cli.options import AsJson, DatabaseUrl, InAccount, PerhapsInAccount
from ringback.cli.printing import is_terminal, show, show_json, show_table, with_progress
from ringback.domain import explanations
from ringback.domain.errors import Mistake
from ringback.domain.receipts import Outcome, Result, changed_document, moved_document
from ringback.domain.waiting import State, Waiting

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ringback.services.receipts import Listed
    from ringback.store.engine import Database

app = typer.Typer(name="updates", help="What arrived, what became of it, and applying what was refused.")

AT_ONCE = 50
"""Waiting updates that are applied in one transaction."""


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
    from ringback.cli.telling import listed_document
    from ringback.domain.decisions import read_uuid
    from ringback.services import accounts, receipts

    if call is not None and read_uuid(call) is None:
        raise Mistake(f"{call} is not the UUID of a call")
    with opened(database) as found, found.read() as tx:
        place = accounts.find(tx, account)
        uuid = read_uuid(call) if call else None
        rows = receipts.list_updates(tx, place, outcome=outcome, call_uuid=uuid, limit=limit)
    if as_json:
        show_json([listed_document(each, place.time_zone) for each in rows])
        return
    zone = ZoneInfo(place.time_zone)
    table = [
        (
            each.id,
            f"{each.received_at.astimezone(zone):%Y-%m-%d %H:%M:%S}",
            _outcome(each),
            each.user,
            f"{each.call_uuid[:8]}…" if is_terminal() and each.call_uuid else each.call_uuid,
            _brief(each),
        )
        for each in rows
    ]
    columns = ("Id", "Received", "Outcome", "User", "Call", "What")
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
    from ringback.cli.telling import tell, whole_document
    from ringback.services import receipts

    with opened(database) as found, found.read() as tx:
        update = receipts.find(tx, update_id, account)
    if as_json:
        show_json(whole_document(update))
    else:
        tell(update, database)


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

    for batch in with_progress([due[start : start + AT_ONCE] for start in range(0, len(due), AT_ONCE)], "Applying"):
        for account_id in dict.fromkeys(each.account_id for each in batch):
            ids = [each.id for each in batch if each.account_id == account_id]
            with database.write() as tx:
                made = service.apply(
                    tx, account_id, ids, now=clock.now(), new_id=entropy.new_id, overrides_later=overrides_later
                )
            yield from made


def _show_applied(waiting: Waiting, outcome: Outcome) -> None:
    where = f"{waiting.id} of call {waiting.call_uuid}"
    if outcome.refusal is not None:
        show(f"{explanations.FAILED} {where}: {outcome.refusal.title}", "red")
        return
    changes = _changes(outcome)
    show(f"{explanations.PASSED} {where}", "green")
    for line in [*explanations.changed(changes), *(warned.message for warned in outcome.all_warnings)]:
        show(f"    {line}")


def _applied(waiting: Waiting, outcome: Outcome) -> dict[str, Any]:
    from ringback.cli.telling import changed_by_name

    return {
        "id": waiting.id,
        "receipt_id": outcome.update.receipt_id,
        "call_uuid": waiting.call_uuid,
        "outcome": outcome.result.value,
        "code": outcome.code,
        "changed": changed_by_name(_changes(outcome)),
    }


def _changes(outcome: Outcome) -> list[list[object]]:
    return changed_document(outcome.applied.changes if outcome.applied else ()) + moved_document(outcome)


def _outcome(each: Listed) -> str:
    """What became of an update, and later of one that had to wait."""
    if each.became in (None, State.WAITING):
        return each.outcome
    return f"{each.outcome}, {'applied later' if each.became is State.APPLIED else each.became.value}"


def _brief(each: Listed) -> str:
    """What there is to say of an update in a few words."""
    missing = ", ".join(f"{right['attribute']} ({right['team']})" for right in each.missing_permissions)
    told = ["dry run"] if each.dry_run else explanations.changed(each.changed) if each.changed else []
    if missing:
        told.append(f"lacks {missing}")
    elif each.code not in {each.outcome, "recorded"}:
        told.append(each.code)
    if each.waiting is not None and each.waiting.tries > 1:
        told.append(f"{each.waiting.tries} tries")
    return "; ".join(told)
