"""``ringback prune``, ``erase`` and ``erase-again``: what was kept long enough goes, and what is known of a person."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from math import ceil
from typing import TYPE_CHECKING, Annotated

import typer

from ringback import clock, entropy
from ringback.cli.options import AsJson, DatabaseUrl, InAccount
from ringback.cli.printing import show, show_json, show_table, with_progress
from ringback.domain.errors import Mistake
from ringback.domain.retention import ENDED, WORDS, spoken

if TYPE_CHECKING:
    from ringback.services.erasing import Erased
    from ringback.services.retention import Due
    from ringback.store.engine import Database


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (prune, erase):
        app.command()(command)
    app.command("erase-again")(erase_again)


def prune(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would be removed.")] = False,
    database: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Remove what has been kept as long as the settings say; a server does it by itself, too.

    Calls, conversions, amounts and the ledger of them are never removed.
    """
    from ringback.cli.databases import opened
    from ringback.services import housekeeping
    from ringback.services import retention as service
    from ringback.settings import read_settings

    retention, now = read_settings(database_url=database).retention, clock.now()
    with opened(database) as found:
        with found.read() as tx:
            dues = {due: service.count(tx, due) for due in service.list_due(tx, retention, now)}
        if not dry_run:
            _remove(found, dues)
        with found.write() as tx:
            removed = Counter((housekeeping.try_tidy if dry_run else housekeeping.tidy)(tx, now))
    for due, count in dues.items():
        removed[due.kind.value] += count
    kept = {kind.value: days for kind, days in retention.days.items()}
    if as_json:
        show_json([{"kind": kind, "kept_days": kept.get(kind), "removed": removed[kind]} for kind in _ABOUT])
        return
    rows = [
        (about, spoken(kept[kind]) if kind in kept else "until they end", removed[kind])
        for kind, about in _ABOUT.items()
    ]
    show_table(("What", "Kept", "Would be removed" if dry_run else "Removed"), rows, "")


_ABOUT: Mapping[str, str] = {**{kind.value: about for kind, about in WORDS.items()}, **ENDED}


def _remove(found: Database, dues: Mapping[Due, int]) -> None:
    """Remove what is due, in many short transactions."""
    from ringback.services import retention as service

    batches = [due for due, count in dues.items() for _ in range(ceil(count / service.AT_ONCE))]
    for due in with_progress(batches, "Removing"):
        with found.write() as tx:
            service.drop(tx, due)


def erase(
    *,
    account: InAccount,
    caller_number: Annotated[str | None, typer.Option(metavar="N", help="Every call of this caller.")] = None,
    call: Annotated[str | None, typer.Option(metavar="UUID", help="Only this call.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask; it can't be undone.")] = False,
    database: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Erase a person: number, contact fields and requests of his calls; conversions and amounts stay."""
    from ringback.cli.databases import opened
    from ringback.services import accounts, erasing

    if (caller_number is None) == (call is None):
        raise Mistake("give --caller-number N or --call UUID")
    with opened(database) as found:
        with found.read() as tx:
            place = accounts.find(tx, account)
            calls = erasing.find_calls(tx, place, caller_number=caller_number, uuid=call)
        if calls and not yes:
            _confirm(f"Erase the person of {len(calls)} {'call' if len(calls) == 1 else 'calls'} in {account}?")
        _erase(found, [(place.subdomain, uuid) for uuid in calls], as_json=as_json)


def erase_again(
    source: Annotated[str, typer.Argument(metavar="URL", help="The database whose erasures are to be repeated.")],
    *,
    database: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Erase again, after a backup was restored, whom another database says has been erased."""
    from ringback.cli.databases import opened
    from ringback.services import erasing

    with opened(source) as other, other.read() as tx:
        erased = erasing.list_erased(tx)
    with opened(database) as found:
        _erase(found, erased, as_json=as_json)


def _erase(found: Database, calls: Sequence[tuple[str, str]], *, as_json: bool) -> None:
    from ringback.services import erasing

    done: list[Erased] = []
    for subdomain, uuid in with_progress(calls, "Erasing"):
        with found.write() as tx:
            erased = erasing.erase(tx, subdomain, uuid, clock.now(), entropy.new_id)
        if erased is not None:
            done.append(erased)
    if as_json:
        show_json([asdict(each) for each in done])
        return
    for each in done:
        show(f"- the person of call {each.call} in {each.account}", "yellow")
        if each.open_deliveries:
            show(
                f"  Not delivered yet, and left as they are: {each.open_deliveries}. Deal with them, then erase again."
            )
    if not done:
        show("There is no such call.")


def _confirm(question: str) -> None:
    if not sys.stdin.isatty():
        raise Mistake("it can't be undone; say --yes")
    typer.confirm(question, abort=True)
