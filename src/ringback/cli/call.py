"""``ringback call``: recording a call and looking at one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringback import clock, entropy
from ringback.cli.options import AsJson, DatabaseUrl, InAccount
from ringback.cli.printing import show, show_json, show_table
from ringback.domain.attributes import ATTRIBUTES, TEXTS
from ringback.domain.errors import Mistake

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringback.domain.calls import Entry

app = typer.Typer(name="call", help="Recording a call and looking at one.")


@app.command()
def record(  # noqa: PLR0913 - what may be known of a call
    *,
    account: InAccount,
    caller_number: Annotated[str, typer.Option(metavar="NUMBER", help="As +17195550123.")],
    buyer: Annotated[str | None, typer.Option(help="Number, UUID or name.")] = None,
    offer: Annotated[str | None, typer.Option(help="The same.")] = None,
    traffic_source: Annotated[str | None, typer.Option(help="The same.")] = None,
    uuid: Annotated[str | None, typer.Option(help="Default: a new one.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A token value or attribute; repeatable.")
    ] = None,
    database: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Record a call, in the name of an owner of the account."""
    from ringback.cli.databases import opened
    from ringback.services import byhand

    named = {"caller_number": caller_number, "buyer": buyer, "offer": offer, "uuid": uuid}
    values = {**_pairs(settings or []), **named, "traffic_source": traffic_source}
    fields = {name: value for name, value in values.items() if value is not None}
    with opened(database) as found, found.write() as tx:
        shown = byhand.record(
            tx, account, fields, now=clock.now(), new_uuid=entropy.new_call_uuid(), new_id=entropy.new_id
        )
    if as_json:
        show_json(shown.document)
        return
    show(f"The call {shown.call.uuid} is recorded.")
    _show_call(shown.document)


@app.command("show")
def show_call(
    uuid: Annotated[str, typer.Argument(metavar="UUID", help="UUID of the call.")],
    *,
    account: InAccount,
    database: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Show a call and its timeline."""
    from ringback.cli.databases import opened
    from ringback.domain.access import EVERY_ATTRIBUTE
    from ringback.domain.answers import call_object, iso
    from ringback.domain.decisions import read_uuid
    from ringback.services import accounts, calls

    with opened(database) as found, found.read() as tx:
        place = accounts.find(tx, account)
        if (asked := read_uuid(uuid)) is None:
            raise Mistake(f"{uuid} is not the UUID of a call")
        call, entries = calls.timeline(tx, place.id, asked)
    document = call_object(call, EVERY_ATTRIBUTE, place.time_zone)
    if as_json:
        show_json({"call": document, "timeline": [_entry(each, place.time_zone) for each in entries]})
        return
    _show_call(document)
    show()
    rows = [(iso(each.changed_at, place.time_zone), *_told(each), each.receipt_id) for each in entries]
    show_table(("Time", "What", "Why", "Update"), rows, "Nothing has changed since it was recorded.")


def _pairs(settings: list[str]) -> dict[str, str]:
    pairs = dict(each.partition("=")[::2] for each in settings)
    for each in settings:
        if not each.partition("=")[1] or not each.partition("=")[0]:
            raise Mistake(f"--set {each}: write NAME=VALUE")
    return pairs


_OTHER_NAMES = frozenset({"hangup_reason", *(name for each in (*ATTRIBUTES, *TEXTS) for name in each.reads[1:])})
"""Further names for what has one already: programs look for them, people needn't read it twice."""


def _show_call(document: Mapping[str, Any]) -> None:
    for name, value in document.items():
        if name not in _OTHER_NAMES and value not in (None, {}):
            text = ", ".join(f"{key} = {each}" for key, each in value.items()) if isinstance(value, dict) else value
            show(f"  {name:26}{text}")


def _told(entry: Entry) -> tuple[str, str]:
    from ringback.domain.explanations import changed
    from ringback.domain.receipts import changed_document

    return changed(changed_document([entry.change]))[0], entry.change.origin.value


def _entry(entry: Entry, time_zone: str) -> dict[str, Any]:
    from ringback.domain.answers import iso
    from ringback.domain.receipts import changed_document

    name, before, after, origin = changed_document([entry.change])[0]
    return {
        "changed_at": iso(entry.changed_at, time_zone),
        "received_at": iso(entry.received_at, time_zone),
        "attribute": name,
        "from": before,
        "to": after,
        "origin": origin,
        "receipt_id": entry.receipt_id,
    }
