"""``ringback deliveries``: what was sent, what is still to be sent, and sending it again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from ringback import clock, entropy
from ringback.cli.options import AsJson, DatabaseUrl, InAccount
from ringback.cli.printing import show, show_json, show_table
from ringback.domain.deliveries import State, sentence
from ringback.domain.errors import Mistake

if TYPE_CHECKING:
    from ringback.services.repeats import Repeated
    from ringback.store.access import Account
    from ringback.store.delivery_search import Attempt, Listed, Wanted
    from ringback.store.engine import Database

app = typer.Typer(name="deliveries", help="What was sent, what is still to be sent, and sending it again.")

MOST_LISTED = 500
AT_ONCE = 200


@app.command("list")
def list_deliveries(
    *,
    account: InAccount,
    state: Annotated[State | None, typer.Option(help="Where they stand.")] = None,
    call: Annotated[str | None, typer.Option(metavar="UUID", help="Only of this call.")] = None,
    host: Annotated[str | None, typer.Option(help="Only to this host.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=MOST_LISTED, help="How many at most.")] = 50,
    database: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """List deliveries, newest first."""
    from ringback.cli.databases import opened
    from ringback.services import accounts
    from ringback.store import delivery_search

    wanted = delivery_search.Wanted(state=state, call_uuid=call, host=host)
    with opened(database) as found, found.read() as tx:
        place = accounts.find(tx, account)
        rows = delivery_search.list_page(tx, place.id, wanted, limit=limit).lines
    if as_json:
        show_json([_document(each) for each in rows])
        return
    zone = ZoneInfo(place.time_zone)
    table = [
        (
            each.id,
            f"{each.created_at.astimezone(zone):%Y-%m-%d %H:%M:%S}",
            each.state.value,
            each.postback,
            each.host,
            each.attempts,
            sentence(each.code, each.details),
        )
        for each in rows
    ]
    show_table(("Id", "Since", "State", "Postback", "Host", "Tries", "Why"), table, "There is no such delivery.")


@app.command("show")
def show_delivery(
    delivery_id: Annotated[str, typer.Argument(metavar="ID", help="Its id, which receivers get as webhook-id.")],
    *,
    account: InAccount,
    database: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Show a delivery: what is sent, and what came of each attempt. Credentials are never shown."""
    from ringback.cli.databases import opened
    from ringback.services import accounts
    from ringback.store import delivery_search

    with opened(database) as found, found.read() as tx:
        place = accounts.find(tx, account)
        delivery = delivery_search.find(tx, place.id, delivery_id)
        if delivery is None:
            raise Mistake(f"{account} has no delivery {delivery_id}")
        request = delivery_search.find_request(tx, place.id, delivery_id)
        tries = delivery_search.list_attempts(tx, place.id, delivery_id)
    body = request.body.decode(errors="replace") if request and request.body else ""
    if as_json:
        sent = request and {"method": request.method, "url": request.url, "headers": request.headers, "body": body}
        show_json({**_document(delivery), "request": sent, "tries": [_tried(each) for each in tries]})
        return
    show(f"{delivery.postback}, since {delivery.created_at:%Y-%m-%d %H:%M:%S} UTC: {delivery.state.value}", "bold")
    show(sentence(delivery.code, delivery.details))
    if request:
        show(f"{request.method} {request.url}")
        for name, value in request.headers:
            show(f"{name}: {value}")
        show(body)
    for each in tries:
        outcome = each.status if each.status is not None else each.code
        show(f"Attempt {each.number}, {each.started_at:%Y-%m-%d %H:%M:%S} UTC, to {each.address or '-'}: {outcome}")
        show(each.body.decode(errors="replace"))


@app.command("send-again")
def send_again(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID…]", help="Deliveries that failed or are held.")
    ] = None,
    *,
    account: InAccount,
    state: Annotated[State | None, typer.Option(help="All that stand so instead.")] = None,
    database: DatabaseUrl = None,
) -> None:
    """Send deliveries again, made anew of their postbacks and calls as they are now, from the first attempt on."""
    from ringback.cli.databases import opened
    from ringback.services import accounts, repeats
    from ringback.store.delivery_search import Wanted

    if bool(ids) == (state is not None):
        raise Mistake("give ids of deliveries, or --state held or --state failed")
    with opened(database) as found:
        with found.read() as tx:
            place = accounts.find(tx, account)
        if ids:
            with found.write() as tx:
                done = repeats.send_again(tx, place, ids, clock.now())
        else:
            done = _send_all_again(found, place, Wanted(state=state, is_test=False))
    for each, reason in done.held.items():
        show(f"{each} is held: {reason}", "yellow")
    count = len(done.sent)
    if ids and count < len(ids):
        raise Mistake(f"{count} of {len(ids)} are sent again; the others are not there, delivered, tests, or held")
    show(f"{count} {'delivery is' if count == 1 else 'deliveries are'} sent again.")


def _send_all_again(database: Database, account: Account, wanted: Wanted) -> Repeated:
    """Send all again that are wanted now, some in each transaction."""
    from ringback.services import repeats
    from ringback.store import delivery_search

    sent: list[str] = []
    held: dict[str, str] = {}
    after, up_to, is_over = None, entropy.new_id(), False
    while not is_over:
        with database.write() as tx:
            chunk = delivery_search.list_again(tx, account.id, wanted, after=after, up_to=up_to, limit=AT_ONCE)
            done = repeats.send_again(tx, account, chunk.ids, clock.now(), keeps_order=True)
        sent.extend(done.sent)
        held.update(done.held)
        after, is_over = chunk.after, chunk.after is None
    return repeats.Repeated(sent, held)


def _document(delivery: Listed) -> dict[str, Any]:
    return {
        "id": delivery.id,
        "postback": delivery.postback,
        "call_uuid": delivery.call_uuid,
        "host": delivery.host,
        "state": delivery.state.value,
        "code": delivery.code,
        "reason": sentence(delivery.code, delivery.details),
        "attempts": delivery.attempts,
        "differs": delivery.differs,
        "created_at": delivery.created_at.isoformat(),
        "due_at": delivery.due_at and delivery.due_at.isoformat(),
    }


def _tried(attempt: Attempt) -> dict[str, Any]:
    return {
        "number": attempt.number,
        "started_at": attempt.started_at.isoformat(),
        "code": attempt.code,
        "status": attempt.status,
        "address": attempt.address,
        "credential": attempt.credential,
        "headers": attempt.headers,
        "body": attempt.body.decode(errors="replace"),
        "milliseconds": attempt.milliseconds,
    }
